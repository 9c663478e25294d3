import { ChevronDown, ChevronUp, GitCompare } from 'lucide-react';
import { useCallback, useState } from 'react';
import { type ItemOf, useList } from '../../api/queries.ts';
import type { Run } from '../../api/types.ts';
import { initials } from '../../app/format.ts';
import { useT } from '../../app/i18n.ts';
import { useReason } from '../../app/reasons.ts';
import { actOf, CHANGE_TONE, isOpen } from '../../app/run-facts.ts';
import { useSearchState } from '../../app/search-state.ts';
import { CHANGES, COMMON } from '../../app/words.ts';
import { Badge, Who } from '../../ui/badge.tsx';
import { Empty } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { SearchField } from '../../ui/field.tsx';
import { Card } from '../../ui/layout.tsx';
import { Listed } from '../../ui/listed.tsx';
import { Table } from '../../ui/table.tsx';
import { FieldChanges } from './field-changes.tsx';
import { useDetail, useLinkWords } from './item-words.ts';
import { WORDS } from './words.ts';

export type Item = ItemOf<'GET /sync-runs/{id}/changes'>;

/** Every object that the plan is about, with its reason; what changes in it unfolds. */
export function Changes({ run }: { readonly run: Run }) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const [search, set] = useSearchState();
  const list = useList('GET /sync-runs/{id}/changes', {
    path: { id: run.id },
    query: { ...actionIn(search['action']), reason: search['reason'], search: search['find'] } as never,
    enabled: run.planId !== null,
  });
  const find = useCallback((text: string) => set({ find: text }), [set]);
  const filtered = search['action'] !== undefined || search['find'] !== undefined || search['reason'] !== undefined;
  const waits = run.status === 'held' || isOpen(run);
  return (
    <Card
      title={waits ? t('planned') : t('done')}
      flush
      actions={<SearchField label={t('find')} value={search['find'] ?? ''} onChange={find} />}
    >
      <Listed
        list={list}
        empty={
          <Empty
            icon={<GitCompare size={26} />}
            title={filtered ? t('noMatch') : t('noChange')}
            action={
              filtered ? (
                <Button onClick={() => set({ action: undefined, find: undefined, reason: undefined })}>
                  {common('clear')}
                </Button>
              ) : undefined
            }
          >
            {filtered ? undefined : t('noChangeText')}
          </Empty>
        }
      >
        <ChangeTable items={list.items} old={list.isPlaceholderData} />
      </Listed>
    </Card>
  );
}

/** Links are updates by the API, and stand apart here. */
function actionIn(action: string | undefined) {
  if (action === 'link') return { action: 'update', links: true };
  return action === 'update' ? { action, links: false } : { action };
}

function ChangeTable({ items, old }: { readonly items: readonly Item[]; readonly old: boolean }) {
  const t = useT(WORDS);
  const change = useT(CHANGES);
  const [open, setOpen] = useState<number | undefined>(undefined);
  return (
    <Table
      label={t('planned')}
      items={items}
      keyOf={({ seq }) => String(seq)}
      old={old}
      detail={(item) => (open === item.seq ? <FieldChanges item={item} /> : undefined)}
      columns={[
        {
          name: t('who'),
          cell: (item) => <Who mark={initials(nameOf(item) || '?')} name={nameOf(item)} note={noteOf(item)} />,
        },
        {
          name: t('change'),
          cell: (item) => <Badge tone={CHANGE_TONE[actOf(item)]}>{change(actOf(item))}</Badge>,
        },
        { name: t('reason'), cell: (item) => <ReasonCell item={item} /> },
        { name: t('outcome'), cell: (item) => <OutcomeCell item={item} /> },
        {
          name: '',
          end: true,
          cell: (item) =>
            item.action === 'skip' ? null : (
              <Button
                look="quiet"
                small
                aria-expanded={open === item.seq}
                aria-label={open === item.seq ? t('hideFields') : t('showFields')}
                icon={open === item.seq ? <ChevronUp size={16} /> : <ChevronDown size={16} />}
                onClick={() => setOpen(open === item.seq ? undefined : item.seq)}
              />
            ),
        },
      ]}
    />
  );
}

interface Named {
  readonly displayName?: string;
  readonly userName?: string;
}

function nameOf(item: Item): string {
  const shown = (item.after ?? item.before ?? {}) as Named;
  return shown.displayName ?? item.label ?? item.externalId ?? '';
}

/** What tells it from others, and by which groups it is affiliated. */
function noteOf(item: Item): string {
  const shown = (item.after ?? item.before ?? {}) as Named;
  const own = shown.userName ?? (item.label !== nameOf(item) ? item.label : null);
  return [own, item.affiliationPath].filter(Boolean).join(' · ');
}

function ReasonCell({ item }: { readonly item: Item }) {
  const t = useT(WORDS);
  const sayReason = useReason();
  const link = useLinkWords(item);
  const detail = useDetail()(item);
  const notes = [
    ...(item.action === 'membership' ? [t('members', { added: item.added, removed: item.removed })] : []),
    ...(link === undefined ? [] : [link]),
    ...(detail === undefined ? [] : [detail]),
  ];
  return (
    <>
      {sayReason(item.reason, item.sentence)}
      {notes.map((note) => (
        <small key={note} style={{ display: 'block', color: 'var(--muted)' }}>
          {note}
        </small>
      ))}
    </>
  );
}

const OUTCOME_TONE = { applied: 'green', held: 'amber', conflict: 'red', stale: 'amber' } as const;

function OutcomeCell({ item }: { readonly item: Item }) {
  const t = useT(WORDS);
  const sayReason = useReason();
  return (
    <>
      <Badge tone={OUTCOME_TONE[item.outcome as keyof typeof OUTCOME_TONE] ?? 'grey'}>{t(item.outcome)}</Badge>
      {item.error === null || item.errorSentence === null ? null : (
        <small style={{ display: 'block', color: 'var(--red-text)' }}>
          {sayReason(item.error, item.errorSentence)}
        </small>
      )}
    </>
  );
}
