// Reading what changed, through a whole sync in front of a real slapd.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ChangePage, Checkpoint, Page, ReadMemory } from '#core/pages.ts';
import type { LdapRecord } from '#providers/ldap/records.ts';
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
const { signal } = new AbortController();

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

  it('are not enough for whoever a wider filter lets in, or another base: everything is read', async () => {
    const wider = (filter: string) => ({ users: { base: `ou=People,${SUFFIX}`, filter }, initialRun: 'manual' });
    for (const [filter, mode, names] of [
      ['(&(objectClass=inetOrgPerson)(uid=k*))', 'full', ['kim']],
      ['(&(objectClass=inetOrgPerson)(uid=k*))', 'incremental', ['kim']],
      ['(objectClass=inetOrgPerson)', 'full', ['kim', 'lee', 'new']],
    ] as const) {
      await api.call('PUT', '/api/v1/providers/ldap', { ...settingsFor(slapd), ...wider(filter) });
      assert.equal((await run('incremental')).mode, mode);
      const active = (await people()).filter(([, , isActive]) => isActive).map(([name]) => name);
      assert.deepEqual(active, names);
    }
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

describe('changes of a directory that bring somebody new', { skip: slapdMissing }, () => {
  const group = (cn: string, attribute: string, members: readonly string[]): string =>
    `dn: cn=${cn},ou=Groups,${SUFFIX}
objectClass: ${attribute === 'memberUid' ? 'posixGroup' : 'groupOfNames'}
${attribute === 'memberUid' ? 'gidNumber: 1\n' : ''}cn: ${cn}
${members.map((member) => `${attribute}: ${member}`).join('\n')}
${LONG_AGO}
`;
  const dn = (uid: string): string => `uid=${uid},ou=People,${SUFFIX}`;
  const away = person('far').replace('ou=People', 'ou=Elsewhere');
  const come = `${person('late').replace('objectClass', 'changetype: add\nobjectClass')}
dn: uid=far,ou=Elsewhere,${SUFFIX}
changetype: modrdn
newrdn: uid=far
deleteoldrdn: 0
newsuperior: ou=People,${SUFFIX}

dn: ${dn('kim')}
changetype: modify
replace: title
title: Head
`;

  for (const attribute of ['member', 'memberUid'])
    it(`show all members of the groups that name them already and have not changed (${attribute})`, async () => {
      const name = attribute === 'member' ? dn : (uid: string): string => uid;
      const entries = [
        ...[person('kim', LONG_AGO), person('now')],
        `dn: ou=Elsewhere,${SUFFIX}\nobjectClass: organizationalUnit\nou: Elsewhere\n`,
        ...[away, group('old', attribute, ['kim', 'late', 'far'].map(name)), group('others', attribute, [name('kim')])],
      ];
      const slapd = await startSlapd(entries.join('\n'));
      try {
        const groups = attribute === 'member' ? {} : { filter: '(objectClass=posixGroup)' };
        const settings = kind.parseSettings(
          settingsFor(slapd, { memberAttribute: attribute, groups: { base: `ou=Groups,${SUFFIX}`, ...groups } }),
        );
        const known = new Map<string, unknown>();
        const names = new Map<string, string>();
        let checkpoint: Checkpoint | undefined;
        const keep = (page: ChangePage | Page): void => {
          if (page.type !== 'records') return;
          for (const record of page.records as LdapRecord[])
            names.set(record.externalId, /^\w+=(\w+)/.exec(record.dn)?.[1] ?? '');
        };
        for await (const page of kind.open(settings).pages(signal)) {
          keep(page);
          if (page.type === 'end') checkpoint = page.checkpoint;
        }
        for (const id of names.keys()) known.set(id, {});
        slapd.modify(come);
        const nobody = async function* () {};
        const memory: ReadMemory = {
          ...{ known: async () => known, served: nobody, restorable: nobody },
          settled: async () => new Set(known.keys()),
        };
        const shown = new Map<string, string[]>();
        const { changes } = kind.open(settings, undefined, memory);
        for await (const page of changes?.pages(checkpoint ?? assert.fail(), signal) ?? []) {
          keep(page);
          if (page.type !== 'members') continue;
          const members = page.members.map(({ externalId }) => names.get(externalId) ?? '');
          const at = names.get(page.group) ?? '';
          shown.set(at, [...(shown.get(at) ?? []), ...members].sort());
        }
        assert.deepEqual([...shown], [['old', ['far', 'kim', 'late']]]);
      } finally {
        await slapd.close();
      }
    });

  it('show those whose manager they are, who have not changed either', async () => {
    const reporting = (uid: string, manager: string): string => person(uid, `manager: ${dn(manager)}\n${LONG_AGO}`);
    const elsewhere = `dn: ou=Elsewhere,${SUFFIX}\nobjectClass: organizationalUnit\nou: Elsewhere\n`;
    const people = [person('kim', LONG_AGO), person('now'), reporting('rep', 'far'), reporting('other', 'kim')];
    const slapd = await startSlapd([...people, elsewhere, away].join('\n'));
    try {
      const settings = kind.parseSettings(settingsFor(slapd));
      const known = new Set<string>();
      let checkpoint: Checkpoint | undefined;
      for await (const page of kind.open(settings).pages(signal)) {
        if (page.type === 'records') for (const { externalId } of page.records as LdapRecord[]) known.add(externalId);
        if (page.type === 'end') checkpoint = page.checkpoint;
      }
      slapd.modify(come);
      const nobody = async function* () {};
      const settled = async () => known;
      const memory: ReadMemory = { settled, known: async () => new Map(), served: nobody, restorable: nobody };
      const { changes } = kind.open(settings, undefined, memory);
      const shown = new Map<string, LdapRecord>();
      for await (const page of changes?.pages(checkpoint ?? assert.fail(), signal) ?? [])
        if (page.type === 'records')
          for (const record of page.records as LdapRecord[]) shown.set(/^\w+=(\w+)/.exec(record.dn)?.[1] ?? '', record);
      assert.equal(shown.get('rep')?.managerId, shown.get('far')?.externalId ?? assert.fail());
      assert.equal(shown.has('other'), false);
    } finally {
      await slapd.close();
    }
  });
});
