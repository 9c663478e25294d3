import { Link } from '@tanstack/react-router';
import { CircleCheck, GitCompare } from 'lucide-react';
import { useCall, useGet } from '../../api/queries.ts';
import type { App, Reconciliation } from '../../api/types.ts';
import { count, dateTime } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useFailedRemedy, useFailedThere } from '../../app/korean.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { Banner, Empty } from '../../ui/banner.tsx';
import { Progress } from '../../ui/bars.tsx';
import { Button } from '../../ui/button.tsx';
import { Chips, FilterSelect } from '../../ui/field.tsx';
import { Card, Facts, Stack } from '../../ui/layout.tsx';
import { Loaded, Refusal } from '../../ui/loaded.tsx';
import { Table } from '../../ui/table.tsx';
import { toast } from '../../ui/toast.tsx';
import { ATTRIBUTES } from '../people/attribute-words.ts';
import { attributeName } from '../run/field-changes.tsx';
import { WORDS } from './words.ts';

const CLASSES = ['missing', 'changed', 'member-added', 'member-missing', 'duplicate', 'orphan', 'unmanaged'] as const;
type Class = (typeof CLASSES)[number];
const TONE: Readonly<Record<Class, Tone>> = {
  ...{ missing: 'red', changed: 'amber', 'member-added': 'violet', 'member-missing': 'violet', orphan: 'blue' },
  duplicate: 'amber',
  unmanaged: 'grey',
};

/** What the app has against what it should have; the newest comparison, or an earlier one. */
export function CompareView({ app }: { readonly app: App }) {
  const t = useT(WORDS);
  const language = useLanguage();
  const needs = useNeeds('operator');
  const [search, change] = useSearchState();
  const list = useGet('GET /apps/{id}/push/reconciliations', { path: { id: app.id } });
  const ask = useCall('POST /apps/{id}/push/reconcile');
  const items = list.data?.items ?? [];
  const chosen = items.find(({ id }) => id === search['report']) ?? items[0];
  const isRunning = items[0] !== undefined && items[0].finishedAt === null;
  return (
    <Card
      title={t('compare')}
      flush
      actions={
        <>
          {items.length < 2 ? null : (
            <FilterSelect
              label={t('earlier')}
              value={chosen?.id ?? ''}
              onChange={(report) => change({ report: report === items[0]?.id ? undefined : report })}
              options={items.map(({ id, startedAt }) => [id, dateTime(startedAt, language)] as const)}
            />
          )}
          <Button
            look="primary"
            icon={<GitCompare size={16} />}
            off={isRunning ? t('comparing') : needs}
            busy={ask.isPending}
            onClick={() => ask.mutate({ path: { id: app.id } }, { onSuccess: () => toast(t('compareAsked')) })}
          >
            {t('compareDo')}
          </Button>
        </>
      }
    >
      <div style={{ padding: '0 20px 16px' }}>
        <Stack>
          <p style={{ color: 'var(--muted)' }}>{t('compareLead')}</p>
          <Refusal error={ask.error} />
          {isRunning ? <Progress label={t('comparing')} percent={undefined} /> : null}
        </Stack>
      </div>
      <Loaded query={list}>
        {() =>
          chosen === undefined ? (
            <Empty icon={<GitCompare size={26} />} title={t('compareNone')}>
              {t('compareNoneText')}
            </Empty>
          ) : (
            <Report report={chosen} />
          )
        }
      </Loaded>
    </Card>
  );
}

function Report({ report }: { readonly report: Reconciliation }) {
  const t = useT(WORDS);
  const language = useLanguage();
  const [search, change] = useSearchState();
  const { counts, findings, error, finishedAt } = report;
  const sayCause = useFailedThere();
  const sayRemedy = useFailedRemedy();
  const failed = { code: '', message: '', remedy: null, ...error } as Parameters<typeof sayRemedy>[0];
  const found = CLASSES.filter((name) => (counts[name] ?? 0) > 0);
  const only = found.find((name) => name === search['class']);
  const shown = only === undefined ? findings : findings.filter((finding) => finding.class === only);
  const total = found.reduce((sum, name) => sum + (counts[name] ?? 0), 0);
  const seen = t('compareSeen', { users: counts['users'] ?? 0, groups: counts['groups'] ?? 0 });
  if (finishedAt === null) return null;
  return (
    <>
      {error === null ? null : (
        <div style={{ padding: '0 20px 16px' }}>
          <Banner tone="red" title={t('compareFailed')}>
            {sayCause(failed)} {sayRemedy(failed)}
          </Banner>
        </div>
      )}
      {total === 0 ? (
        error === null ? (
          <Empty icon={<CircleCheck size={26} />} title={t('compareSame')}>
            {t('compareSameText')} {seen}
          </Empty>
        ) : null
      ) : (
        <>
          <div style={{ borderTop: '1px solid var(--border)' }}>
            <Facts
              big
              items={found.map((name) => ({
                name: t(`class:${name}`),
                value: count(counts[name] ?? 0, language),
                note: t(`note:${name}`),
              }))}
            />
          </div>
          <div style={{ padding: '14px 20px', borderTop: '1px solid var(--border)' }}>
            <Stack>
              <Chips
                label={t('finding')}
                value={only ?? ''}
                onChange={(name) => change({ class: name })}
                options={[['', t('compareAll')], ...found.map((name) => [name, t(`class:${name}`)] as const)]}
              />
              <span style={{ color: 'var(--muted)' }}>
                {seen} {findings.length < total ? t('cut') : ''}
              </span>
            </Stack>
          </div>
          <Findings items={shown} />
        </>
      )}
    </>
  );
}

/** Which attributes, or which members; for the rest what their class means. */
function useWhat(): (finding: Reconciliation['findings'][number]) => string {
  const t = useT(WORDS);
  const names = useT(ATTRIBUTES);
  return ({ class: name, detail }) => {
    if (name === 'changed')
      return detail
        .split(', ')
        .map((path) => attributeName(path, names))
        .join(', ');
    return name === 'member-added' || name === 'member-missing' ? detail : t(`note:${name}`);
  };
}

function Findings({ items }: { readonly items: Reconciliation['findings'] }) {
  const t = useT(WORDS);
  const whatOf = useWhat();
  return (
    <Table
      label={t('compare')}
      items={items}
      keyOf={(finding) => `${finding.class} ${finding.remoteId} ${finding.detail}`}
      columns={[
        { name: t('finding'), cell: ({ class: name }) => <Badge tone={TONE[name]}>{t(`class:${name}`)}</Badge> },
        {
          name: t('who'),
          cell: ({ resourceId, resourceType, remoteId, display }) =>
            resourceId === null || display === null ? (
              <code>{remoteId}</code>
            ) : (
              <Link to={resourceType === 'Group' ? '/groups/$id' : '/users/$id'} params={{ id: resourceId }}>
                {display}
              </Link>
            ),
        },
        { name: t('detail'), cell: whatOf },
        {
          name: t('repair'),
          end: true,
          cell: ({ repair }) => <Badge tone={repair === 'queued' ? 'green' : 'grey'}>{t(repair)}</Badge>,
        },
      ]}
    />
  );
}
