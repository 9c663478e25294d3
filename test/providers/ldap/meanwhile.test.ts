// What happens in a directory while it is read, in front of a real slapd.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ChangePage, Checkpoint, Page, ReadMemory } from '#core/pages.ts';
import type { LdapRecord } from '#providers/ldap/records.ts';
import { type Slapd, SUFFIX, slapdMissing, startSlapd } from '../../support/slapd.ts';
import { kind, openLdap, person, settingsFor, uuidOf } from './support.ts';

const { signal } = new AbortController();
const dn = (uid: string): string => `uid=${uid},ou=People,${SUFFIX}`;
const group = (cn: string, number: number, members: readonly string[]): string =>
  `dn: cn=${cn},ou=Groups,${SUFFIX}\nobjectClass: groupOfNames\ncn: ${cn}\nentryUUID: ${uuidOf(number)}\n${members
    .map((member) => `member: ${member}\n`)
    .join('')}`;
const rename = (uid: string, to: string, place = `ou=People,${SUFFIX}`): string =>
  `changetype: modrdn\nnewrdn: uid=${to}\ndeleteoldrdn: 0\nnewsuperior: ${place}\n`.replace(/^/, `dn: ${dn(uid)}\n`);

describe('a directory that changes while it is read', { skip: slapdMissing }, () => {
  let slapd: Slapd;
  before(async () => {
    const people = ['kim', 'lee', 'cho'].map((uid, index) => person(uid, `entryUUID: ${uuidOf(index + 1)}`));
    const groups = [group('all', 11, ['kim', 'lee', 'cho'].map(dn)), group('few', 12, [dn('kim')])];
    const away = `dn: ou=Away,${SUFFIX}\nobjectClass: organizationalUnit\nou: Away\n`;
    slapd = await startSlapd([...people, ...groups, away].join('\n'));
  });
  after(() => slapd.close());

  it('keeps in its groups whoever was renamed after all names were read', async () => {
    const members = new Map<string, string[]>();
    const skipped: string[] = [];
    let isRenamed = false;
    for await (const page of openLdap(settingsFor(slapd)).pages(signal)) {
      if (!isRenamed) {
        isRenamed = true;
        // As a server does that follows names in groups, where these do not count as changed.
        const follow = ['all', 'few'].map(
          (cn) =>
            `dn: cn=${cn},ou=Groups,${SUFFIX}\nchangetype: modify\nadd: member\nmember: ${dn('kim2')}\n-\ndelete: member\nmember: ${dn('kim')}\n`,
        );
        slapd.modify([rename('kim', 'kim2'), ...follow].join('\n'));
      }
      if (page.type !== 'members') continue;
      members.set(page.group, [...(members.get(page.group) ?? []), ...page.members.map((one) => one.externalId)]);
      skipped.push(...page.skipped.map(({ externalId }) => externalId));
    }
    assert.deepEqual(skipped, []);
    assert.deepEqual(members.get(uuidOf(11))?.sort(), [1, 2, 3].map(uuidOf));
    assert.deepEqual(members.get(uuidOf(12)), [uuidOf(1)]);
  });

  it('tells by id of whoever its lists passed over, and nothing of whoever is not there', async () => {
    const provider = openLdap(settingsFor(slapd));
    const look = provider.secondLook ?? assert.fail();
    assert.equal(look.showsAll, true);
    const seen = new Set<string>();
    let isAway = false;
    for await (const page of provider.pages(signal)) {
      if (page.type === 'records') for (const record of page.records) seen.add(provider.externalId(record));
      if (!isAway) slapd.modify(rename('cho', 'cho', `ou=Away,${SUFFIX}`));
      isAway = true;
      if (page.type !== 'end') continue;
      assert.equal(seen.has(uuidOf(3)), false);
      const ask = () => look.isThere('User', [1, 3, 99].map(uuidOf), signal);
      assert.deepEqual([...(await ask())], [[uuidOf(1), true]]);
      slapd.modify(rename('cho', 'cho').replace('ou=People', 'ou=Away'));
      assert.deepEqual([...(await ask())].sort(), [
        [uuidOf(1), true],
        [uuidOf(3), true],
      ]);
      assert.deepEqual([...(await look.isThere('Group', [uuidOf(11), uuidOf(1)], signal))], [[uuidOf(11), true]]);
      const again: string[] = [];
      for await (const { group: id, members } of look.members([uuidOf(12)], signal))
        again.push(...members.map(({ externalId }) => `${id} ${externalId}`));
      assert.deepEqual(again, [`${uuidOf(12)} ${uuidOf(1)}`]);
    }
    assert.equal((await look.isThere('User', [uuidOf(1)], signal)).size, 0);
  });

  it('is asked for changes by a filter that has no parentheses, too', async () => {
    const settings = settingsFor(slapd, {
      users: { base: `ou=People,${SUFFIX}`, filter: 'objectClass=inetOrgPerson' },
    });
    const { pages, checkpoint } = await readWhole(settings);
    assert.ok(pages > 0);
    const changed = await gather(openLdap(settings).changes?.pages(checkpoint, signal));
    assert.equal(changed.at(-1)?.type, 'end');
  });

  it('ends the read where accounts do not show any more who is disabled', async () => {
    const parsed = kind.parseSettings(
      settingsFor(slapd, {
        ...{ preset: 'activeDirectory', anchor: 'entryUUID', groups: null },
        users: { base: `ou=People,${SUFFIX}`, filter: '(objectClass=inetOrgPerson)' },
      }),
    );
    const nobody = async function* () {};
    const remembering = (attributes: Record<string, string>): ReadMemory => ({
      known: async (_type, ids) => new Map(ids.map((id) => [id, { externalId: id, dn: 'cn=x', attributes }])),
      settled: async () => new Set(),
      ...{ served: nobody, restorable: nobody },
    });
    const read = (attributes: Record<string, string>) =>
      gather(kind.open(parsed, undefined, remembering(attributes)).pages(signal));
    await assert.rejects(read({ userAccountControl: '512' }), { reason: 'account-state-hidden', code: 'ERR_CONFIG' });
    assert.equal((await read({ cn: 'x' })).at(-1)?.type, 'end');
  });
});

