// A provider whose source is a few maps in the memory of the test, and a whole sync in front of it: worker, plans and
// database are the real ones. For histories that a simulated tenant would be too slow for.

import { randomUUID } from 'node:crypto';
import { after } from 'node:test';
import { CheckpointExpiredError, UpstreamError } from '#core/errors.ts';
import type { MembershipScope } from '#core/membership-scope.ts';
import type { ChangePage, ChangeReader, Checkpoint, GoneObject, Page, SecondLook } from '#core/pages.ts';
import type { RunPolicy } from '#core/policy.ts';
import type { ProviderKind, PullProvider } from '#core/provider.ts';
import { ENTERPRISE_SCHEMA, GROUP_SCHEMA, type ResourceType, USER_SCHEMA } from '#core/resource.ts';
import { systemClock } from '#platform/clock.ts';
import { makeLog } from '#platform/log.ts';
import { makeSeal } from '#platform/seal.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';
import type { Database } from '#store/database.ts';
import { makeCounts } from '#store/directory/counts.ts';
import { readPage } from '#store/directory/resource-pages.ts';
import { bareTextOf, type ServedRow } from '#store/directory/served.ts';
import { makeServedGroups } from '#store/directory/served-groups.ts';
import { saveProvider, setActive } from '#store/source/settings.ts';
import type { PlanView } from '#store/views/plans.ts';
import { type RunView, readRun } from '#store/views/runs.ts';
import { makeSyncService } from '#sync/decide.ts';
import type { StartOptions, SyncService } from '#sync/service.ts';
import { startWorker } from '#sync/worker.ts';

export interface SourceUser {
  readonly userName: string;
  readonly active?: boolean;
  readonly displayName?: string;
  readonly title?: string;
  readonly department?: string;
  readonly manager?: string;
  /** Out of scope, for this reason. */
  readonly out?: string;
}

export interface SourceGroup {
  readonly displayName: string;
  /** Out of scope, for this reason: its members are not read. */
  readonly out?: string | undefined;
  readonly members: readonly string[];
}

/** What the provider says. `lie` is what it says instead: nobody, nothing more after the users, or of changes only who left a group. */
export interface Source {
  readonly users: Map<string, SourceUser>;
  readonly groups: Map<string, SourceGroup>;
  /** How somebody left, when the provider tells. */
  readonly gone: Map<string, GoneObject['how']>;
  lie?: 'nobody' | 'cut' | 'departures' | undefined;
  /** Who is in scope by memberships; undefined: nobody is left out by them. */
  scope?: MembershipScope;
  /** What was there at each checkpoint that was given out, by its number. Emptied: they have expired. */
  readonly checkpoints: Map<string, Snapshot>;
  /** When it is worth looking again after it has told of a change. */
  followMs?: readonly number[];
  /** What happens when everybody was listed, and before members are. */
  meanwhile?: (() => void) | undefined;
  /** What it says to whoever asks again; it lists all who can be restored then. */
  look?: SecondLook;
  /** Groups that those who came back do not name yet. */
  unnamed?: ReadonlySet<string>;
  /** Objects of which changes tell a part only, as if they were known. */
  thin?: ReadonlySet<string>;
  /** Objects that are not found by id yet. */
  unfound?: ReadonlySet<string>;
  /** Changes come once; else twice over. */
  tellsOnce?: boolean;
  /** What a read of changes is shown of the members of groups that lag behind it; undefined: there is no such group yet. */
  lagging?: ReadonlyMap<string, readonly string[] | undefined>;
  /** Groups that a full read lists, and that are not found when it asks for their members. */
  hidden?: ReadonlySet<string>;
  /** It reads groups and their members first, and then the people: no list shows everybody. */
  groupsFirst?: boolean;
  /** Users whom no list of people shows. */
  unlisted?: ReadonlySet<string>;
  /** How often changes were read. */
  changesRead: number;
}

type Snapshot = Pick<Source, 'users' | 'groups' | 'gone'>;

interface SourceRecord {
  readonly id: string;
  readonly user?: SourceUser;
  readonly group?: Pick<SourceGroup, 'displayName' | 'out'>;
}

export function makeSource(): Source {
  return { users: new Map(), groups: new Map(), gone: new Map(), checkpoints: new Map(), changesRead: 0 };
}

