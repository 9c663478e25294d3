// Microsoft 365 through Microsoft Graph: reads users, groups and memberships with the application's own permissions.
// It only reads and yields; what becomes of it is decided elsewhere. README.md beside this file has the permissions,
// the quirks and the pages relied on.
import type { ResourceSchemas } from '#core/attributes.ts';
import type { SourceRequest } from '#core/cost.ts';
import type { MembershipScope } from '#core/membership-scope.ts';
import type { Checkpoint, ReadMemory } from '#core/pages.ts';
import type { Normalised, ProviderKind, PullProvider, Trace } from '#core/provider.ts';
import type { Resource, ResourceType } from '#core/resource.ts';
import type { Clock } from '#platform/clock.ts';
import { checkConnection } from './checks.ts';
import { explainRecord } from './explain.ts';
import { openGraph } from './graph/client.ts';
import { ASK_LIMITS, type Gate, RUN_LIMITS } from './graph/pace.ts';
import { effectiveRules, makeUserMapping, traceUser, type UserMapping } from './map/mapping.ts';
import { readPerson } from './map/person.ts';
import { type GraphGroup, type GraphUser, USER_SELECT } from './map/records.ts';
import { toScimGroup } from './map/to-scim.ts';
import { PRESETS } from './presets.ts';
import { changesOf } from './read/delta.ts';
import { canReadByGroup, groupRead } from './read/group-read.ts';
import { makeMailboxReader } from './read/mailboxes.ts';
import { fullRead } from './read/pages.ts';
import { readById, wholeRecords } from './read/read-by-id.ts';
import { secondLook } from './read/second-look.ts';
import { groupHandles, userHandles } from './scope/handles.ts';
import { membershipScope, namesGroup } from './scope/memberships.ts';
import { makeScope } from './scope/scope.ts';
import { findFields, parseUserFilter, propertiesOf } from './scope/user-filter.ts';
import { destinationOf, isAmbient, type Microsoft365Settings, parseSettings, SECRET_PATHS } from './settings.ts';
import { connector } from './sign-in/connect.ts';
import { endpointsOf } from './sign-in/endpoints.ts';
import { reviewPermissions } from './sign-in/permissions.ts';
import { readTenantId } from './sign-in/tenant.ts';
import { findGroups, membersBelow } from './source.ts';
import { graphSubscriptions } from './subscriptions.ts';

/** A notification may come before delta shows the change: graph/delta-query-overview, "Replication delays", checked 2026-11. */
const FOLLOW_MS = [60_000, 5 * 60_000, 15 * 60_000] as const;

interface Parts {
  readonly clock: Clock;
  /** What mapping rules are held against. */
  readonly schemas: ResourceSchemas;
  readonly onRequest?: ((request: SourceRequest) => void) | undefined;
}

export function microsoft365({ clock, schemas, onRequest }: Parts): ProviderKind<Microsoft365Settings> {
  const gateOf = makeGates();
  const ask = (settings: Microsoft365Settings) =>
    openGraph(settings, clock, ASK_LIMITS, { gate: gateOf(settings), onRequest });
  const open = (settings: Microsoft365Settings, trace?: Trace, memory?: ReadMemory) =>
    openProvider(settings, { clock, schemas, onRequest }, { trace, memory, gate: gateOf(settings) });
  return {
    kind: 'microsoft365',
    title: 'Microsoft 365',
    available: true,
    secretPaths: SECRET_PATHS,
    destination: destinationOf,
    isAmbient,
    parseSettings(value) {
      const settings = parseSettings(value);
      makeUserMapping(settings, schemas);
      return settings;
    },
    policy: ({ initialRun, scope, matching, adoptManual }) => ({
      initialRun,
      onLeaveScope: scope.onLeaveScope,
      onSourceSoftDelete: scope.onSourceSoftDelete,
      onSourceHardDelete: scope.onSourceHardDelete,
      deleteAfterDays: scope.deleteAfterDays,
      matching: { matching, adoptManual },
    }),
    scopeOf,
    open,
    test: (settings, signal) => checkConnection(settings, () => ask(settings), clock, signal),
    subscriptions: graphSubscriptions(ask),
    presets: PRESETS,
    connect: connector(ask),
    mapping: {
      rules: (settings) => effectiveRules(settings, schemas.User),
      trace: (settings, record) => ({
        results: traceUser(settings, schemas.User, record as GraphUser),
        outcome: open(settings).normalise(record as GraphUser, 'User'),
      }),
      person: (settings, name, signal) => readPerson(ask(settings), propertiesToRead(settings, schemas), name, signal),
    },
    source: {
      groups: (settings, search, signal) => findGroups(ask(settings), search, signal),
      members: (settings, search, signal) => membersBelow(ask(settings), search, signal),
      fields: async (prefix) => findFields(prefix),
      permissions: (settings, signal) => reviewPermissions(ask(settings), settings, signal),
    },
  };
}

/** One gate for each application in each tenant of a Graph, which counts what all of its requests cost together. */
function makeGates(): (settings: Microsoft365Settings) => Gate {
  const gates = new Map<string, Gate>();
  return (settings) => {
    const { tenantId, clientId } = settings;
    const key = `${endpointsOf(settings).graph}/${tenantId}/${clientId}`.toLowerCase();
    const gate = gates.get(key) ?? { pausedUntil: 0 };
    gates.set(key, gate);
    return gate;
  };
}

