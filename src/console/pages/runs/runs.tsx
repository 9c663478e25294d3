import { Link } from '@tanstack/react-router';
import { Download, History } from 'lucide-react';
import { urlOf } from '../../api/client.ts';
import { useGet, useList } from '../../api/queries.ts';
import type { Run, SettingsChange } from '../../api/types.ts';
import { useActorName, useKnownActors } from '../../app/actors.ts';
import { useT, words } from '../../app/i18n.ts';
import { useOverview } from '../../app/overview.ts';
import { betweenDays, useSearchState } from '../../app/search-state.ts';
import { COMMON, FILTERS, STATUS, TRIGGER } from '../../app/words.ts';
import { Empty, Skeleton } from '../../ui/banner.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { FilterDay, FilterSelect } from '../../ui/field.tsx';
import { Card, Page, Row } from '../../ui/layout.tsx';
import { Failure, Together } from '../../ui/loaded.tsx';
import { RunDays } from '../../ui/run-days.tsx';
import { RunTable } from '../../ui/run-table.tsx';
import { More } from '../../ui/table.tsx';
import css from './runs.module.css';
import { placeChanges, SettingsBetween } from './settings-between.tsx';

const WORDS = words({
  title: ['Sync runs', '동기화 실행'],
  lead: [
    'Every run with what it changed, and what waits for you.',
    '모든 실행과 변경 내용, 그리고 확인을 기다리는 실행입니다.',
  ],
  filter: ['Result', '결과'],
  empty: ['No sync has run yet', '아직 동기화가 실행되지 않았습니다'],
  emptyText: [
    'A preview shows what would change, and changes nothing.',
    '미리 보기는 변경될 내용을 보여 주며 아무것도 변경하지 않습니다.',
  ],
  toSource: ['Go to source and schedule', '소스 및 일정으로 이동'],
  trigger: ['How it started', '시작 방법'],
  anyResult: ['Every result', '모든 결과'],
  anyTrigger: ['Every start', '모든 시작'],
  noMatch: ['No run matches', '일치하는 실행이 없습니다'],
  who: ['Who started it', '시작한 사람'],
  anybody: ['Everybody', '모든 사람'],
  download: ['Download', '다운로드'],
  list: ['All runs', '모든 실행'],
});

const STATES = ['held', 'succeeded', 'failed', 'incomplete', 'abandoned', 'cancelled'] as const;

const NARROWED_BY = ['status', 'trigger', 'who', 'since', 'until'] as const;
const TRIGGERS = Object.keys(TRIGGER) as (keyof typeof TRIGGER)[];

/** What the list is narrowed to, kept in the address. */
function Filters() {
  const t = useT(WORDS);
  const status = useT(STATUS);
  const trigger = useT(TRIGGER);
  const filters = useT(FILTERS);
  const actors = useKnownActors();
  const nameOf = useActorName();
  const [search, change] = useSearchState();
  return (
    <Row>
      <FilterSelect
        label={t('filter')}
        value={search['status'] ?? ''}
        onChange={(next) => change({ status: next })}
        options={[['', t('anyResult')], ...STATES.map((name) => [name, status(name)] as const)]}
      />
      <FilterSelect
        label={t('trigger')}
        value={search['trigger'] ?? ''}
        onChange={(next) => change({ trigger: next })}
        options={[['', t('anyTrigger')], ...TRIGGERS.map((name) => [name, trigger(name)] as const)]}
      />
      <FilterSelect
        label={t('who')}
        value={search['who'] ?? ''}
        onChange={(who) => change({ who })}
        options={[['', t('anybody')], ...actors.map((actor) => [actor, nameOf(actor)] as const)]}
      />
      <FilterDay label={filters('since')} value={search['since'] ?? ''} onChange={(since) => change({ since })} />
      <FilterDay label={filters('until')} value={search['until'] ?? ''} onChange={(until) => change({ until })} />
    </Row>
  );
}

export function RunsPage() {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const [search, change] = useSearchState();
  const query = {
    status: search['status'],
    trigger: search['trigger'],
    requestedBy: search['who'],
    ...betweenDays(search),
  };
  const runs = useList('GET /sync-runs', { query: query as never });
  const overview = useOverview();
  const actors = useGet('GET /actors');
  const filtered = NARROWED_BY.some((name) => search[name] !== undefined);
  const changes = useList('GET /settings-changes', { enabled: !filtered });
  const placed = placeChanges(runs.items, filtered ? [] : withinOf(changes.items, runs));
  return (
    <Page
      title={t('title')}
      lead={t('lead')}
      actions={
        <a className={buttonClass()} href={urlOf('GET /sync-runs', {}, { ...query, format: 'csv' } as never)} download>
          <Download size={16} aria-hidden />
          {t('download')}
        </a>
      }
    >
      <Together of={[overview, actors]} lines={8}>
        <RunDays days={overview.data?.days ?? []} />
        <Card title={t('list')} flush actions={<Filters />}>
          {runs.error !== null && runs.items.length === 0 ? (
            <Failure error={runs.error} onRetry={() => void runs.refetch()} />
          ) : runs.isPending ? (
            <Skeleton />
          ) : runs.items.length === 0 ? (
            filtered ? (
              <Empty
                icon={<History size={26} />}
                title={t('noMatch')}
                action={
                  <Button onClick={() => change(Object.fromEntries(NARROWED_BY.map((name) => [name, undefined])))}>
                    {common('clear')}
                  </Button>
                }
              />
            ) : (
              <Empty
                icon={<History size={26} />}
                title={t('empty')}
                action={
                  <Link to="/inbound" className={buttonClass('primary')}>
                    {t('toSource')}
                  </Link>
                }
              >
                {t('emptyText')}
              </Empty>
            )
          ) : (
            <>
              {placed.since.length === 0 ? null : (
                <div className={css.since}>
                  <SettingsBetween changes={placed.since} />
                </div>
              )}
              <RunTable
                runs={runs.items}
                old={runs.isPlaceholderData}
                below={({ id }) => {
                  const own = placed.below.get(id);
                  return own === undefined ? undefined : <SettingsBetween changes={own} />;
                }}
              />
            </>
          )}
          <More list={runs} />
        </Card>
      </Together>
    </Page>
  );
}

/** Those that fall between runs that are shown: what is older comes with the next page of runs. */
function withinOf(
  changes: readonly SettingsChange[],
  { items, hasNextPage }: { readonly items: readonly Run[]; readonly hasNextPage: boolean },
): readonly SettingsChange[] {
  const oldest = items.at(-1);
  if (!hasNextPage || oldest === undefined) return changes;
  return changes.filter(({ at }) => at > (oldest.startedAt ?? oldest.createdAt));
}