function takeCheckpoint(source: Source): Checkpoint {
  const name = randomUUID();
  const { users, groups, gone } = structuredClone({ users: source.users, groups: source.groups, gone: source.gone });
  source.checkpoints.set(name, { users, groups, gone });
  return name as Checkpoint;
}

/**
 * The difference between two checkpoints, told twice over, members as what each group has won and lost. Whoever is
 * restored is a member of their groups again without a word: they are asked for.
 */
function makeChanges(source: Source): ChangeReader<SourceRecord> {
  return {
    async *pages(checkpoint, signal) {
      source.changesRead += 1;
      const [from = '', to] = checkpoint.split('>');
      const next = to ?? takeCheckpoint(source);
      const [then, now] = [source.checkpoints.get(from), source.checkpoints.get(next)];
      if (then === undefined || now === undefined) throw new CheckpointExpiredError('too old');
      if (source.lie === 'departures') {
        yield* losses(then, now);
        throw new UpstreamError('The source stopped.', { failure: 'source-incomplete' });
      }
      yield* difference(then, now, source.thin);
      yield { type: 'reached', checkpoint: `${from}>${next}` as Checkpoint };
      if (source.lie !== undefined) throw new UpstreamError('The source stopped.', { failure: 'source-incomplete' });
      if (source.tellsOnce !== true) yield* difference(then, now, source.thin);
      yield* departures(then, now);
      if (to === undefined) {
        yield { type: 'end', checkpoint: next as Checkpoint };
        return;
      }
      yield { type: 'reached', checkpoint: next as Checkpoint };
      yield* this.pages(next as Checkpoint, signal);
    },
    merge(known, change) {
      const isThin = source.thin?.has(change.id) === true && change.user !== undefined;
      return { ...known, ...change, ...(isThin && { user: { ...known?.user, ...change.user } }) };
    },
    async whole(_type, changes) {
      const told = changes.filter(({ id }) => source.thin?.has(id));
      return new Map(
        told.map(({ id }) => {
          const user = source.unfound?.has(id) === true ? undefined : source.users.get(id);
          return [id, user && { id, user }];
        }),
      );
    },
    async *members(groups) {
      for (const { id } of groups) {
        if (source.groups.get(id)?.out !== undefined) continue;
        const listed = source.lagging?.has(id) === true ? source.lagging.get(id) : source.groups.get(id)?.members;
        const hidden = listed === undefined && source.groups.has(id);
        const members = (listed ?? []).flatMap((member) => memberOf(source, member));
        yield { type: 'members', group: id, members, skipped: [], complete: true, ...(hidden && { hidden }) };
      }
    },
    async linksOf(_type, ids) {
      const groupsOf = (id: string): string[] =>
        [...source.groups].flatMap(([group, { members }]) =>
          members.includes(id) && source.unnamed?.has(group) !== true ? group : [],
        );
      const here = ids.filter((id) => memberOf(source, id).length > 0);
      return { groups: new Map(here.map((id) => [id, groupsOf(id)])), records: [] };
    },
  };
}

const PAGE = 50;

function* difference(then: Snapshot, now: Snapshot, thin?: ReadonlySet<string>): Generator<ChangePage<SourceRecord>> {
  const changes = [...now.groups].map(([group, { members }]) => {
    const isLinked = (id: string): boolean => memberOf(then, id).length > 0 || then.gone.get(id) === 'softDeleted';
    const before = new Set(then.groups.get(group)?.members.filter(isLinked));
    const after = members.flatMap((id) => memberOf(now, id));
    const kept = new Set(after.map(({ externalId }) => externalId));
    return {
      group,
      added: after.filter(({ externalId }) => !before.has(externalId)),
      removed: [...before].filter((id) => !kept.has(id)),
      skipped: [],
    };
  });
  yield { type: 'memberChanges', changes };
  const users = [...now.users].filter(([id, user]) => JSON.stringify(then.users.get(id)) !== JSON.stringify(user));
  const people = users.map(([id, user]) => ({ id, user: thin?.has(id) === true ? { userName: user.userName } : user }));
  yield { type: 'records', resourceType: 'User', records: people };
  const said = ({ displayName, out }: Partial<SourceGroup> = {}): string => JSON.stringify([displayName, out]);
  const groups = [...now.groups].filter(([id, group]) => said(then.groups.get(id)) !== said(group));
  const records = groups.map(([id, group]) => ({ id, group }));
  yield { type: 'records', resourceType: 'Group', records };
}

