import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import {
  ChevronRight,
  Languages,
  LogOut,
  Menu as MenuIcon,
  MonitorCog,
  Moon,
  Search,
  Sun,
  WifiOff,
} from 'lucide-react';
import { lazy, type RefObject, Suspense, useEffect, useRef, useState } from 'react';
import { onRunEnd, useLive, useRunningRun } from '../api/live.ts';
import { Button, Spinner } from '../ui/button.tsx';
import { classes } from '../ui/classes.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Menu } from '../ui/menu.tsx';
import { toast } from '../ui/toast.tsx';
import { initials } from './format.ts';
import { setLanguage, useLanguage, useT } from './i18n.ts';
import { useKorean, useKoreanSentences } from './korean.ts';
import { Nav, SECTIONS, SourceStatus } from './nav.tsx';
import { percentOf } from './run-facts.ts';
import { useSession } from './session.tsx';
import css from './shell.module.css';
import { setTheme, useTheme } from './theme.ts';
import { ROLES, SHELL } from './words.ts';

const Palette = lazy(() => import('./palette.tsx').then(({ Palette: component }) => ({ default: component })));

/** Navigation, top bar and the page. */
export function Shell() {
  const t = useT(SHELL);
  // Under way before the first page needs them, so that no English is shown first.
  useKorean();
  useKoreanSentences();
  const [sheet, setSheet] = useState(false);
  const [finding, setFinding] = useState(false);
  const { connection } = useLive();
  const main = useRef<HTMLElement>(null);
  useKeyboardFind(() => setFinding(true));
  useRunToasts();
  useFocusOnPage(main);
  return (
    <div className={css.shell}>
      <a href="#content" className={css.skip}>
        {t('skip')}
      </a>
      <aside className={css.side}>
        <SideContent />
      </aside>
      <div>
        <header className={css.top}>
          <span className={css.burger}>
            <Button look="quiet" aria-label={t('menu')} icon={<MenuIcon size={19} />} onClick={() => setSheet(true)} />
          </span>
          <Crumbs />
          <Syncing />
          <button type="button" className={css.find} onClick={() => setFinding(true)} aria-keyshortcuts="Control+K">
            <Search size={15} aria-hidden />
            <span>{t('search')}</span>
            <kbd aria-hidden>Ctrl K</kbd>
          </button>
          <ThemeMenu />
          <AccountMenu />
        </header>
        {connection === 'lost' ? (
          <div className={css.lost} role="alert">
            <WifiOff size={16} aria-hidden />
            {t('lost')}
          </div>
        ) : null}
        <main id="content" tabIndex={-1} ref={main} className={css.main}>
          <Outlet />
        </main>
      </div>
      <Dialog open={sheet} onClose={() => setSheet(false)} title={t('navigation')} shape="drawer">
        <div className={classes(css.side, css.sheet)}>
          <SideContent onGo={() => setSheet(false)} bare />
        </div>
      </Dialog>
      {finding ? (
        <Suspense fallback={null}>
          <Palette onClose={() => setFinding(false)} />
        </Suspense>
      ) : null}
    </div>
  );
}

function SideContent({ onGo, bare = false }: { readonly onGo?: () => void; readonly bare?: boolean }) {
  return (
    <>
      {bare ? null : (
        <Link to="/overview" className={css.brand} onClick={onGo}>
          <img src="/icon.svg" alt="" />
          <span>
            <b>Sluice</b>
            <small>{window.location.hostname}</small>
          </span>
        </Link>
      )}
      <Nav {...(onGo === undefined ? {} : { onGo })} />
      <div className={css.spacer} />
      <SourceStatus />
    </>
  );
}

function Crumbs() {
  const t = useT(SHELL);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const title = useTitle(path);
  const found = SECTIONS.flatMap(({ head, entries }) => entries.map((entry) => ({ head, ...entry }))).find(
    ({ to }) => path === to || path.startsWith(`${to}/`),
  );
  if (found === undefined) return <div className={css.crumbs} />;
  const deeper = path !== found.to;
  return (
    <div className={css.crumbs}>
      {found.head === undefined ? null : (
        <>
          <span>{t(found.head)}</span>
          <ChevronRight size={14} aria-hidden />
        </>
      )}
      {deeper ? (
        <>
          <Link to={found.to}>{t(found.word)}</Link>
          <ChevronRight size={14} aria-hidden />
          <b>{title}</b>
        </>
      ) : (
        <b>{t(found.word)}</b>
      )}
    </div>
  );
}

