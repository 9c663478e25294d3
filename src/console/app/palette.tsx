import { useNavigate } from '@tanstack/react-router';
import { AppWindow, Eye, History, Play, User, UsersRound } from 'lucide-react';
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { call } from '../api/client.ts';
import { useGet, useList } from '../api/queries.ts';
import { Empty } from '../ui/banner.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { TextField } from '../ui/field.tsx';
import { toast } from '../ui/toast.tsx';
import { useT, words } from './i18n.ts';
import { SECTIONS } from './nav.tsx';
import css from './palette.module.css';
import { useNeeds } from './session.tsx';
import { SHELL } from './words.ts';

const WORDS = words({
  title: ['Search or jump to', '검색 또는 이동'],
  label: ['Pages, users, groups, runs, apps', '페이지, 사용자, 그룹, 실행, 앱'],
  pages: ['Pages', '페이지'],
  actions: ['Actions', '작업'],
  people: ['Users and groups', '사용자 및 그룹'],
  runs: ['Sync runs', '동기화 실행'],
  apps: ['Apps', '앱'],
  run: ['Run {n}', '실행 {n}'],
  preview: ['Preview changes', '변경 미리 보기'],
  sync: ['Run sync now', '지금 동기화'],
  none: ['Nothing found', '결과 없음'],
});

interface Hit {
  readonly key: string;
  readonly group: string;
  readonly text: string;
  readonly note?: string | undefined;
  readonly icon: ReactNode;
  go(): void;
}

const WAIT_MS = 200;
const SHOWN = 6;

/** Everything within reach of a few letters. */
export function Palette({ onClose }: { readonly onClose: () => void }) {
  const t = useT(WORDS);
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const hits = useHits(text.trim(), onClose);
  const chosen = Math.max(0, Math.min(at, hits.length - 1));
  const id = useId();
  useEffect(() => {
    document.getElementById(`${id}-${chosen}`)?.scrollIntoView({ block: 'nearest' });
  }, [id, chosen]);

  function key(event: KeyboardEvent): void {
    // The key belongs to a syllable that is being written.
    if (event.nativeEvent.isComposing) return;
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      setAt((chosen + step + hits.length) % Math.max(1, hits.length));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      hits[chosen]?.go();
    }
  }

  return (
    <Dialog open onClose={onClose} title={t('title')} initialFocus={input}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the input inside */}
      <div onKeyDown={key}>
        <TextField
          label={t('label')}
          value={text}
          inputRef={input}
          choosing={{ list: `${id}-list`, option: hits.length === 0 ? undefined : `${id}-${chosen}` }}
          onChange={(next) => {
            setText(next);
            setAt(0);
          }}
        />
        <div id={`${id}-list`} className={css.list} role="listbox" tabIndex={-1} aria-label={t('title')}>
          {hits.length === 0 ? <Empty title={t('none')} /> : null}
          {hits.map((hit, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the input above
            <div
              key={hit.key}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === chosen}
              tabIndex={-1}
              onClick={hit.go}
              onPointerMove={() => setAt(index)}
            >
              {hit.icon}
              {hit.text}
              <small>{hit.note ?? hit.group}</small>
            </div>
          ))}
        </div>
      </div>
    </Dialog>
  );
}

function useSettled(text: string): string {
  const [settled, set] = useState(text);
  useEffect(() => {
    const timer = window.setTimeout(() => set(text), WAIT_MS);
    return () => window.clearTimeout(timer);
  }, [text]);
  return settled;
}

function useHits(text: string, onClose: () => void): readonly Hit[] {
  const t = useT(WORDS);
  const shell = useT(SHELL);
  const navigate = useNavigate();
  const needs = useNeeds('operator');
  const settled = useSettled(text);
  const asks = settled.length > 1;
  const users = useList('GET /users', { query: { search: settled } as never, enabled: asks });
  const groups = useList('GET /groups', { query: { search: settled } as never, enabled: asks });
  const apps = useList('GET /apps');
  const runs = useList('GET /sync-runs');
  const providers = useGet('GET /providers');
  const matches = (value: string): boolean => value.toLowerCase().includes(text.toLowerCase());
  const to = (path: string) => () => {
    onClose();
    void navigate({ to: path } as never);
  };
  const start = (preview: boolean) => () => {
    onClose();
    call('POST /sync-runs', { body: { preview } }).then(
      (run) => void navigate({ to: `/runs/${run.id}` } as never),
      (error: Error) => toast(error.message, { tone: 'red' }),
    );
  };
  const pages = SECTIONS.flatMap(({ entries }) => entries).map(
    ({ to: path, word, icon: Icon }): Hit => ({
      key: path,
      group: t('pages'),
      text: shell(word),
      icon: <Icon size={16} />,
      go: to(path),
    }),
  );
  const active = providers.data?.items.some((card) => card.active) === true;
  const actions: Hit[] =
    active && needs === undefined
      ? [
          { key: 'preview', group: t('actions'), text: t('preview'), icon: <Eye size={16} />, go: start(true) },
          { key: 'sync', group: t('actions'), text: t('sync'), icon: <Play size={16} />, go: start(false) },
        ]
      : [];
  const found: Hit[] = asks
    ? [
        ...users.items.slice(0, SHOWN).map(
          (user): Hit => ({
            key: user.id,
            group: t('people'),
            text: user.displayName ?? user.userName ?? user.id,
            note: user.userName ?? undefined,
            icon: <User size={16} />,
            go: to(`/users/${user.id}`),
          }),
        ),
        ...groups.items.slice(0, SHOWN).map(
          (group): Hit => ({
            key: group.id,
            group: t('people'),
            text: group.displayName ?? group.id,
            icon: <UsersRound size={16} />,
            go: to(`/groups/${group.id}`),
          }),
        ),
      ]
    : [];
  const others: Hit[] = [
    ...runs.items.map(
      (run): Hit => ({
        key: run.id,
        group: t('runs'),
        text: t('run', { n: String(run.number) }),
        icon: <History size={16} />,
        go: to(`/runs/${run.id}`),
      }),
    ),
    ...apps.items.map(
      (app): Hit => ({
        key: app.id,
        group: t('apps'),
        text: app.name,
        icon: <AppWindow size={16} />,
        go: to(`/apps/${app.id}`),
      }),
    ),
  ];
  const local = [...actions, ...pages].filter((hit) => matches(hit.text));
  // What starts a run is nothing that an Enter too many should do.
  return text === ''
    ? [...pages, ...actions]
    : [...found, ...local, ...others.filter((hit) => matches(hit.text)).slice(0, SHOWN)];
}