/** The beginning of a difference: whom groups have lost, before whom they have won. */
function* losses(then: Snapshot, now: Snapshot): Generator<ChangePage<SourceRecord>> {
  for (const page of difference(then, now))
    if (page.type === 'memberChanges')
      yield { ...page, changes: page.changes.map((change) => ({ ...change, added: [] })) };
}

function* departures(then: Snapshot, now: Snapshot): Generator<ChangePage<SourceRecord>> {
  const users = [...then.users.keys(), ...now.gone.keys()].filter((id) => !now.users.has(id));
  const objects = [...new Set(users)].map((externalId) => ({
    externalId,
    how: now.gone.get(externalId) ?? ('softDeleted' as const),
  }));
  yield { type: 'gone', resourceType: 'User', objects };
  const groups = [...then.groups.keys()].filter((id) => !now.groups.has(id));
  yield {
    type: 'gone',
    resourceType: 'Group',
    objects: groups.map((externalId) => ({ externalId, how: 'hardDeleted' as const })),
  };
}

function* peoplePages(records: readonly SourceRecord[]): Generator<Page<SourceRecord>> {
  for (let start = 0; start < records.length; start += PAGE)
    yield { type: 'records', resourceType: 'User', records: records.slice(start, start + PAGE) };
}

function openSource(source: Source): PullProvider<SourceRecord> {
  return {
    kind: 'microsoft365',
    async *pages() {
      const checkpoint = takeCheckpoint(source);
      if (source.lie === 'nobody') {
        yield { type: 'end' };
        return;
      }
      const listed = [...source.users].filter(([id]) => source.unlisted?.has(id) !== true);
      const users = listed.map(([id, user]) => ({ id, user }));
      if (source.groupsFirst !== true) yield* peoplePages(users);
      if (source.lie === 'cut') throw new UpstreamError('The source stopped.', { failure: 'source-incomplete' });
      const groups = [...source.groups].map(([id, group]) => ({ id, group }));
      yield { type: 'records', resourceType: 'Group', records: groups };
      source.meanwhile?.();
      for (const [group, { members, out }] of source.groups)
        if (out === undefined)
          yield {
            type: 'members',
            group,
            members: members.flatMap((externalId) => memberOf(source, externalId)),
            skipped: [],
            complete: true,
            ...(source.hidden?.has(group) === true && { hidden: true }),
          };
      if (source.groupsFirst === true) yield* peoplePages(users);
      const gone = [...source.gone].map(([externalId, how]) => ({ externalId, how }));
      yield { type: 'gone', resourceType: 'User', objects: gone, all: source.look !== undefined };
      yield { type: 'end', checkpoint };
    },
    changes: makeChanges(source),
    ...(source.scope === undefined ? {} : { memberships: source.scope }),
    ...(source.followMs && { followMs: source.followMs }),
    ...(source.look && { secondLook: source.look }),
    externalId: ({ id }) => id,
    normalise({ id, user, group }) {
      if (group?.out !== undefined) return { skip: group.out };
      if (user === undefined)
        return { resource: { schemas: [GROUP_SCHEMA], externalId: id, displayName: group?.displayName ?? id } };
      if (user.out !== undefined) return { skip: user.out };
      const { out: _out, department, manager, active = true, ...rest } = user;
      const enterprise = {
        ...(department === undefined ? {} : { department }),
        ...(manager === undefined ? {} : { manager: { value: manager } }),
      };
      const extended = Object.keys(enterprise).length > 0;
      return {
        resource: {
          schemas: extended ? [USER_SCHEMA, ENTERPRISE_SCHEMA] : [USER_SCHEMA],
          externalId: id,
          active,
          ...rest,
          ...(extended ? { [ENTERPRISE_SCHEMA]: enterprise } : {}),
        },
      };
    },
    cost: () => ({ requests: 0, resourceUnits: 0, bytes: 0, throttledMs: 0 }),
  };
}

function memberOf(
  source: Pick<Source, 'users' | 'groups'>,
  externalId: string,
): { externalId: string; type: ResourceType }[] {
  if (source.users.has(externalId)) return [{ externalId, type: 'User' }];
  return source.groups.has(externalId) ? [{ externalId, type: 'Group' }] : [];
}

