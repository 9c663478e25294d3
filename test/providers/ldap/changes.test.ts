// Reading what changed, through a whole sync in front of a real slapd.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { approve, freshStorage, type RunBody, startGateway, sync, type TestGateway } from '../../support/gateway.ts';
import { type Slapd, SUFFIX, slapdMissing, startSlapd } from '../../support/slapd.ts';
import { kind, person, settingsFor, uuidOf } from './support.ts';

const GROUP = `dn: cn=all,ou=Groups,${SUFFIX}
objectClass: groupOfNames
cn: all
entryUUID: ${uuidOf(11)}
member: uid=kim,ou=People,${SUFFIX}
`;
/** An entry that was changed long ago: what is read again for safety does not reach so far. */
const LONG_AGO = 'modifyTimestamp: 20200101000000Z';

describe('changes of a directory', { skip: slapdMissing }, () => {
  let slapd: Slapd;
  let api: TestGateway;
  before(async () => {
    const people = ['kim', 'lee', 'cho'].map((uid, index) =>
      person(uid, `entryUUID: ${uuidOf(index + 1)}\n${LONG_AGO}`),
    );
    slapd = await startSlapd(`${people.join('\n')}\n${GROUP}${LONG_AGO}\n`);
    api = await startGateway(await freshStorage('embedded'));
    await api.call('PUT', '/api/v1/providers/ldap', { ...settingsFor(slapd), initialRun: 'manual' });
    await api.call('POST', '/api/v1/providers/ldap/activate', {});
    // Half of so small a directory is a large change.
    await api.call('PUT', '/api/v1/guard', { enabled: false });
  });
  after(async () => {
    await api.close();
    await slapd.close();
  });

  const people = async () => {
    const { body } = await api.call<{ Resources: { userName: string; title?: string; active: boolean }[] }>(
      'GET',
      '/scim/v2/Users?sortBy=userName',
    );
    return body.Resources.map(({ userName, title, active }) => [userName, title ?? null, active]);
  };
  const members = async () => {
    type Listed = { Resources: { id: string; userName: string; members?: { value: string }[] }[] };
    const { body: users } = await api.call<Listed>('GET', '/scim/v2/Users');
    const nameOf = new Map(users.Resources.map(({ id, userName }) => [id, userName]));
    const { body } = await api.call<Listed>('GET', '/scim/v2/Groups');
    return body.Resources.map((group) => (group.members ?? []).map(({ value }) => nameOf.get(value)).sort());
  };
  const run = async (mode: 'incremental' | 'full'): Promise<RunBody & { mode: string }> => {
    const done = (await sync(api, { mode })) as RunBody & { mode: string };
    assert.equal(done.status, 'succeeded', JSON.stringify(done.error ?? done.guard));
    return done;
  };

  it('come after a whole read, entry by entry, and a group with all its members', async () => {
    const first = await sync(api, { mode: 'full' });
    assert.equal((await approve(api, first.planId)).status, 'succeeded');
    assert.equal((await people()).length, 3);
    slapd.modify(`dn: uid=kim,ou=People,${SUFFIX}
changetype: modify
replace: title
title: Head

dn: uid=new,ou=People,${SUFFIX}
changetype: add
objectClass: inetOrgPerson
uid: new
cn: new
sn: new

dn: cn=all,ou=Groups,${SUFFIX}
changetype: modify
add: member
member: uid=lee,ou=People,${SUFFIX}
member: uid=new,ou=People,${SUFFIX}
-
delete: member
member: uid=kim,ou=People,${SUFFIX}
`);
    const changed = await run('incremental');
    assert.equal(changed.mode, 'incremental');
    assert.deepEqual(await people(), [
      ['cho', null, true],
      ['kim', 'Head', true],
      ['lee', null, true],
      ['new', null, true],
    ]);
    assert.deepEqual(await members(), [['lee', 'new']]);
  });

  it('of which there are none leave everything as it is', async () => {
    const nothing = await run('incremental');
    assert.deepEqual([nothing.mode, nothing.counts['applied'] ?? 0], ['incremental', 0]);
  });

  it('do not prove that somebody is gone: a whole read does', async () => {
    slapd.modify(`dn: uid=cho,ou=People,${SUFFIX}\nchangetype: delete\n`);
    await run('incremental');
    assert.deepEqual((await people())[0], ['cho', null, true]);
    await run('full');
    assert.deepEqual((await people())[0], ['cho', null, false]);
  });

  it('of another server are not read from where this one was', async () => {
    const settings = kind.parseSettings(settingsFor(slapd));
    const provider = kind.open(settings);
    const checkpoint = JSON.stringify({ by: 'time', server: 'ldaps://other', from: '20200101000000Z' }) as never;
    const pages = provider.changes?.pages(checkpoint, new AbortController().signal);
    await assert.rejects(
      async () => {
        for await (const _page of pages ?? []);
      },
      { code: 'ERR_CHECKPOINT_EXPIRED' },
    );
  });
});
