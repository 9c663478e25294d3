// Files that change, from the folder to the run that follows.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ProviderKind } from '#core/provider.ts';
import { systemClock } from '#platform/clock.ts';
import { makeLog } from '#platform/log.ts';
import { makeSeal } from '#platform/seal.ts';
import { saveProvider, setActive } from '#store/source/settings.ts';
import { readMark } from '#store/source/source-marks.ts';
import { addPiece, beginUpload, completeUpload, uploadsOf } from '#store/source/uploads.ts';
import { makeSourceWatcher } from '#sync/watch/watch-source.ts';
import { csvKind, makeInbound, putFile } from '../providers/csv/support.ts';
import { eachDatabase } from '../support/database.ts';

eachDatabase('a source that is looked at', (open) => {
  it('is marked when its files are others, once for each change, and not at the first look', async () => {
    const database = await open();
    const seal = makeSeal(Buffer.alloc(32).toString('base64'));
    const folder = makeInbound();
    const kind = csvKind(folder, uploadsOf(database.knex, 'csv')) as ProviderKind;
    const kinds = new Map([['csv', kind]] as const);
    const watcher = makeSourceWatcher({ database, kinds, seal, clock: systemClock, log: makeLog('fatal') });
    const save = (settings: unknown) =>
      saveProvider(database.knex, { kind: 'csv', settings, secrets: seal.seal('{}'), changed: true });
    const upload = async (content: string) => {
      const id = await beginUpload(database.knex, 'csv', 'test');
      await addPiece(database.knex, { uploadId: id, role: 'users', seq: 0, bytes: Buffer.from(content) });
      const files = [{ role: 'users', name: 'users.csv', bytes: content.length, digest: content }];
      await completeUpload(database.knex, { id, provider: 'csv', files });
    };
    assert.equal(await watcher.look(), false, 'no provider is active');
    await save({ source: { kind: 'folder' } });
    await setActive(database.knex, 'csv', true);
    assert.equal(await watcher.look(), false, 'there is no file yet');
    putFile(folder, 'users.csv', 'id,userName\nu1,a\n');
    assert.equal(await watcher.look(), false, 'the first look only remembers');
    assert.equal(await readMark(database.knex, 'csv'), undefined);
    putFile(folder, 'users.csv', 'id,userName\nu1,ab\n');
    assert.deepEqual([await watcher.look(), await watcher.look()], [true, false]);
    assert.notEqual(await readMark(database.knex, 'csv'), undefined);
    await save({ source: { kind: 'upload' } });
    assert.equal(await watcher.look(), false, 'nothing was uploaded yet');
    await upload('id\n');
    assert.deepEqual([await watcher.look(), await watcher.look()], [true, false]);
    await upload('id\n');
    assert.equal(await watcher.look(), false, 'the same file once more is no change');
  });
});