/** The page's own title, which it gives to the window. */
function useTitle(path: string): string {
  const [title, setTitle] = useState('');
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new page has a new title
  useEffect(() => {
    const read = (): void => setTitle(document.title.replace(/ · Sluice$/, ''));
    read();
    const watcher = new MutationObserver(read);
    watcher.observe(document.head, { subtree: true, childList: true, characterData: true });
    return () => watcher.disconnect();
  }, [path]);
  return title;
}

function Syncing() {
  const t = useT(SHELL);
  const run = useRunningRun();
  if (run === undefined) return null;
  const percent = percentOf(run);
  return (
    <Link to="/runs/$id" params={{ id: run.id }} className={css.pill}>
      <Spinner size={15} />
      <span>{t('syncing')}</span>
      {percent === undefined ? null : `${percent}%`}
    </Link>
  );
}

function ThemeMenu() {
  const t = useT(SHELL);
  const theme = useTheme();
  const Icon = theme === 'light' ? Sun : theme === 'dark' ? Moon : MonitorCog;
  return (
    <Menu
      trigger={<Button look="quiet" aria-label={t('theme')} icon={<Icon size={18} />} />}
      items={[
        { label: t('light'), icon: <Sun size={16} />, onSelect: () => setTheme('light') },
        { label: t('dark'), icon: <Moon size={16} />, onSelect: () => setTheme('dark') },
        { label: t('system_'), icon: <MonitorCog size={16} />, onSelect: () => setTheme('system') },
      ]}
    />
  );
}

function AccountMenu() {
  const t = useT(SHELL);
  const roles = useT(ROLES);
  const chosen = useLanguage();
  const { session, signOut } = useSession();
  const leave = (everywhere: boolean): void =>
    void signOut(everywhere).catch((error: Error) => toast(error.message, { tone: 'red' }));
  return (
    <Menu
      trigger={
        <button type="button" className={css.me} aria-label={`${t('account')}: ${session.name}`}>
          {initials(session.name)}
        </button>
      }
      head={
        <>
          <b>{session.name}</b>
          {roles(session.role)}
        </>
      }
      items={[
        null,
        {
          label: t('language'),
          icon: <Languages size={16} />,
          onSelect: () => setLanguage(chosen === 'ko' ? 'en' : 'ko'),
        },
        null,
        { label: t('signOut'), icon: <LogOut size={16} />, onSelect: () => leave(false) },
        { label: t('signOutAll'), icon: <LogOut size={16} />, onSelect: () => leave(true) },
      ]}
    />
  );
}

/** Whoever goes to another page goes on in it by the keyboard, and a screen reader reads it. A dialog has its own focus. */
function useFocusOnPage(main: RefObject<HTMLElement | null>): void {
  const path = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  const shown = useRef<string | undefined>(undefined);
  useEffect(() => {
    const isAnother = shown.current !== undefined && path !== undefined && shown.current !== path;
    shown.current = path ?? shown.current;
    if (isAnother && document.querySelector('[role="dialog"]') === null) main.current?.focus({ preventScroll: true });
  }, [path, main]);
}

function useKeyboardFind(open: () => void): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'k') return;
      event.preventDefault();
      open();
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, [open]);
}

function useRunToasts(): void {
  const t = useT(SHELL);
  useEffect(
    () =>
      onRunEnd(({ id, status, number: n, trigger }) => {
        // Whoever looks at a switch is shown what came of it.
        if (status === 'succeeded' && trigger === 'impact') return;
        if (status === 'succeeded') toast(t('runDone', { n }), { of: id });
        else if (status !== 'held') toast(t('runFailed', { n }), { tone: 'red', of: id });
        else if (!isLookedAt(id)) toast(t('runHeld', { n }), { tone: 'amber', of: id });
      }),
    [t],
  );
}

/** The page of the run, and the set-up that asked for a preview, say themselves that it waits. */
function isLookedAt(runId: string): boolean {
  return location.pathname.endsWith('/setup') || location.pathname.endsWith(`/runs/${runId}`);
}
