import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { Empty } from '../ui/banner.tsx';
import { Failure } from '../ui/loaded.tsx';
import { say } from './i18n.ts';
import type { Search } from './search-state.ts';
import { Shell } from './shell.tsx';

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => <Empty whole title={say(['There is no such page', '그런 페이지가 없습니다'])} />,
  errorComponent: ({ error, reset }) => <Failure error={error} onRetry={reset} />,
  validateSearch: (search: Record<string, unknown>): Search =>
    Object.fromEntries(
      Object.entries(search).map(([name, value]) => [name, value === undefined ? undefined : String(value)]),
    ),
});

/** A page in a chunk of its own, loaded when somebody points at a link to it. */
function page<Path extends string, Name extends string>(
  path: Path,
  load: () => Promise<Record<Name, React.ComponentType>>,
  name: Name,
) {
  return createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(load as never, name as never) });
}

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/overview' });
  },
});

const tree = root.addChildren([
  home,
  page('/overview', () => import('../pages/overview/overview.tsx'), 'OverviewPage'),
  page('/inbound', () => import('../pages/inbound/inbound.tsx'), 'InboundPage'),
  page('/inbound/$provider/setup', () => import('../pages/setup/setup.tsx'), 'SetupPage'),
  page('/inbound/$provider/settings', () => import('../pages/setup/settings.tsx'), 'ProviderSettingsPage'),
  page('/runs', () => import('../pages/runs/runs.tsx'), 'RunsPage'),
  page('/runs/$id', () => import('../pages/run/run.tsx'), 'RunPage'),
  page('/tasks', () => import('../pages/tasks/tasks.tsx'), 'TasksPage'),
  page('/users', () => import('../pages/people/people.tsx'), 'UsersPage'),
  page('/users/$id', () => import('../pages/people/person.tsx'), 'UserPage'),
  page('/groups', () => import('../pages/people/people.tsx'), 'GroupsPage'),
  page('/groups/$id', () => import('../pages/people/person.tsx'), 'GroupPage'),
  page('/check', () => import('../pages/check/check.tsx'), 'CheckPage'),
  page('/disputes', () => import('../pages/disputes/disputes.tsx'), 'DisputesPage'),
  page('/apps', () => import('../pages/apps/apps.tsx'), 'AppsPage'),
  page('/apps/$id', () => import('../pages/apps/app.tsx'), 'AppPage'),
  page('/deliveries', () => import('../pages/deliveries/deliveries.tsx'), 'DeliveriesPage'),
  page('/audit', () => import('../pages/audit/audit.tsx'), 'AuditPage'),
  page('/settings', () => import('../pages/settings/settings.tsx'), 'SettingsPage'),
]);

export const router = createRouter({ routeTree: tree, defaultPreload: 'intent', scrollRestoration: true });
