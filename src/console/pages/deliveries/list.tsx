import { Link } from '@tanstack/react-router';
import { Send } from 'lucide-react';
import { useCallback, useState } from 'react';
import { useList } from '../../api/queries.ts';
import type { Sending } from '../../api/types.ts';
import { dateTime, initials, relative } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useSearchState } from '../../app/search-state.ts';
import { CHANNELS, useTargets } from '../../app/targets.tsx';
import { COMMON } from '../../app/words.ts';
import { Who } from '../../ui/badge.tsx';
import { Empty, Skeleton } from '../../ui/banner.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { FilterSelect, SearchField } from '../../ui/field.tsx';
import { Card, Row } from '../../ui/layout.tsx';
import { Failure } from '../../ui/loaded.tsx';
import { More, Table } from '../../ui/table.tsx';
import css from './deliveries.module.css';
import { DeliveryDrawer } from './drawer.tsx';
import { nameOf, SendingResult, useWhat } from './line.tsx';
import { PickedBar, ResendButton } from './resend.tsx';
import { WORDS } from './words.ts';

const STATES = ['delivered', 'pending', 'sending', 'held', 'dead'] as const;
const WAYS = ['push', 'webhook', 'events'] as const;

/** Of one app, or of all. The filters are in the address. */
export function DeliveryList({ appId }: { readonly appId?: string }) {
  const [search, change] = useSearchState();
  const list = useList('GET /deliveries', {
    query: {
      appId: appId ?? search['app'],
      channel: search['channel'],
      state: search['state'],
      code: search['code'],
      search: search['find'],
    } as never,
  });
  const [picked, setPicked] = useState<ReadonlySet<string>>(NONE);
  const isFiltered = ['app', 'channel', 'state', 'code', 'find'].some((name) => search[name] !== undefined);
  return (
    <>
      <Card flush>
        <Filters {...(appId === undefined ? {} : { appId })} />
        {list.error !== null && list.items.length === 0 ? (
          <Failure error={list.error} onRetry={() => void list.refetch()} />
        ) : list.isPending ? (
          <Skeleton lines={8} />
        ) : list.items.length === 0 ? (
          <Nothing isFiltered={isFiltered} appId={appId} />
        ) : (
          <DeliveryTable
            items={list.items}
            old={list.isPlaceholderData}
            withApp={appId === undefined}
            onOpen={(open) => change({ open })}
            picking={{ picked, onPick: setPicked }}
          />
        )}
        <More list={list} />
        {search['open'] === undefined ? null : (
          <DeliveryDrawer id={search['open']} onClose={() => change({ open: undefined })} />
        )}
      </Card>
      <PickedBar ids={[...picked]} onDone={() => setPicked(NONE)} />
    </>
  );
}

const NONE: ReadonlySet<string> = new Set();
/** As many as are sent again at once. */
const PICK_MAX = 500;

interface Picking {
  readonly picked: ReadonlySet<string>;
  readonly onPick: (picked: ReadonlySet<string>) => void;
}

function Filters({ appId }: { readonly appId?: string }) {
  const t = useT(WORDS);
  const how = useT(CHANNELS);
  const [search, change] = useSearchState();
  const { targets } = useTargets();
  const find = useCallback((text: string) => change({ find: text }), [change]);
  const apps = new Map(targets.map((target) => [target.appId, target.name]));
  return (
    <div style={{ padding: '14px 18px' }}>
      <Row>
        <SearchField label={t('find')} value={search['find'] ?? ''} onChange={find} />
        {appId === undefined ? (
          <FilterSelect
            label={t('app')}
            value={search['app'] ?? ''}
            onChange={(app) => change({ app })}
            options={[['', t('anyApp')], ...apps]}
          />
        ) : null}
        <FilterSelect
          label={t('how')}
          value={search['channel'] ?? ''}
          onChange={(channel) => change({ channel })}
          options={[['', t('anyHow')], ...WAYS.map((name) => [name, how(name)] as const)]}
        />
        <FilterSelect
          label={t('result')}
          value={search['state'] ?? ''}
          onChange={(state) => change({ state })}
          options={[['', t('anyResult')], ...STATES.map((name) => [name, t(name)] as const)]}
        />
        {appId === undefined ? null : <ResendButton appId={appId} />}
        {search['code'] === undefined ? null : (
          <Button small onClick={() => change({ code: undefined })}>
            <code>{search['code']}</code> ×
          </Button>
        )}
      </Row>
    </div>
  );
}

