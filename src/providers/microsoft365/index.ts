// Microsoft 365 through Microsoft Graph: reads users, groups and memberships with the application's own permissions.
// It only reads and yields; what becomes of it is decided elsewhere. README.md beside this file has the permissions,
// the quirks and the pages relied on.
import type { ResourceSchemas } from '#core/attributes.ts';
import type { Normalised, ProviderKind, PullProvider, Trace } from '#core/provider.ts';
import type { Resource, ResourceType } from '#core/resource.ts';
import type { Clock } from '#platform/clock.ts';
import { checkConnection } from './checks.ts';
import { openGraph } from './client.ts';
import { connector } from './connect.ts';
import { changesOf } from './delta.ts';
import { explainRecord } from './explain.ts';
import { groupHandles, userHandles } from './handles.ts';
import { effectiveRules, makeUserMapping, traceUser, type UserMapping } from './mapping.ts';
import { ASK_LIMITS, RUN_LIMITS } from './pace.ts';
import { fullRead } from './pages.ts';
import { reviewPermissions } from './permissions.ts';
import { readPerson } from './person.ts';
import { type GraphGroup, type GraphUser, USER_SELECT } from './records.ts';
import { makeScope } from './scope.ts';
import { type Microsoft365Settings, parseSettings, SECRET_PATHS } from './settings.ts';
import { findGroups, membersBelow } from './source.ts';
import { graphSubscriptions } from './subscriptions.ts';
import { readTenantId } from './tenant.ts';
import { toScimGroup } from './to-scim.ts';
import { findFields, parseUserFilter, propertiesOf } from './user-filter.ts';

interface Parts {
  readonly clock: Clock;
  /** What mapping rules are held against. */
  readonly schemas: ResourceSchemas;
}

export function microsoft365({ clock, schemas }: Parts): ProviderKind<Microsoft365Settings> {
  const ask = (settings: Microsoft365Settings) => openGraph(settings, clock, ASK_LIMITS);
  return {
    kind: 'microsoft365',
    title: 'Microsoft 365',
    available: true,
    secretPaths: SECRET_PATHS,
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
    open: (settings, trace) => openProvider(settings, { clock, schemas }, trace),
    test: (settings, signal) => checkConnection(settings, () => ask(settings), clock, signal),
    connect: connector(clock),
    mapping: {
      rules: (settings) => effectiveRules(settings, schemas.User),
      trace: (settings, record) => ({
        results: traceUser(settings, schemas.User, record as GraphUser),
        outcome: openProvider(settings, { clock, schemas }).normalise(record as GraphUser, 'User'),
      }),
      person: (settings, name, signal) => readPerson(ask(settings), propertiesToRead(settings, schemas), name, signal),
    },
    subscriptions: graphSubscriptions(ask),
    source: {
      groups: (settings, search, signal) => findGroups(ask(settings), search, signal),
      members: (settings, groupId, signal) => membersBelow(ask(settings), groupId, signal),
      fields: findFields,
      permissions: (settings, signal) => reviewPermissions(ask(settings), settings, signal),
    },
  };
}

function openProvider(
  settings: Microsoft365Settings,
  { clock, schemas }: Parts,
  trace?: Trace,
): PullProvider<GraphUser | GraphGroup> {
  const graph = openGraph(settings, clock, RUN_LIMITS, trace);
  const scope = makeScope(settings);
  const mapping = makeUserMapping(settings, schemas);
  const mapped = (record: GraphUser | GraphGroup, type: ResourceType): Normalised =>
    type === 'User' ? mapping.map(record) : toScimGroup(record);
  const userProperties = propertiesToRead(settings, schemas);
  const isGroupWanted = (group: GraphGroup): boolean => scope.group(group) === undefined;
  return {
    kind: 'microsoft365',
    pages: (signal) => fullRead(graph, { userProperties, isGroupWanted }, signal),
    changes: changesOf(graph, { isGroupWanted }),
    externalId: ({ id }) => id,
    normalise(record, type) {
      const out = type === 'User' ? scope.user(record) : scope.group(record);
      if (out !== undefined) return { skip: out.reason, ...(out.detail === undefined ? {} : { detail: out.detail }) };
      return mapped(record, type);
    },
    explain: (record, type) =>
      explainRecord(record, type, {
        clauses: type === 'User' ? scope.userClauses : scope.groupClauses,
        mapped: mapped(record, type),
        ...(type === 'User' ? { rules: mapping.explain(record) } : {}),
      }),
    ...(mapping.own.onCreate.length === 0
      ? {}
      : { keepCreated: (now, existing) => ('userName' in now ? keepUser(mapping, now, existing) : now) }),
    asks: userProperties.toSorted().join(),
    handles: (record, type) => (type === 'User' ? userHandles(record) : groupHandles(record)),
    identity: (signal) => readTenantId(graph, signal),
    cost: graph.cost,
  };
}

function keepUser({ own }: UserMapping, now: Resource, existing: Resource): Resource {
  return own.keep({ ...now }, { ...existing }) as unknown as Resource;
}

/** Exactly what the mapping reads, and what the scope filter names beyond it. */
function propertiesToRead(settings: Microsoft365Settings, schemas: ResourceSchemas): readonly string[] {
  const filter = parseUserFilter(settings.scope.filter);
  const { properties } = makeUserMapping(settings, schemas);
  return [...new Set<string>([...USER_SELECT, ...(filter === undefined ? [] : propertiesOf(filter)), ...properties])];
}
