import { ChevronDown, ChevronUp, Eye, FlaskConical, Play, Users } from 'lucide-react';
import { useState } from 'react';
import { useAsk, useCall, useList } from '../../api/queries.ts';
import type { App, Provisioned } from '../../api/types.ts';
import { count, initials } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useNeeds } from '../../app/session.tsx';
import { Badge, Tallies, type Tone, Who } from '../../ui/badge.tsx';
import { Banner, Empty } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Exchanges } from '../../ui/exchanges.tsx';
import { FilterSelect, SearchField } from '../../ui/field.tsx';
import { Card, Row, Stack } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { type ShownStep, Steps } from '../../ui/steps.tsx';
import { Table } from '../../ui/table.tsx';
import { ACTIONS } from '../deliveries/words.ts';
import { TestConnection } from './connection.tsx';
import { WORDS } from './words.ts';

const ACTION_TONE: Readonly<Record<string, Tone>> = {
  ...{ created: 'green', adopted: 'blue', updated: 'violet', deactivated: 'amber', deleted: 'red', failed: 'red' },
};

/** The connection, a dry run over some, and one object now. */
export function TryView({ app }: { readonly app: App }) {
  const t = useT(WORDS);
  return (
    <>
      <DryRun app={app} />
      <OneNow app={app} />
      <Card title={t('test')}>
        <TestConnection app={app} />
      </Card>
    </>
  );
}

function DryRun({ app }: { readonly app: App }) {
  const t = useT(WORDS);
  const action = useT(ACTIONS);
  const language = useLanguage();
  const needs = useNeeds('operator');
  const run = useAsk('POST /apps/{id}/push/dry-run');
  const [limit, setLimit] = useState('50');
  const [open, setOpen] = useState<string | undefined>(undefined);
  const items = run.data?.items ?? [];
  const nameOf = (of: string): string => (of in ACTIONS ? action(of as keyof typeof ACTIONS) : of);
  return (
    <Card
      title={t('dryTitle')}
      flush
      actions={
        <>
          <FilterSelect
            label={t('dryCount')}
            value={limit}
            onChange={setLimit}
            options={['10', '50', '200'].map((n) => [n, n] as const)}
          />
          <Button
            look={run.data === undefined ? 'primary' : undefined}
            icon={<FlaskConical size={16} />}
            off={needs}
            busy={run.isPending}
            onClick={() => run.mutate({ path: { id: app.id }, body: { limit: Number(limit) } })}
          >
            {t('dryDo')}
          </Button>
        </>
      }
    >
      <div style={{ padding: '0 20px 16px' }}>
        <Stack>
          <p style={{ color: 'var(--muted)' }}>{t('dryLead', { n: Number(limit) })}</p>
          <Refusal error={run.error} />
          {items.length === 0 ? null : (
            <Tallies
              items={Object.entries(run.data?.counts ?? {}).map(([name, n]) => ({
                name: nameOf(name),
                value: count(n, language),
                tone: ACTION_TONE[name] ?? 'grey',
              }))}
            />
          )}
        </Stack>
      </div>
      {run.data === undefined ? null : items.length === 0 ? (
        <Empty icon={<Users size={26} />} title={t('dryEmpty')}>
          {t('dryEmptyText')}
        </Empty>
      ) : (
        <Table
          label={t('dryTitle')}
          items={items}
          keyOf={({ resourceId }) => resourceId}
          detail={(item) => (open === item.resourceId ? <Outcome result={item} /> : undefined)}
          columns={[
            { name: t('who'), cell: (item) => <Who mark={initials(labelOf(item))} name={labelOf(item)} /> },
            {
              name: t('action'),
              cell: (item) => (
                <Badge tone={item.ok ? (ACTION_TONE[item.action] ?? 'grey') : 'red'}>
                  {nameOf(item.ok ? item.action : 'failed')}
                </Badge>
              ),
            },
            {
              name: t('requests'),
              cell: ({ requests }) => count(requests.filter(({ method }) => method !== 'GET').length, language),
            },
            {
              name: '',
              end: true,
              cell: ({ resourceId }) => (
                <Button
                  look="quiet"
                  small
                  aria-expanded={open === resourceId}
                  aria-label={t(open === resourceId ? 'hide' : 'show')}
                  icon={open === resourceId ? <ChevronUp size={16} /> : <ChevronDown size={16} />}
                  onClick={() => setOpen(open === resourceId ? undefined : resourceId)}
                />
              ),
            },
          ]}
        />
      )}
    </Card>
  );
}