describe('many managers who are not among the people', { skip: slapdMissing }, () => {
  const MANY = 520;
  let slapd: Slapd;
  before(async () => {
    const people = Array.from({ length: MANY }, (_, index) =>
      person(`u${index}`, `entryUUID: ${uuidOf(index)}\nmanager: ${dn(`ex${index}`)}\n`),
    );
    const kim = person('kim', `entryUUID: ${uuidOf(1_001)}\n`);
    const lee = person('lee', `entryUUID: ${uuidOf(1_002)}\nmanager: ${dn('kim')}\n`);
    slapd = await startSlapd([kim, ...people, lee, group('all', 1_003, ['u3', 'u4'].map(dn))].join('\n'));
  });
  after(() => slapd.close());

  it('do not hide a member who was renamed after they were looked for, when a group is read for the second time', async () => {
    const provider = openLdap(settingsFor(slapd, { limits: { pageSize: 300, connectSeconds: 5, requestSeconds: 20 } }));
    const again: string[] = [];
    for await (const page of provider.pages(signal)) {
      if (page.type === 'records' && page.resourceType === 'Group') {
        const follow = `dn: cn=all,ou=Groups,${SUFFIX}\nchangetype: modify\nadd: member\nmember: ${dn('u3b')}\n-\ndelete: member\nmember: ${dn('u3')}\n`;
        slapd.modify([rename('u3', 'u3b'), follow].join('\n'));
      }
      if (page.type === 'end')
        for await (const { members } of provider.secondLook?.members([uuidOf(1_003)], signal) ?? assert.fail())
          again.push(...members.map(({ externalId }) => externalId));
    }
    assert.deepEqual(again.sort(), [3, 4].map(uuidOf));
  });

  it('do not hide one who is, and was renamed after all names were read', async () => {
    const settings = settingsFor(slapd, {
      groups: null,
      limits: { pageSize: 300, connectSeconds: 5, requestSeconds: 20 },
    });
    const managers = new Map<string, string | undefined>();
    let isRenamed = false;
    for await (const page of openLdap(settings).pages(signal)) {
      if (!isRenamed) {
        isRenamed = true;
        const follow = `dn: ${dn('lee')}\nchangetype: modify\nreplace: manager\nmanager: ${dn('kim2')}\n`;
        slapd.modify([rename('kim', 'kim2'), follow].join('\n'));
      }
      if (page.type === 'records')
        for (const { externalId, managerId } of page.records as LdapRecord[]) managers.set(externalId, managerId);
    }
    assert.equal(managers.size, MANY + 2);
    assert.equal(managers.get(uuidOf(1_002)), uuidOf(1_001));
    assert.equal(managers.get(uuidOf(7)), undefined);
  });
});

