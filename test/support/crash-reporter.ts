// A reporter beside the one that people read: a line for each failure, which is the file and the signal where the process
// of a test file died of one. Node's own says "test failed" then, and no more.
import type { TestEvent } from 'node:test/reporters';

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type !== 'test:fail') continue;
    const { signal } = event.data.details.error as { signal?: string | null };
    yield `${JSON.stringify({ file: event.data.file, signal: signal ?? undefined })}\n`;
  }
}
