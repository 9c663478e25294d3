// Microsoft 365 through Microsoft Graph: reads users, groups and memberships with the application's own permissions.
// It only reads and yields; what becomes of it is decided elsewhere.
import type { ProviderKind, PullProvider } from '#core/provider.ts';
import type { Clock } from '#platform/clock.ts';
import { checkConnection } from './checks.ts';
import { openGraph } from './client.ts';
import { fullRead } from './pages.ts';
import type { GraphGroup, GraphUser } from './records.ts';
import { makeScope } from './scope.ts';
import { type Microsoft365Settings, parseSettings, SECRET_PATHS } from './settings.ts';
import { findFields, findGroups, membersBelow, reviewPermissions } from './source.ts';
import { toScimGroup, toScimUser } from './to-scim.ts';

export function microsoft365({ clock }: { clock: Clock }): ProviderKind<Microsoft365Settings> {
  return {
    kind: 'microsoft365',
    title: 'Microsoft 365',
    available: true,
    secretPaths: SECRET_PATHS,
    parseSettings,
    policy: ({ initialRun, scope }) => ({
      initialRun,
      onLeaveScope: scope.onLeaveScope,
      deleteAfterDays: scope.deleteAfterDays,
    }),
    open: (settings) => openProvider(settings, clock),
    test: (settings, signal) => checkConnection(openGraph(settings, clock), signal),
    source: {
      groups: (settings, search, signal) => findGroups(openGraph(settings, clock), search, signal),
      members: (settings, groupId, signal) => membersBelow(openGraph(settings, clock), groupId, signal),
      fields: findFields,
      permissions: (settings) => reviewPermissions(openGraph(settings, clock)),
    },
  };
}

function openProvider(settings: Microsoft365Settings, clock: Clock): PullProvider<GraphUser | GraphGroup> {
  const graph = openGraph(settings, clock);
  const scope = makeScope(settings);
  const mapping = { dropOnMicrosoft: settings.scope.excludeOnMicrosoft };
  return {
    kind: 'microsoft365',
    pages: (signal) => fullRead(graph, (group) => scope.group(group) === undefined, signal),
    externalId: ({ id }) => id,
    normalise(record, type) {
      const out = type === 'User' ? scope.user(record) : scope.group(record);
      if (out !== undefined) return { skip: out.reason, ...(out.detail === undefined ? {} : { detail: out.detail }) };
      return type === 'User' ? toScimUser(record, mapping) : toScimGroup(record);
    },
    cost: graph.cost,
  };
}