/** A scope by memberships that leaves nobody out. */
export const NOT_BY_GROUPS: MembershipScope = {
  selected: null,
  nested: 'include',
  maxDepth: null,
  conditions: [],
  conditionsText: '',
  pathRoots: [],
  routing: null,
};

export const POLICY: RunPolicy = {
  initialRun: 'auto',
  onLeaveScope: 'deactivate',
  onSourceSoftDelete: 'deactivate',
  onSourceHardDelete: 'delete',
  deleteAfterDays: 30,
};

export interface Sync {
  readonly database: Database;
  readonly service: SyncService;
  /** One run from start to end. */
  sync(options?: Partial<StartOptions>): Promise<RunView>;
  approve(planId: string | null): Promise<RunView>;
  /** Whatever the service queues, carried out. */
  carriedOut(queue: (service: SyncService) => Promise<{ id: string } | PlanView>): Promise<RunView>;
  close(): Promise<void>;
}

const started = new Set<Sync>();

// A worker that a test has left behind would keep the process alive without a word.
after(async () => {
  for (const one of started) await one.close();
});

/** A sync of this source on a fresh database. `policy` is read at each run. */
export async function openSync(
  database: Database,
  source: Source,
  policy: () => RunPolicy = () => POLICY,
): Promise<Sync> {
  const kind: ProviderKind = {
    kind: 'microsoft365',
    title: 'A source in memory',
    available: true,
    secretPaths: [],
    parseSettings: (value) => value,
    policy,
    open: () => openSource(source) as PullProvider,
    test: async () => [],
  };
  const seal = makeSeal(Buffer.alloc(32).toString('base64'));
  await saveProvider(database.knex, { kind: 'microsoft365', settings: {}, secrets: seal.seal('{}'), changed: false });
  await setActive(database.knex, 'microsoft365', true);
  let runOver: () => void = () => undefined;
  // The worker asks for maintenance when a run is over, whatever came of it.
  const observed: Database = { ...database, maintain: () => runOver() };
  const worker = startWorker({
    database: observed,
    kinds: new Map([['microsoft365', kind]]),
    seal,
    schemas: RESOURCE_SCHEMAS,
    log: makeLog('fatal'),
    clock: systemClock,
  });
  const service = makeSyncService({ database, worker });
  const carriedOut: Sync['carriedOut'] = async (queue) => {
    const over = new Promise<void>((resolve) => {
      runOver = resolve;
    });
    const queued = await queue(service);
    await over;
    const run = await readRun(database.knex, 'runId' in queued ? queued.runId : queued.id);
    if (run === undefined) throw new Error('the run is gone');
    return run;
  };
  const opened: Sync = {
    database,
    service,
    carriedOut,
    sync: (options = {}) => carriedOut((to) => to.start({ trigger: 'manual', requestedBy: 'test', ...options })),
    approve: (planId) => carriedOut((to) => to.approve(planId ?? '', 'test')),
    async close() {
      started.delete(opened);
      await worker.stop();
    },
  };
  started.add(opened);
  return opened;
}

/** What SCIM serves, without `meta`: each resource with its relations, by id. */
export async function readDirectory(database: Database): Promise<Record<string, Served>> {
  const found: Record<string, Served> = {};
  const groups = makeServedGroups(database, makeLog('fatal'));
  for (const type of ['User', 'Group'] as const) {
    const { content } = await readPage(database, makeCounts(database), {
      types: [{ type, filter: undefined }],
      prepare: false,
      limit: 1_000,
      base: '',
      related: [type],
    });
    for (const row of await groups.complete(content)) found[row.id] = served(row);
  }
  await groups.stop();
  return found;
}

export interface Served {
  readonly type: ResourceType;
  readonly body: Record<string, unknown>;
  /** Ids of its groups, or of its members, in order. */
  readonly related: readonly string[];
}

function served(row: ServedRow): Served {
  const { id: _id, meta: _meta, groups, members, ...body } = JSON.parse(bareTextOf(row, ''));
  const others: { value: string }[] = groups ?? members ?? [];
  return { type: row.resource_type, body, related: others.map(({ value }) => value).sort() };
}
