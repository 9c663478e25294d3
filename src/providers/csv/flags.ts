import type { ReadMemory } from '#core/pages.ts';
import { flagOf } from './columns.ts';
import { unusable } from './failures.ts';
import type { CsvRecord } from './records.ts';

/** When so many people had nothing in the column at the last read, it was not there then either. */
const KNOWN_WITHOUT_MAX = 10_000;

/**
 * Looks at the people of a file that has no column `active`, in which everybody counts as active: whoever the last read
 * showed as inactive would be enabled.
 * @param memory what was read before; without it nothing is looked at
 */
export function makeFlagCheck(
  memory: ReadMemory | undefined,
  file: string,
): (records: readonly CsvRecord[]) => Promise<void> {
  let without = 0;
  return async (records) => {
    if (memory === undefined || without >= KNOWN_WITHOUT_MAX) return;
    const ids = records.flatMap(({ externalId, problem }) => (problem === undefined ? externalId : []));
    for (const known of (await memory.known('User', ids)).values()) {
      const flag = (known as Partial<CsvRecord>).fields?.['active'];
      without = flag === undefined ? without + 1 : Number.NEGATIVE_INFINITY;
      if (flagOf(flag ?? '') === false)
        throw unusable(`${file} has no column "active" any more, by which it was known who has left.`, {
          reason: 'column-missing',
          remedy: 'Bring the column back; or say by a rule of your own for "active" who is active.',
        });
    }
  };
}