describe('a group that changed', { skip: slapdMissing }, () => {
  let slapd: Slapd;
  before(async () => {
    const people = ['kim', 'lee'].map((uid, index) => person(uid, `entryUUID: ${uuidOf(index + 1)}`));
    slapd = await startSlapd([...people, group('one', 11, [dn('lee')]), group('two', 12, [dn('kim')])].join('\n'));
  });
  after(() => slapd.close());

  it('has whoever was renamed after it was read, and before they were looked for', async () => {
    const settings = settingsFor(slapd);
    const { checkpoint } = await readWhole(settings);
    const members = new Map<string, readonly string[]>();
    let shown: string[] = [];
    let isRenamed = false;
    for await (const page of openLdap(settings).changes?.pages(checkpoint, signal) ?? assert.fail()) {
      if (page.type !== 'members') continue;
      if (!isRenamed) {
        isRenamed = true;
        const follow = `dn: cn=two,ou=Groups,${SUFFIX}\nchangetype: modify\nadd: member\nmember: ${dn('kim2')}\n-\ndelete: member\nmember: ${dn('kim')}\n`;
        slapd.modify([rename('kim', 'kim2'), follow].join('\n'));
      }
      shown.push(...page.members.map(({ externalId }) => externalId));
      if (!page.complete) continue;
      members.set(page.group, shown);
      shown = [];
    }
    assert.deepEqual([members.get(uuidOf(11)), members.get(uuidOf(12))], [[uuidOf(2)], [uuidOf(1)]]);
  });
});

async function gather<One>(pages: AsyncIterable<One> | undefined): Promise<One[]> {
  const all: One[] = [];
  for await (const page of pages ?? assert.fail()) all.push(page);
  return all;
}

async function readWhole(settings: Record<string, unknown>): Promise<{ pages: number; checkpoint: Checkpoint }> {
  const pages: Page[] = await gather(openLdap(settings).pages(signal));
  const end = pages.at(-1);
  assert.ok(end?.type === 'end' && end.checkpoint !== undefined);
  return { pages: pages.length, checkpoint: end.checkpoint };
}

describe('many changes at once', { skip: slapdMissing }, () => {
  const MANY = 520;
  let slapd: Slapd;
  before(async () => {
    const names = Array.from({ length: MANY }, (_, index) => `u${index}`);
    const boss = (index: number): string => `manager: ${dn(`u${(index + 1) % MANY}`)}`;
    const people = names.map((uid, index) => person(uid, `entryUUID: ${uuidOf(index)}\n${boss(index)}`));
    const groups = [1, 2, 3].map((number) => group(`g${number}`, 1_000 + number, names.map(dn)));
    slapd = await startSlapd([...people, ...groups].join('\n'));
  });
  after(() => slapd.close());

  it('are read, though everybody is looked up in the middle of a list that the server goes on with', async () => {
    for (const pageSize of [2, 300]) {
      const settings = settingsFor(slapd, { limits: { pageSize, connectSeconds: 5, requestSeconds: 20 } });
      const { checkpoint } = await readWhole(settings);
      const pages: ChangePage[] = await gather(openLdap(settings).changes?.pages(checkpoint, signal));
      assert.equal(pages.at(-1)?.type, 'end');
      const members = new Map<string, Set<string>>();
      for (const page of pages)
        if (page.type === 'members')
          members.set(
            page.group,
            new Set([...(members.get(page.group) ?? []), ...page.members.map((one) => one.externalId)]),
          );
      assert.deepEqual(
        [...members.values()].map(({ size }) => size),
        [MANY, MANY, MANY],
      );
    }
  });
});
