import { Link } from '@tanstack/react-router';
import { AppWindow, Plus } from 'lucide-react';
import { useList } from '../../api/queries.ts';
import type { App, TargetHealth } from '../../api/types.ts';
import { initials, relative } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { CHANNELS, HealthBadge, healthOf, needsSomebody, sumIn, useTargets } from '../../app/targets.tsx';
import { Apart } from '../../ui/apart.tsx';
import { Who } from '../../ui/badge.tsx';
import { Empty } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { HourStrip } from '../../ui/hours.tsx';
import { Card, Page, Stack } from '../../ui/layout.tsx';
import { Failure, Together } from '../../ui/loaded.tsx';
import { More, Table } from '../../ui/table.tsx';
import { AddApp } from './add.tsx';
import css from './apps.module.css';
import { CHANNEL_ICONS } from './channel-icons.ts';
import { Figures } from './figures.tsx';
import { useSees } from './sees.ts';
import { Trouble } from './trouble.tsx';
import { WORDS } from './words.ts';

export function AppsPage() {
  const t = useT(WORDS);
  const needs = useNeeds('admin');
  const list = useList('GET /apps');
  const { targets, ...health } = useTargets();
  const [search, change] = useSearchState();
  const adding = search['add'] !== undefined;
  const setAdding = (on: boolean): void => change({ add: on ? 'app' : undefined });
  const add = (
    <Button look="primary" icon={<Plus size={16} />} off={needs} onClick={() => setAdding(true)}>
      {t('add')}
    </Button>
  );
  const troubled = targets.filter(needsSomebody);
  return (
    <Page title={t('title')} lead={t('lead')} actions={add}>
      <Together of={[list, health]} lines={8}>
        {troubled.length === 0 ? null : (
          <Stack>
            {troubled.map((target) => (
              <Trouble key={target.appId + target.channel} target={target} />
            ))}
          </Stack>
        )}
        {health.error !== null && health.data === undefined ? (
          <Failure error={health.error} onRetry={() => void health.refetch()} />
        ) : targets.length === 0 ? null : (
          <Card flush>
            <Figures targets={targets} />
          </Card>
        )}
        <Card flush>
          {list.error !== null && list.items.length === 0 ? (
            <Failure error={list.error} onRetry={() => void list.refetch()} />
          ) : list.items.length === 0 ? (
            <Empty icon={<AppWindow size={26} />} title={t('empty')} action={add}>
              {t('emptyText')}
            </Empty>
          ) : (
            <AppTable apps={list.items} targets={targets} />
          )}
          <More list={list} />
        </Card>
      </Together>
      {adding ? <AddApp onClose={() => setAdding(false)} /> : null}
    </Page>
  );
}

interface Way {
  readonly app: App;
  readonly target: TargetHealth | undefined;
}

/** A row for each way in which an app is reached; for one that only reads, a row as well. */
function AppTable({ apps, targets }: { readonly apps: readonly App[]; readonly targets: readonly TargetHealth[] }) {
  const t = useT(WORDS);
  const language = useLanguage();
  const sees = useSees();
  const ways = apps.flatMap((app): Way[] => {
    const mine = targets.filter(({ appId }) => appId === app.id);
    return mine.length === 0 ? [{ app, target: undefined }] : mine.map((target) => ({ app, target }));
  });
  const number = (of: 'waiting' | 'dead') => ({
    name: t(of),
    end: true,
    cell: ({ target }: Way) =>
      target === undefined ? (
        '–'
      ) : (
        <span className={of === 'dead' && target.dead > 0 ? css.bad : target[of] === 0 ? css.zero : undefined}>
          <Apart sum={sumIn([target], of)} />
        </span>
      ),
  });
  return (
    <Table
      first
      label={t('title')}
      items={ways}
      keyOf={({ app, target }) => app.id + (target?.channel ?? '')}
      columns={[
        {
          name: t('app'),
          cell: ({ app, target }) => (
            <Link
              to="/apps/$id"
              params={{ id: app.id }}
              search={(target === undefined ? {} : { tab: target.channel }) as never}
              className={css.name}
            >
              <Who mark={initials(app.name)} name={app.name} note={target?.address ?? sees(app)} square />
            </Link>
          ),
        },
        { name: t('how'), cell: ({ target }) => <How channel={target?.channel} /> },
        {
          name: t('health'),
          cell: ({ target }) => (target === undefined ? '–' : <HealthBadge health={healthOf(target)} />),
        },
        {
          name: t('last24'),
          cell: ({ target }) => (target === undefined ? '–' : <HourStrip hours={target.hours} />),
        },
        number('waiting'),
        number('dead'),
        {
          name: t('lastDelivery'),
          end: true,
          cell: ({ target }) =>
            target === undefined || target.lastDeliveredAt === null ? '–' : relative(target.lastDeliveredAt, language),
        },
      ]}
    />
  );
}

function How({ channel = 'token' }: { readonly channel: keyof typeof CHANNEL_ICONS | undefined }) {
  const how = useT(CHANNELS);
  const Icon = CHANNEL_ICONS[channel];
  return (
    <span className={css.how}>
      <Icon size={15} aria-hidden />
      {how(channel)}
    </span>
  );
}
