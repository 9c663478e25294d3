import { Link, useRouterState } from '@tanstack/react-router';
import {
  AppWindow,
  CircleHelp,
  Download,
  History,
  LayoutDashboard,
  ListChecks,
  ScrollText,
  Send,
  Settings,
  UserRoundSearch,
  Users,
  UsersRound,
} from 'lucide-react';
import type { ComponentType } from 'react';
import { useRunningRun } from '../api/live.ts';
import { useGet } from '../api/queries.ts';
import { classes } from '../ui/classes.ts';
import { count, relative } from './format.ts';
import { useLanguage, useT } from './i18n.ts';
import { useOverview } from './overview.ts';
import { percentOf } from './run-facts.ts';
import css from './shell.module.css';
import { needsSomebody, useTargets } from './targets.tsx';
import { PROVIDERS, SHELL } from './words.ts';

type Word = keyof typeof SHELL;
interface Entry {
  readonly to: string;
  readonly word: Word;
  readonly icon: ComponentType<{ size?: number }>;
  /** What waits there for somebody. */
  readonly waits?: 'held' | 'disputes' | 'apps' | 'dead';
}

export const SECTIONS: readonly { readonly head?: Word; readonly entries: readonly Entry[] }[] = [
  { entries: [{ to: '/overview', word: 'overview', icon: LayoutDashboard }] },
  {
    head: 'inbound',
    entries: [
      { to: '/inbound', word: 'source', icon: Download },
      { to: '/runs', word: 'runs', icon: History, waits: 'held' },
      { to: '/tasks', word: 'tasks', icon: ListChecks },
    ],
  },
  {
    head: 'directory',
    entries: [
      { to: '/users', word: 'users', icon: Users },
      { to: '/groups', word: 'groups', icon: UsersRound },
      { to: '/check', word: 'check', icon: UserRoundSearch },
      { to: '/disputes', word: 'disputes', icon: CircleHelp, waits: 'disputes' },
    ],
  },
  {
    head: 'outbound',
    entries: [
      { to: '/apps', word: 'apps', icon: AppWindow, waits: 'apps' },
      { to: '/deliveries', word: 'deliveries', icon: Send, waits: 'dead' },
    ],
  },
  {
    head: 'system',
    entries: [
      { to: '/audit', word: 'audit', icon: ScrollText },
      { to: '/settings', word: 'settings', icon: Settings },
    ],
  },
];

export function Nav({ onGo }: { readonly onGo?: () => void }) {
  const t = useT(SHELL);
  const language = useLanguage();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const { data: overview } = useOverview();
  const { targets } = useTargets();
  const waiting = {
    held: overview?.held.length ?? 0,
    disputes: overview?.openDisputes ?? 0,
    apps: new Set(targets.filter(needsSomebody).map(({ appId }) => appId)).size,
    dead: targets.reduce((sum, { dead }) => sum + dead, 0),
  };
  return (
    <nav className={css.nav} aria-label={t('navigation')}>
      {SECTIONS.map(({ head, entries }) => (
        <div key={head ?? 'top'} className={css.nav}>
          {head === undefined ? null : <h2>{t(head)}</h2>}
          {entries.map(({ to, word, icon: Icon, waits }) => {
            const n = waits === undefined ? 0 : waiting[waits];
            return (
              <Link
                key={to}
                to={to}
                onClick={onGo}
                aria-current={path === to || path.startsWith(`${to}/`) ? 'page' : undefined}
              >
                <Icon size={17} aria-hidden />
                {t(word)}
                {n === 0 ? null : (
                  <span className={css.count}>
                    <span aria-hidden>{count(n, language)}</span>
                    <span className="hidden"> {t('waiting', { n })}</span>
                  </span>
                )}
              </Link>
            );
          })}
        </div>
      ))}
    </nav>
  );
}

/** At the foot of the navigation: the active source and how it is. */
export function SourceStatus() {
  const t = useT(SHELL);
  const names = useT(PROVIDERS);
  const chosen = useLanguage();
  const { data } = useGet('GET /providers');
  const running = useRunningRun();
  const card = data?.items.find(({ active }) => active);
  if (data === undefined) return null;
  if (card === undefined)
    return (
      <Link to="/inbound" className={css.status}>
        <span className={css.lamp} aria-hidden />
        <span>
          <b>{t('noSource')}</b>
          <small>{t('setUp')}</small>
        </span>
      </Link>
    );
  const lamp = running !== undefined ? css.busy : card.connection.state === 'error' ? css.bad : css.on;
  const percent = running === undefined ? undefined : percentOf(running);
  const note =
    running !== undefined
      ? `${t('syncing')}${percent === undefined ? '' : ` ${percent}%`}`
      : card.lastSuccessAt === null
        ? t('neverSynced')
        : t('synced', { t: relative(card.lastSuccessAt, chosen) });
  return (
    <Link to="/inbound" className={css.status}>
      <span className={classes(css.lamp, lamp)} aria-hidden />
      <span>
        <b>{names(card.kind)}</b>
        <small>{note}</small>
      </span>
    </Link>
  );
}
