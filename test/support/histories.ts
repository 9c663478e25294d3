import fc from 'fast-check';

const TIME_MS = 60_000;

/**
 * Tries random histories one after the other, as many as fit into a minute: on a slow machine fewer, which is no
 * failure. The one under way is waited for, unlike with fast-check's own limit, so that nothing goes on in a database
 * that was given back.
 */
export async function tryHistories<History>(
  histories: fc.Arbitrary<History>,
  count: number,
  follow: (history: History) => Promise<void>,
): Promise<void> {
  const until = performance.now() + TIME_MS;
  const property = fc.asyncProperty(histories, async (history) => {
    if (performance.now() < until) await follow(history);
  });
  await fc.assert(property, { numRuns: Number(process.env['HISTORIES'] ?? count) });
}
