import { Link } from '@tanstack/react-router';
import { type ItemOf, useList } from '../../api/queries.ts';
import { useT, words } from '../../app/i18n.ts';
import { PROVIDERS } from '../../app/words.ts';

const WORDS = words({
  run: ['Run {n}', '실행 {n}'],
  aRun: ['A run', '실행'],
  planOf: ['Plan of run {n}', '실행 {n}의 계획'],
  goneApp: ['An app that is removed', '제거된 앱'],
  goneUser: ['A user who is removed', '제거된 사용자'],
  goneGroup: ['A group that is removed', '제거된 그룹'],
  token: ['Token of {app}', '{app} 토큰'],
});

type Entry = Pick<ItemOf<'GET /audit'>, 'action' | 'object' | 'objectName' | 'detail'>;

const OF_APPS: ReadonlySet<string> = new Set(['app', 'target', 'delivery', 'webhook', 'events']);

/** What an entry is about, by name and as somewhere to go on to; an id stays where nothing has a name for it. */
export function AuditObject({ entry }: { readonly entry: Entry }) {
  const names = useT(PROVIDERS);
  const { object, action } = entry;
  if (object === null) return <>–</>;
  if (object in PROVIDERS) return <>{names(object as keyof typeof PROVIDERS)}</>;
  const noun = action.split('.')[0] ?? '';
  if (OF_APPS.has(noun) || noun === 'token') return <AppObject entry={entry} id={object} noun={noun} />;
  if (noun === 'user' || noun === 'group') return <PersonObject entry={entry} id={object} noun={noun} />;
  if (noun === 'dispute' && entry.objectName !== null) return <Link to="/disputes">{entry.objectName}</Link>;
  if (noun === 'run' || noun === 'plan') return <RunObject id={object} noun={noun} />;
  return <code>{object}</code>;
}

interface ObjectProps {
  readonly id: string;
  readonly noun: string;
}

function AppObject({ entry, id, noun }: ObjectProps & { readonly entry: Entry }) {
  const t = useT(WORDS);
  const apps = useList('GET /apps');
  const given = (entry.detail ?? {}) as { readonly name?: string; readonly app?: string };
  const app = apps.items.find((one) => one.id === (noun === 'token' ? given.app : id));
  if (app !== undefined)
    return (
      <Link to="/apps/$id" params={{ id: app.id }} search={(noun === 'token' ? { tab: 'access' } : {}) as never}>
        {noun === 'token' ? t('token', { app: app.name }) : app.name}
      </Link>
    );
  if (apps.isPending) return <>{given.name ?? '…'}</>;
  if (noun === 'token') return given.name === undefined ? <code>{id}</code> : <Tokens name={given.name} />;
  return <span title={id}>{given.name ?? t('goneApp')}</span>;
}

function PersonObject({ entry, id, noun }: ObjectProps & { readonly entry: Entry }) {
  const t = useT(WORDS);
  // Nothing is kept of it any more: there is no page to go on to.
  if (entry.objectName === null) return <span title={id}>{t(noun === 'user' ? 'goneUser' : 'goneGroup')}</span>;
  return (
    <Link to={noun === 'user' ? '/users/$id' : '/groups/$id'} params={{ id }}>
      {entry.objectName}
    </Link>
  );
}

/** A token that belongs to no app: they are all in one place. */
function Tokens({ name }: { readonly name: string }) {
  return (
    <Link to="/settings" search={{ tab: 'tokens' } as never}>
      {name}
    </Link>
  );
}

export function RunObject({ id, noun }: ObjectProps) {
  const t = useT(WORDS);
  const runs = useList('GET /sync-runs');
  const run = runs.items.find((one) => (noun === 'plan' ? one.planId : one.id) === id);
  if (run === undefined && noun === 'plan') return <code>{id}</code>;
  const n = String(run?.number ?? '');
  return (
    <Link to="/runs/$id" params={{ id: run?.id ?? id }}>
      {run === undefined ? t('aRun') : t(noun === 'plan' ? 'planOf' : 'run', { n })}
    </Link>
  );
}
