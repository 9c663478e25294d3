import { Link } from '@tanstack/react-router';
import { History as Icon } from 'lucide-react';
import { useList } from '../../api/queries.ts';
import type { HistoryEntry } from '../../api/types.ts';
import { useActorName } from '../../app/actors.ts';
import { dateTime } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { Empty, Skeleton } from '../../ui/banner.tsx';
import { Card } from '../../ui/layout.tsx';
import { Failure } from '../../ui/loaded.tsx';
import { More, Table } from '../../ui/table.tsx';
import type { Noun } from './people.tsx';
import { WORDS } from './words.ts';

const TONES: Readonly<Record<HistoryEntry['operation'], Tone>> = {
  create: 'green',
  update: 'violet',
  deactivate: 'amber',
  delete: 'red',
  membership: 'blue',
};

/** What happened to one, newest first. */
export function History({ noun, id }: { readonly noun: Noun; readonly id: string }) {
  const t = useT(WORDS);
  const language = useLanguage();
  const actor = useActorName();
  const users = useList('GET /users/{id}/history', { path: { id }, enabled: noun === 'users' });
  const groups = useList('GET /groups/{id}/history', { path: { id }, enabled: noun === 'groups' });
  const list = noun === 'users' ? users : groups;
  if (list.isPending) return <Skeleton />;
  if (list.error !== null && list.items.length === 0)
    return <Failure error={list.error} onRetry={() => void list.refetch()} />;
  return (
    <Card flush>
      {list.items.length === 0 ? (
        <Empty icon={<Icon size={26} />} title={t('noHistory')} />
      ) : (
        <Table
          first
          label={t('history')}
          items={list.items}
          keyOf={(entry) => entry.id}
          columns={[
            { name: t('when'), cell: (entry) => dateTime(entry.at, language) },
            { name: t('what'), cell: (entry) => <Badge tone={TONES[entry.operation]}>{t(entry.operation)}</Badge> },
            { name: t('fields'), cell: detailOf },
            { name: t('who'), cell: (entry) => actor(entry.actor) },
            {
              name: t('run'),
              end: true,
              cell: (entry) =>
                entry.runId === null ? (
                  '–'
                ) : (
                  <Link to="/runs/$id" params={{ id: entry.runId }}>
                    {t('run')}
                  </Link>
                ),
            },
          ]}
        />
      )}
      <More list={list} />
    </Card>
  );
}

function detailOf({ detail }: HistoryEntry): string {
  const { attributes, added, removed } = (detail ?? {}) as {
    attributes?: readonly string[];
    added?: number;
    removed?: number;
  };
  if (attributes !== undefined) return attributes.map((path) => path.replace(/^urn:.*:User[:.]/, '')).join(', ');
  return added === undefined && removed === undefined ? '–' : `+${added ?? 0} −${removed ?? 0}`;
}
