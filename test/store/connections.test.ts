import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ConnectionFacts } from '#core/connect.ts';
import { noteFacts, noteProblem, readConnection } from '#store/source/connections.ts';
import { deleteProvider, saveProvider } from '#store/source/settings.ts';
import { eachDatabase } from '../support/database.ts';

const AT = new Date('2026-11-01T12:00:00Z');
const PROBLEM = { code: 'source-unreachable', failure: 'network', message: 'Nobody answers.', remedy: null } as const;
const FACTS = { credential: { expiresAt: null } } as unknown as ConnectionFacts;

eachDatabase('what is known of a connection', (open) => {
  it('is not kept of settings that were removed while the source was asked', async () => {
    const { knex: db } = await open();
    const settings = { kind: 'microsoft365', settings: {}, secrets: '', changed: true } as const;
    const { config_version: configVersion } = await saveProvider(db, settings);
    const facts = { facts: FACTS, at: AT, configVersion, expiresAt: AT, nextWarningAt: AT };
    await noteFacts(db, 'microsoft365', facts);
    assert.equal((await readConnection(db, 'microsoft365'))?.facts_at?.getTime(), AT.getTime());
    await deleteProvider(db, 'microsoft365');
    await noteFacts(db, 'microsoft365', facts);
    await noteProblem(db, 'microsoft365', { problem: PROBLEM, at: AT, configVersion });
    assert.equal(await readConnection(db, 'microsoft365'), undefined);
    await noteProblem(db, 'microsoft365', { problem: PROBLEM, at: AT, configVersion: null });
    assert.deepEqual(
      (await readConnection(db, 'microsoft365'))?.problem,
      PROBLEM,
      'of a consent before the first save',
    );
  });
});