function openProvider(
  settings: Microsoft365Settings,
  { clock, schemas, onRequest }: Parts,
  { trace, memory, gate }: { trace: Trace | undefined; memory: ReadMemory | undefined; gate: Gate },
): PullProvider<GraphUser | GraphGroup> {
  const graph = openGraph(settings, clock, RUN_LIMITS, { trace, gate, onRequest });
  const scope = makeScope(settings);
  const mapping = makeUserMapping(settings, schemas);
  const mapped = (record: GraphUser | GraphGroup, type: ResourceType): Normalised =>
    type === 'User' ? mapping.map(record) : toScimGroup(record);
  const memberships = membershipScope(settings);
  const isInScope = (group: GraphGroup): boolean => scope.group(group) === undefined;
  const isGroupWanted = (group: GraphGroup): boolean =>
    isInScope(group) || (memberships !== undefined && isLookedAt(group, memberships));
  const userProperties = propertiesToRead(settings, schemas);
  const mailboxes = makeMailboxReader(graph, memory);
  const changes = changesOf(graph, { isGroupWanted });
  // Of designated groups every read is small and whole.
  const byGroup = memberships !== undefined && canReadByGroup(memberships);
  const reading = byGroup
    ? {
        pages: (signal: AbortSignal) =>
          withMailboxes(
            groupRead(graph, { userProperties, scope: memberships, memory, isGroupWanted: isInScope }, signal),
            (users) => mailboxes.complete(users, signal),
          ),
      }
    : {
        pages: (signal: AbortSignal) =>
          withMailboxes(fullRead(graph, { userProperties, isGroupWanted }, signal), (users) =>
            mailboxes.complete(users, signal),
          ),
        changes: {
          ...changes,
          whole: wholeRecords(graph, { userProperties, complete: mailboxes.complete }),
          pages: (checkpoint: Checkpoint, signal: AbortSignal) =>
            withMailboxes(changes.pages(checkpoint, signal), (users) => mailboxes.completeChanges(users, signal)),
        },
      };
  return {
    kind: 'microsoft365',
    ...reading,
    followMs: FOLLOW_MS,
    secondLook: byGroup
      ? secondLook(graph, false)
      : secondLook(graph, true, readById(graph, { userProperties, isGroupWanted, complete: mailboxes.complete })),
    externalId: ({ id }) => id,
    normalise(record, type) {
      const out = type === 'User' ? scope.user(record) : scope.group(record);
      if (out !== undefined) return { skip: out.reason, ...(out.detail === undefined ? {} : { detail: out.detail }) };
      const result = mapped(record, type);
      if ('skip' in result || type === 'Group') return result;
      const groups = scope.memberships(record);
      const routes = scope.routes(record);
      return {
        ...result,
        ...(groups === undefined ? {} : { memberships: groups }),
        ...(routes === undefined ? {} : { routes }),
      };
    },
    ...(memberships === undefined ? {} : { memberships }),
    explain: (record, type, facts) =>
      explainRecord(record, type, {
        clauses: type === 'User' ? scope.userClauses : scope.groupClauses,
        mapped: mapped(record, type),
        memberships: type === 'User' ? scope.userMemberships : scope.groupMemberships,
        facts,
        ...(type === 'User' ? { rules: mapping.explain(record) } : {}),
      }),
    ...(mapping.own.onCreate.length === 0
      ? {}
      : { keepCreated: (now, existing) => ('userName' in now ? keepUser(mapping, now, existing) : now) }),
    asks: whatIsAsked(settings, userProperties),
    handles: (record, type) => (type === 'User' ? userHandles(record) : groupHandles(record)),
    identity: (signal) => readTenantId(graph, signal),
    cost: graph.cost,
  };
}

/** Everything that decides about people and groups; not what becomes of those who leave. */
function scopeOf({ scope, pathDisplay, destination }: Microsoft365Settings): unknown {
  const { onLeaveScope: _l, onSourceSoftDelete: _s, onSourceHardDelete: _h, deleteAfterDays: _d, ...deciding } = scope;
  return { ...deciding, pathDisplay, destination };
}

/** The same pages, in which users have what their mailboxes are for. */
async function* withMailboxes<Any extends { readonly type: string }>(
  pages: AsyncGenerator<Any>,
  complete: (users: readonly GraphUser[]) => Promise<readonly GraphUser[]>,
): AsyncGenerator<Any> {
  for await (const page of pages) yield isUsersPage(page) ? { ...page, records: await complete(page.records) } : page;
}

function isUsersPage<Any extends { readonly type: string }>(
  page: Any,
): page is Any & { readonly records: readonly GraphUser[] } {
  return page.type === 'records' && 'resourceType' in page && page.resourceType === 'User';
}

/** Groups out of scope whose members are needed all the same: the filter, or the path, is about them. */
function isLookedAt(group: GraphGroup, { conditions, pathRoots }: MembershipScope): boolean {
  return pathRoots.includes(group.id) || conditions.some((condition) => namesGroup(condition, group));
}

/** All that decides which records are read, and what of each: properties, the source, and the scope. */
function whatIsAsked(settings: Microsoft365Settings, properties: readonly string[]): string {
  const { tenantId, cloud, endpoints } = settings;
  return JSON.stringify([properties.toSorted(), tenantId, cloud, endpoints ?? null, scopeOf(settings)]);
}

function keepUser({ own }: UserMapping, now: Resource, existing: Resource): Resource {
  return own.keep({ ...now }, { ...existing }) as unknown as Resource;
}

/** Exactly what the mapping reads, and what the scope filter names beyond it. */
function propertiesToRead(settings: Microsoft365Settings, schemas: ResourceSchemas): readonly string[] {
  const { scope, destination } = settings;
  const filters = [scope.filter, ...destination.rules.map(({ filter }) => filter)].map(parseUserFilter);
  const { properties } = makeUserMapping(settings, schemas);
  return [
    ...new Set<string>([
      ...USER_SELECT,
      ...filters.flatMap((filter) => (filter === undefined ? [] : propertiesOf(filter))),
      ...properties,
    ]),
  ];
}