function Nothing({ isFiltered, appId }: { readonly isFiltered: boolean; readonly appId: string | undefined }) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const [, change] = useSearchState();
  const clear = (): void =>
    change({ app: undefined, channel: undefined, state: undefined, code: undefined, find: undefined });
  if (isFiltered)
    return (
      <Empty
        icon={<Send size={26} />}
        title={t('noMatch')}
        action={<Button onClick={clear}>{common('clear')}</Button>}
      />
    );
  return (
    <Empty
      icon={<Send size={26} />}
      title={t('empty')}
      action={
        appId === undefined ? (
          <Link to="/apps" className={buttonClass()}>
            {t('toApps')}
          </Link>
        ) : undefined
      }
    >
      {t('emptyText')}
    </Empty>
  );
}

/** Rows of deliveries; what one was and what came back opens beside. */
export function DeliveryTable({
  items,
  old,
  withApp,
  onOpen,
  picking,
}: {
  readonly items: readonly Sending[];
  readonly old: boolean;
  readonly withApp: boolean;
  readonly onOpen: (id: string) => void;
  /** Rows can be picked. */
  readonly picking?: Picking;
}) {
  const t = useT(WORDS);
  const how = useT(CHANNELS);
  const language = useLanguage();
  const whatOf = useWhat();
  return (
    <Table
      label={t('title')}
      items={items}
      old={old}
      keyOf={({ id }) => id}
      columns={[
        {
          name: t('who'),
          cell: (item) => (
            <div className={css.who}>
              {picking === undefined ? null : <Pick item={item} name={nameOf(item, t)} {...picking} />}
              <Who
                mark={initials(item.display ?? '·')}
                name={nameOf(item, t)}
                note={[whatOf(item), item.affiliationPath].filter(Boolean).join(' · ')}
              />
            </div>
          ),
        },
        ...(withApp
          ? [
              {
                name: t('app'),
                cell: (item: Sending) => (
                  <Link to="/apps/$id" params={{ id: item.appId }}>
                    {item.appName}
                  </Link>
                ),
              },
            ]
          : []),
        { name: t('how'), tight: true, cell: (item) => how(item.channel) },
        { name: t('result'), cell: (item) => <SendingResult item={item} /> },
        {
          name: t('when'),
          tight: true,
          cell: (item) => <span title={dateTime(item.at, language)}>{relative(item.at, language)}</span>,
        },
        {
          name: '',
          end: true,
          cell: (item) => (
            <Button small aria-label={`${t('open')}: ${nameOf(item, t)}`} onClick={() => onOpen(item.id)}>
              {t('open')}
            </Button>
          ),
        },
      ]}
    />
  );
}

/** What is about nobody, or waits for a decision, is not sent again by picking it. */
function Pick({ item, name, picked, onPick }: Picking & { readonly item: Sending; readonly name: string }) {
  const t = useT(WORDS);
  const isPicked = picked.has(item.id);
  if (item.resourceId === null || item.state === 'held') return null;
  return (
    <input
      type="checkbox"
      className={css.pick}
      aria-label={t('pickOne', { name })}
      checked={isPicked}
      disabled={!isPicked && picked.size >= PICK_MAX}
      onChange={() => onPick(new Set(isPicked ? [...picked].filter((id) => id !== item.id) : [...picked, item.id]))}
    />
  );
}
