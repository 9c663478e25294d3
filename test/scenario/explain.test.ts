import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { REASONS } from '#core/reasons.ts';
import type { GraphServer } from '#demo/graph-server.ts';
import { addUser, makeRandom, makeTenant, makeUser, removeUser, type Tenant, updateUser } from '#demo/tenant.ts';
import { checkedCall, listAll } from '../support/checked.ts';
import { postgresMissing } from '../support/database.ts';
import {
  approve,
  connect,
  EVERY_GROUP_TYPE,
  freshStorage,
  saveSettings,
  settingsFor,
  startGateway,
  startTenant,
  sync,
  type TestGateway,
  untilOver,
} from '../support/gateway.ts';

interface Item {
  readonly action: string;
  readonly externalId: string;
  readonly resourceType: string;
  readonly reason: string;
  readonly outcome: string;
}

interface Explanation {
  readonly id: string | null;
  readonly externalId: string | null;
  readonly reason: { code: string; sentence: string; remedy: string; detail: string | null };
  readonly source: {
    state: string;
    record: { userPrincipalName?: string } | null;
    readAt: string | null;
    goneAt: string | null;
    page: { runId: string; number: number } | null;
  };
  readonly scope: {
    inScope: boolean;
    path: string | null;
    settingsChanged: boolean;
    clauses: { setting: string; holds: boolean; reason: string | null }[];
  } | null;
  readonly groups: { displayName: string }[];
  readonly link: {
    state: string;
    reason: string | null;
    attribute: string | null;
    dispute: { candidates: string[] } | null;
  };
  readonly directory: { id: string; active: boolean; deletedAt: string | null } | null;
  readonly attributes: {
    attribute: string;
    value: unknown;
    mapped?: unknown;
    source?: object;
    setBy: { runId: string | null; actor: string } | null;
  }[];
  readonly guard: { planId: string; action: string; reasons: string[] } | null;
  readonly lastRun: { id: string; action: string | null; outcome: string | null; reason: { code: string } } | null;
  readonly pins: { id: string; class: string; runId: string; member: object | null }[];
  readonly targets: unknown[];
}

interface Answer {
  readonly candidates: { id: string | null; externalId: string | null; resourceType: string }[];
  readonly explanation: Explanation | null;
}

const SCOPES = [
  { filter: "accountEnabled eq true and userType eq 'Member'", requireLicence: true },
  {
    filter: 'department eq "Sales" or department eq "Legal"',
    domains: ['contoso.example'],
    dynamicMembership: 'exclude',
  },
  { excludeOnMicrosoft: true, requireMailbox: true, groupTypes: ['security'] },
  { nestedGroups: 'flatten', guests: 'exclude', filter: 'memberOf sw "Sales" or not (memberOf co "e")' },
];

