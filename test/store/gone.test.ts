import assert from 'node:assert/strict';
import { it } from 'node:test';
import { noteGone, notePurged } from '#store/mirror/mirror.ts';
import { readStoredRecords } from '#store/mirror/mirror-changes.ts';
import { eachDatabase } from '../support/database.ts';

eachDatabase('whoever is gone', (open) => {
  it('is gone for good when it has been away for longer than the recycle bin may lag, and is not in it', async () => {
    const database = await open();
    await database.query({
      text: `insert into mirror_records (provider, resource_type, external_id, record, record_digest, gone_at, left_how)
        values ('microsoft365', 'User', 'here', '{}', '', null, null),
          ('microsoft365', 'User', 'just-gone', '{}', '', now(), null),
          ('microsoft365', 'User', 'long-gone', '{}', '', now() - interval '2 hours', null),
          ('microsoft365', 'User', 'binned', '{}', '', now() - interval '2 hours', 'softDeleted'),
          ('microsoft365', 'User', 'purged', '{}', '', now() - interval '2 hours', 'softDeleted'),
          ('microsoft365', 'Group', 'long-gone', '{}', '', now() - interval '2 hours', null)`,
    });
    await notePurged(database.knex, 'microsoft365', 'User', ['binned']);
    const { rows } = await database.query<{ who: string }>({
      text: `select resource_type || ' ' || external_id as who from mirror_records where left_how = 'hardDeleted' order by 1`,
    });
    assert.deepEqual(
      rows.map(({ who }) => who),
      ['User long-gone', 'User purged'],
    );
  });

  it('keeps a place when it was never known, so that it counts as one who comes back', async () => {
    const database = await open();
    const objects = [
      { externalId: 'binned', how: 'softDeleted' },
      { externalId: 'purged', how: 'hardDeleted' },
    ] as const;
    await noteGone(database.knex, 'microsoft365', 'User', objects);
    const known = await readStoredRecords(database.knex, 'microsoft365', 'User', ['binned', 'purged']);
    assert.deepEqual(
      [...known.values()].map(({ external_id, gone }) => [external_id, gone]),
      [['binned', true]],
    );
  });
});
