import { Link } from '@tanstack/react-router';
import { ListChecks } from 'lucide-react';
import { type ItemOf, useCall, useList } from '../../api/queries.ts';
import { dateTime, relative } from '../../app/format.ts';
import { useLanguage, useT, words } from '../../app/i18n.ts';
import { useSumWords } from '../../app/plan-sums.ts';
import { RunErrorText } from '../../app/run-error.tsx';
import { doneSums } from '../../app/run-facts.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { COMMON, STATUS } from '../../app/words.ts';
import { Lines } from '../../ui/apart.tsx';
import { Empty, Skeleton } from '../../ui/banner.tsx';
import { Progress } from '../../ui/bars.tsx';
import { Button } from '../../ui/button.tsx';
import { Chips } from '../../ui/field.tsx';
import { Card, Page } from '../../ui/layout.tsx';
import { Failure } from '../../ui/loaded.tsx';
import { RunStatus } from '../../ui/run-status.tsx';
import { More, Table } from '../../ui/table.tsx';

const WORDS = words({
  title: ['Tasks', '작업'],
  lead: [
    'All background work: what goes on, how far it is, and what it came to.',
    '모든 백그라운드 작업의 진행 상황과 결과입니다.',
  ],
  list: ['Tasks', '작업'],
  task: ['Task', '작업'],
  directory: ['Users, groups and memberships', '사용자, 그룹 및 구성원'],
  state: ['State', '상태'],
  progress: ['Progress', '진행률'],
  started: ['Started', '시작'],
  end: ['Ends', '종료'],
  result: ['Changed', '변경'],
  reading: ['Reading', '읽는 중'],
  planning: ['Comparing', '비교 중'],
  applying: ['Applying', '적용 중'],
  subscription: ['Subscription to change notices', '변경 알림 구독'],
  users: ['Users', '사용자'],
  groups: ['Groups', '그룹'],
  connection: ['Look at the source', '소스 확인'],
  permissions: ['Permissions', '권한'],
  stop: ['Stop', '중지'],
  empty: ['No task has run yet', '아직 실행된 작업이 없습니다'],
  emptyText: [
    'Once a source is set up, its work appears here by itself.',
    '소스를 설정하면 작업이 여기에 자동으로 표시됩니다.',
  ],
  noMatch: ['No task matches', '일치하는 작업이 없습니다'],
});

type Task = ItemOf<'GET /tasks'>;
const FILTERS = ['running', 'held', 'succeeded', 'failed'] as const;

export function TasksPage() {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const status = useT(STATUS);
  const language = useLanguage();
  const [search, change] = useSearchState();
  const tasks = useList('GET /tasks', { query: { state: search['state'] } as never });
  return (
    <Page title={t('title')} lead={t('lead')}>
      <Card
        title={t('list')}
        flush
        actions={
          <Chips
            label={t('state')}
            value={search['state'] ?? ''}
            onChange={(state) => change({ state })}
            options={[['', common('all')], ...FILTERS.map((name) => [name, status(name)] as const)]}
          />
        }
      >
        {tasks.error !== null && tasks.items.length === 0 ? (
          <Failure error={tasks.error} onRetry={() => void tasks.refetch()} />
        ) : tasks.isPending ? (
          <Skeleton />
        ) : tasks.items.length === 0 ? (
          <Empty
            icon={<ListChecks size={26} />}
            title={t(search['state'] === undefined ? 'empty' : 'noMatch')}
            action={
              search['state'] === undefined ? undefined : (
                <Button onClick={() => change({ state: undefined })}>{common('clear')}</Button>
              )
            }
          >
            {search['state'] === undefined ? t('emptyText') : undefined}
          </Empty>
        ) : (
          <Table
            label={t('list')}
            items={tasks.items}
            keyOf={({ id }) => id}
            columns={[
              {
                name: t('task'),
                cell: (task) => <TaskName task={task} />,
              },
              {
                name: t('state'),
                cell: (task) => <RunStatus run={{ status: task.state as never, preview: false, steps: [] }} />,
              },
              { name: t('progress'), nothing: isStill, cell: (task) => <TaskProgress task={task} /> },
              {
                name: t('started'),
                cell: (task) => (task.startedAt === null ? '–' : dateTime(task.startedAt, language)),
              },
              { name: t('end'), cell: (task) => endOf(task, language) },
              { name: t('result'), end: true, cell: (task) => <Changed task={task} /> },
              { name: '', end: true, cell: (task) => <StopTask task={task} /> },
            ]}
          />
        )}
        <More list={tasks} />
      </Card>
    </Page>
  );
}

/** Nothing moves: its state says all. */
function isStill({ state }: Task): boolean {
  return state !== 'running' && state !== 'failed';
}

/** How far what is under way is; of what failed, where. */
function TaskProgress({ task }: { readonly task: Task }) {
  const t = useT(WORDS);
  const step = task.step === null ? '–' : t(task.step as 'reading');
  if (isStill(task)) return '–';
  if (task.state === 'failed') return step;
  return (
    <div>
      <Progress label={t('progress')} percent={task.percent ?? undefined} />
      <small style={{ color: 'var(--muted)' }}>{task.percent === null ? step : `${step} · ${task.percent}%`}</small>
    </div>
  );
}

/** A sync leads to its run; what is no run says how it went. */
function TaskName({ task }: { readonly task: Task }) {
  const t = useT(WORDS);
  return (
    <div>
      {task.runId === null ? (
        t(task.type)
      ) : (
        <Link to="/runs/$id" params={{ id: task.runId }}>
          {t(task.type)}
        </Link>
      )}
      {task.error === null ? null : (
        <small style={{ display: 'block', color: 'var(--red-text)', maxWidth: '60ch' }}>
          <RunErrorText error={task.error} />
        </small>
      )}
    </div>
  );
}

/** Users, groups and memberships, each by their own number. */
function Changed({ task: { countsByType } }: { readonly task: Task }) {
  const { about } = useSumWords();
  if (countsByType === null) return '–';
  return <Lines of={about(doneSums(countsByType))} />;
}

function StopTask({ task }: { readonly task: Task }) {
  const t = useT(WORDS);
  const needs = useNeeds('operator');
  const cancel = useCall('POST /sync-runs/{id}/cancel');
  const { runId } = task;
  if (runId === null || (task.state !== 'running' && task.state !== 'queued')) return null;
  return (
    <Button small off={needs} busy={cancel.isPending} onClick={() => cancel.mutate({ path: { id: runId } })}>
      {t('stop')}
    </Button>
  );
}

function endOf(task: Task, language: 'en' | 'ko'): string {
  if (task.finishedAt !== null) return dateTime(task.finishedAt, language);
  return task.estimatedEndAt === null ? '–' : relative(task.estimatedEndAt, language);
}