for (const kind of ['embedded', 'postgres'] as const)
  describe(`why somebody is here, or is not (${kind})`, { skip: kind === 'postgres' && postgresMissing }, () => {
    let tenant: Tenant;
    let graph: GraphServer;
    let api: TestGateway;
    const call = checkedCall(() => api);
    const ask = (subject: string) => call<Answer>('GET', `/explain?subject=${encodeURIComponent(subject)}`, 200);
    const explain = async (subject: string): Promise<Explanation> => {
      const { explanation, candidates } = await ask(subject);
      return explanation ?? assert.fail(`${subject} may mean ${JSON.stringify(candidates)}`);
    };
    const known = (index: number): string =>
      [...tenant.users.values()].filter((user) => user['accountEnabled'] === true)[index]?.id ?? '';
    const configure = (changes: Record<string, unknown> = {}) => saveSettings(api, settingsFor(tenant, graph, changes));
    const wide = { enabled: false };
    const users = kind === 'postgres' ? 110 : 45;
    const somebody = (random: () => number): string => known(Math.floor(random() * users * 0.7));

    before(async () => {
      tenant = makeTenant({ users, groups: 12, membersPerGroup: 5, seed: `explain ${kind}` });
      graph = await startTenant(tenant);
      api = await startGateway(await freshStorage(kind));
      await call('PUT', '/guard', 200, wide);
      await connect(api, settingsFor(tenant, graph));
    });
    after(async () => {
      await api?.close();
      await graph?.close();
    });

    it('agrees with what the run did, for every user and group of a random tenant under random scopes', async () => {
      const random = makeRandom(kind);
      const twin = { ...makeUser('twin', 9001), userPrincipalName: tenant.users.get(known(3))?.['userPrincipalName'] };
      addUser(tenant, twin);
      addUser(tenant, { ...makeUser('nameless', 9002), userPrincipalName: null });
      for (const scope of SCOPES) {
        for (let count = 0; count < 5; count += 1)
          updateUser(tenant, somebody(random), {
            displayName: `Renamed ${count}`,
            department: 'Sales',
          });
        removeUser(tenant, somebody(random));
        await configure({ scope: { groupTypes: EVERY_GROUP_TYPE, ...scope } });
        const run = await sync(api);
        assert.equal(run.status, 'succeeded', JSON.stringify(run));
        const items = await listAll<Item>(call, `/sync-runs/${run.id}/changes?limit=500`);
        const byRecord = new Map<string, Item>();
        for (const item of items.filter(({ action }) => action !== 'membership')) {
          const key = `${item.resourceType} ${item.externalId}`;
          // A leaver out of scope is in the plan twice: taken away, and left out.
          if (item.action !== 'skip' || !byRecord.has(key)) byRecord.set(key, item);
        }
        for (const [type, ids] of [
          ['User', tenant.users.keys()],
          ['Group', tenant.groups.keys()],
        ] as const)
          for (const id of ids) agree(await explain(id), byRecord.get(`${type} ${id}`), run.id);
      }
    });

    function agree(explained: Explanation, item: Item | undefined, runId: string): void {
      const { reason, scope, directory, lastRun } = explained;
      const failed = scope?.clauses.find(({ holds }) => !holds);
      const what = `${explained.externalId}: ${JSON.stringify({ reason, item, lastRun })}`;
      assert.equal(lastRun?.id, runId, what);
      const isLeaving = item?.action === 'deactivate' || item?.action === 'delete';
      assert.equal(
        reason.code,
        item === undefined || (!isLeaving && item.action !== 'skip') ? 'InScope' : item.reason,
        what,
      );
      if (item?.action === 'skip')
        assert.equal(directory === null || !directory.active || directory.deletedAt !== null, true, what);
      if (reason.code === 'InScope') {
        assert.equal(failed, undefined, what);
        assert.equal(directory?.active !== undefined && directory.deletedAt === null, true, what);
        for (const { attribute, value, mapped, setBy } of explained.attributes) {
          if (mapped !== undefined && !attribute.endsWith(':manager'))
            assert.deepEqual(value, mapped, `${what} ${attribute}`);
          assert.ok(setBy?.runId, `${what} ${attribute}`);
        }
      } else if (!['DuplicateSourceEntries'].includes(reason.code)) assert.equal(failed?.reason, reason.code, what);
      assert.deepEqual(
        [lastRun?.action, lastRun?.reason.code],
        item === undefined ? [lastRun?.action, lastRun?.reason.code] : [item.action, item.reason],
        what,
      );
      if (item === undefined) assert.ok(['NoChange', 'MembersChanged'].includes(lastRun?.reason.code ?? ''), what);
    }

    it('finds the same person by any address, name or id, and lists all whom a name may mean', async () => {
      await configure();
      await sync(api);
      const id = known(10);
      const user = tenant.users.get(id);
      const addresses = user?.['proxyAddresses'] as string[];
      const { id: ours } = await explain(id);
      for (const subject of [
        String(user?.['userPrincipalName']).toUpperCase(),
        ` ${id.toUpperCase()} `,
        ours ?? '',
        ...addresses.map((address) => address.slice('smtp:'.length)),
      ])
        assert.equal((await explain(subject)).id, ours, subject);
      for (const index of [11, 12]) updateUser(tenant, known(index), { displayName: 'Two of One' });
      await sync(api);
      const { candidates, explanation } = await ask('two OF one');
      assert.equal(explanation, null);
      assert.deepEqual(candidates.map(({ externalId }) => externalId).sort(), [known(11), known(12)].sort());
      assert.equal((await explain(candidates[0]?.id ?? '')).externalId, candidates[0]?.externalId);
      assert.ok((await explain(id)).groups.length >= 0);
    });

    it('tells where each attribute comes from, and by which run or whose hand', async () => {
      const id = known(14);
      updateUser(tenant, id, { jobTitle: 'Explained' });
      const run = await sync(api);
      const { attributes, source } = await explain(id);
      assert.deepEqual(source.page?.runId, run.id);
      assert.ok((source.page?.number ?? 0) >= 1);
      const title = attributes.find(({ attribute }) => attribute === 'title');
      assert.deepEqual([title?.value, title?.source], ['Explained', { jobTitle: 'Explained' }]);
      assert.equal(title?.setBy?.runId, run.id);
      const userName = attributes.find(({ attribute }) => attribute === 'userName');
      assert.notEqual(userName?.setBy?.runId, run.id);
      const untouched = (await explain(known(40))).source;
      assert.notEqual(untouched.page?.runId, run.id, 'as it is, it was read by an earlier run');
    });

    it('answers for somebody who is gone, and for somebody who never was', async () => {
      const id = known(15);
      const name = String(tenant.users.get(id)?.['userPrincipalName']);
      removeUser(tenant, id);
      await sync(api);
      const gone = await explain(name);
      assert.deepEqual([gone.reason.code, gone.source.state, gone.directory?.active], ['NotInSource', 'gone', false]);
      assert.ok(gone.source.goneAt);
      assert.equal(gone.source.record?.userPrincipalName, name);
      const never = await explain('nobody@contoso.example');
      assert.deepEqual([never.reason.code, never.source.state, never.directory], ['NotInSource', 'never', null]);
      assert.ok(never.source.readAt);
      assert.deepEqual(never.targets, []);
      assert.equal(never.lastRun?.reason.code, 'NotInSource');
    });

    it('answers for what was made, disputed and deleted by hand', async () => {
      const { id } = await call<{ id: string }>('POST', '/users', 201, { userName: 'made@hand.example' });
      const made = await explain('made@hand.example');
      assert.deepEqual([made.reason.code, made.link.state], ['ManualOrigin', 'manual']);
      const record = { ...makeUser('made', 9010), userPrincipalName: 'made@hand.example' };
      addUser(tenant, record);
      await sync(api);
      const disputed = await explain(record.id);
      assert.deepEqual([disputed.reason.code, disputed.link.dispute?.candidates], ['Disputed', [id]]);
      const { items } = await call<{ items: { id: string }[] }>('GET', '/disputes?status=open', 200);
      await call('POST', `/disputes/${items[0]?.id}/adopt`, 200);
      await sync(api);
      const adopted = await explain(record.id);
      assert.deepEqual([adopted.id, adopted.reason.code, adopted.link.reason], [id, 'InScope', 'Adopted']);
      const other = await call<{ id: string }>('POST', '/users', 201, { userName: 'deleted@hand.example' });
      await call('DELETE', `/users/${other.id}`, 204);
      assert.equal((await explain('deleted@hand.example')).reason.code, 'DeletedByHand');
    });

    it('says what waits for a person, and in which plan', async () => {
      await call('PUT', '/guard', 200, { minObjects: 0, percent: 0 });
      const id = known(20);
      updateUser(tenant, id, { jobTitle: 'Held' });
      const run = await sync(api);
      assert.equal(run.status, 'held');
      const held = await explain(id);
      assert.deepEqual([held.reason.code, held.guard?.planId, held.guard?.action], ['GuardHeld', run.planId, 'update']);
      assert.deepEqual(held.guard?.reasons, ['share-exceeded']);
      await approve(api, run.planId);
      assert.equal((await explain(id)).reason.code, 'InScope');
      await call('PUT', '/guard', 200, wide);
    });

    it('says what an undoing pinned, until it is released', async () => {
      const id = known(21);
      updateUser(tenant, id, { jobTitle: 'Undone' });
      const run = await sync(api);
      const undo = await call<{ id: string }>('POST', `/sync-runs/${run.id}/revert`, 202);
      const { planId } = await untilOver(api, undo.id);
      await approve(api, planId);
      const { pins } = await explain(id);
      assert.deepEqual(
        pins.map((pin) => [pin.class, pin.runId, pin.member]),
        [['update', run.id, null]],
      );
      await call('DELETE', `/pins/${pins[0]?.id}`, 204);
      assert.deepEqual((await explain(id)).pins, []);
    });

    it('says of somebody whom the source no longer shows that an undoing keeps them here', async () => {
      const record = makeUser('kept', 9033);
      addUser(tenant, record);
      await sync(api);
      removeUser(tenant, record.id);
      const run = await sync(api);
      assert.notEqual((await explain(record.id)).reason.code, 'Pinned');
      const undo = await call<{ id: string }>('POST', `/sync-runs/${run.id}/revert`, 202);
      await approve(api, (await untilOver(api, undo.id)).planId);
      for (const synced of [false, true]) {
        if (synced) await sync(api);
        const { reason, source, directory } = await explain(record.id);
        assert.deepEqual([reason.code, source.state, directory?.active], ['Pinned', 'gone', true]);
      }
      await call('DELETE', `/pins?run=${run.id}`, 200);
      assert.notEqual((await explain(record.id)).reason.code, 'Pinned');
      await sync(api);
    });

    it('says of somebody who is not here that an undoing keeps them out, and by which pin', async () => {
      const record = makeUser('unwanted', 9030);
      addUser(tenant, record);
      const run = await sync(api);
      const undo = await call<{ id: string }>('POST', `/sync-runs/${run.id}/revert`, 202);
      await approve(api, (await untilOver(api, undo.id)).planId);
      assert.equal((await explain(record.id)).reason.code, 'Pinned', 'before a run has tried');
      await sync(api);
      const { reason, pins, directory } = await explain(record.id);
      assert.deepEqual([reason.code, pins.map((pin) => pin.class)], ['Pinned', ['create']]);
      assert.ok(directory?.deletedAt);
      await call('DELETE', `/pins/${pins[0]?.id}`, 204);

      const { id } = await call<{ id: string }>('POST', '/users', 201, { userName: 'unlinked@hand.example' });
      const twin = { ...makeUser('unlinked', 9031), userPrincipalName: 'unlinked@hand.example' };
      addUser(tenant, twin);
      await sync(api);
      const [dispute] = (await call<{ items: { id: string }[] }>('GET', '/disputes?status=open', 200)).items;
      await call('POST', `/disputes/${dispute?.id}/adopt`, 200);
      const adopting = await sync(api);
      assert.equal((await explain(twin.id)).id, id);
      const undoing = await call<{ id: string }>('POST', `/sync-runs/${adopting.id}/revert`, 202);
      await approve(api, (await untilOver(api, undoing.id)).planId);
      await sync(api);
      const apart = await explain(twin.id);
      assert.deepEqual([apart.id, apart.reason.code], [null, 'Pinned']);
      assert.deepEqual(
        apart.pins.map((pin) => [pin.class, pin.runId]),
        [['link', adopting.id]],
      );
      assert.deepEqual([(await explain(id)).reason.code, (await explain(id)).pins.length], ['ManualOrigin', 1]);
      await call('DELETE', `/pins/${apart.pins[0]?.id}`, 204);
      await call('DELETE', `/users/${id}`, 204);
      await sync(api);
    });

    it('says that settings were changed since, and judges by the new ones', async () => {
      const guest = [...tenant.users.values()].find(({ userType }) => userType === 'Guest')?.id ?? '';
      assert.equal((await explain(guest)).scope?.settingsChanged, false);
      await configure({ scope: { groupTypes: EVERY_GROUP_TYPE, filter: "userType eq 'Member'" } });
      const { scope } = await explain(guest);
      assert.deepEqual([scope?.inScope, scope?.settingsChanged, scope?.clauses[0]?.holds], [true, true, false]);
      await configure();
    });

    it('has words for every reason', () => {
      for (const [code, { sentence, remedy }] of Object.entries(REASONS)) {
        assert.match(code, /^[A-Z][A-Za-z]+$/);
        assert.ok(sentence.endsWith('.') && remedy.endsWith('.'), code);
      }
    });
  });