/** What it would be called there. */
function labelOf({ after, before, resourceId }: Provisioned): string {
  const shown = (after ?? before ?? {}) as { displayName?: string; userName?: string };
  return shown.displayName ?? shown.userName ?? resourceId;
}

interface Subject {
  readonly id: string;
  readonly name: string;
}

function OneNow({ app }: { readonly app: App }) {
  const t = useT(WORDS);
  const needs = useNeeds('operator');
  const provision = useCall('POST /apps/{id}/push/provision');
  const [subject, setSubject] = useState<Subject | undefined>(undefined);
  const off = subject === undefined ? t('pickFirst') : needs;
  const go = (dryRun: boolean): void =>
    provision.mutate({ path: { id: app.id }, body: { resourceId: subject?.id ?? '', dryRun } });
  const result = provision.data;
  const name = subject?.name ?? '';
  return (
    <Card title={t('oneTitle')}>
      <Stack>
        <p style={{ color: 'var(--muted)' }}>{t('oneLead')}</p>
        <SubjectField value={subject} onChange={setSubject} />
        <Row>
          <Button icon={<Eye size={16} />} off={off} busy={provision.isPending} onClick={() => go(true)}>
            {t('oneDry')}
          </Button>
          <Button
            look="primary"
            icon={<Play size={16} />}
            off={off}
            busy={provision.isPending}
            onClick={() => go(false)}
          >
            {t('oneDo')}
          </Button>
        </Row>
        <Refusal error={provision.error} />
        {result === undefined ? null : (
          <>
            <Banner
              tone={result.ok ? (result.dryRun ? 'blue' : 'green') : 'red'}
              title={t(result.ok ? (result.dryRun ? 'oneWould' : 'oneDone') : 'oneFailed', { name })}
            >
              {result.error?.['remedy'] as string | undefined}
            </Banner>
            <Outcome result={result} />
          </>
        )}
      </Stack>
    </Card>
  );
}

const SHOWN = 6;

function SubjectField({
  value,
  onChange,
}: {
  readonly value: Subject | undefined;
  readonly onChange: (next: Subject) => void;
}) {
  const t = useT(WORDS);
  const [text, setText] = useState('');
  const asks = text.length > 1;
  const users = useList('GET /users', { query: { search: text } as never, enabled: asks });
  const groups = useList('GET /groups', { query: { search: text } as never, enabled: asks });
  const hits: readonly Subject[] = asks
    ? [...users.items.slice(0, SHOWN), ...groups.items.slice(0, 3)].map((item) => ({
        id: item.id,
        name: item.displayName ?? item.userName ?? item.id,
      }))
    : [];
  return (
    <Stack>
      <SearchField label={t('find')} value={text} onChange={setText} />
      {hits.length === 0 ? null : (
        <Row>
          {hits.map((hit) => (
            <Button
              key={hit.id}
              small
              onClick={() => {
                onChange(hit);
                setText('');
              }}
            >
              {hit.name}
            </Button>
          ))}
        </Row>
      )}
      {value === undefined ? null : <b>{t('chosen', { name: value.name })}</b>}
    </Stack>
  );
}

const STEPS = ['connect', 'import', 'scope', 'match', 'action'] as const;

/** The five steps, also those that were not needed, and the requests that belong to them. */
function Outcome({ result }: { readonly result: Provisioned }) {
  const t = useT(WORDS);
  const steps = STEPS.flatMap((step): readonly ShownStep[] => {
    const name = t(`step:${step}`);
    const taken = result.steps.filter((one) => one.step === step);
    if (taken.length === 0) return [{ name, ok: undefined, detail: t('notNeeded') }];
    return taken.map(({ ok, detail }) => ({ name, ok, detail }));
  });
  return (
    <Stack>
      <Steps items={steps} />
      <h3>{t('requests')}</h3>
      {result.requests.length === 0 ? (
        <p>{t('noRequest')}</p>
      ) : (
        <Exchanges items={result.requests} dry={result.dryRun} />
      )}
    </Stack>
  );
}
