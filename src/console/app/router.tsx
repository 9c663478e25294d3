import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { Empty } from '../ui/banner.tsx';
import { Failure } from '../ui/loaded.tsx';
import { say } from './i18n.ts';
import type { Search } from './search-state.ts';
import { Shell } from './shell.tsx';

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => <Empty title={say(['There is no such page', '그런 페이지가 없습니다'])} />,
  errorComponent: ({ error, reset }) => <Failure error={error} onRetry={reset} />,
  validateSearch: (search: Record<string, unknown>): Search =>
    Object.fromEntries(Object.entries(search).map(([name, value]) => [name, value === undefined ? undefined : String(value)])),
});

/** A page in a chunk of its own, loaded when somebody points at a link to it. */
function page<Path extends string, Name extends string>(path: Path, load: () => Promise<Record<Name, React.ComponentType>>, name: Name) {
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
  page('/runs', () => import('../pages/runs/runs.tsx'), 'RunsPage'),
  page('/runs/$id', () => import('../pages/run/run.tsx'), 'RunPage'),
]);

export const router = createRouter({ routeTree: tree, defaultPreload: 'intent', scrollRestoration: true });
