import { it } from 'node:test';
import { converge, PERSONALITIES } from '../contract/target.ts';
import { eachDatabase } from '../support/database.ts';

const CHANGES = Number(process.env['PUSH_CHANGES'] ?? 80);
const SEED = process.env['PUSH_SEED'] ?? 'push';

eachDatabase(`every app has what the directory has (PUSH_SEED=${SEED})`, (open, kind) => {
  for (const manners of PERSONALITIES) {
    // On embedded storage a few stand for all: what differs there is the storage.
    if (
      kind === 'embedded' &&
      !['strict', 'without PATCH', 'dropping connections after having applied'].includes(manners.name)
    )
      continue;
    it(manners.name, async () => converge(manners, { database: await open(), changes: CHANGES, seed: SEED }));
  }
});
