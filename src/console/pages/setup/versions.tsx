import { History } from 'lucide-react';
import { call } from '../../api/client.ts';
import { useList } from '../../api/queries.ts';
import { useActorName } from '../../app/actors.ts';
import { dateTime } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useNeeds } from '../../app/session.tsx';
import { Badge } from '../../ui/badge.tsx';
import { Empty, Skeleton } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { FieldDifferences } from '../../ui/field-differences.tsx';
import { Card } from '../../ui/layout.tsx';
import { Failure } from '../../ui/loaded.tsx';
import { More, Table } from '../../ui/table.tsx';
import { toast } from '../../ui/toast.tsx';
import { fieldWords } from './field-words.ts';
import type { Json, Kind } from './model.ts';
import { WORDS } from './words.ts';

/** Every version that was saved: who, when, what differs; and the way back, into the form first. */
export function Versions({ kind, onTake }: { readonly kind: Kind; readonly onTake: (settings: Json) => void }) {
  const t = useT(WORDS);
  const language = useLanguage();
  const nameOf = useActorName();
  const needs = useNeeds('admin');
  const list = useList('GET /settings-changes', { query: { provider: kind, versionsOnly: true } });
  const current = list.items[0]?.configVersion;

  async function take(version: number): Promise<void> {
    const { settings } = await call('GET /providers/{kind}/versions/{version}', {
      path: { kind, version: String(version) },
    });
    onTake(settings as Json);
    toast(t('taken', { n: String(version) }));
  }

  return (
    <Card flush>
      {list.error !== null && list.items.length === 0 ? (
        <Failure error={list.error} onRetry={() => void list.refetch()} />
      ) : list.isPending ? (
        <Skeleton />
      ) : list.items.length === 0 ? (
        <Empty icon={<History size={26} />} title={t('noVersion')} />
      ) : (
        <Table
          first
          label={t('versions')}
          items={list.items}
          keyOf={({ id }) => id}
          columns={[
            { name: t('version'), named: true, cell: ({ configVersion }) => String(configVersion ?? '–') },
            { name: t('savedAt'), cell: ({ at }) => dateTime(at, language) },
            { name: t('savedBy'), cell: ({ actor }) => nameOf(actor) },
            {
              name: t('differs'),
              cell: ({ changes, secretsChanged, configVersion }) => (
                <FieldDifferences
                  changes={changes}
                  words={fieldWords(kind, language)}
                  none={configVersion === 1 ? t('firstVersion') : t(secretsChanged ? 'onlySecret' : 'notKnown')}
                />
              ),
            },
            {
              name: '',
              end: true,
              cell: ({ configVersion }) =>
                configVersion === current ? (
                  <Badge tone="green">{t('current')}</Badge>
                ) : configVersion === null ? null : (
                  <Button
                    small
                    off={needs}
                    onClick={() =>
                      void take(configVersion).catch((error: Error) => toast(error.message, { tone: 'red' }))
                    }
                  >
                    {t('goBack', { n: String(configVersion) })}
                  </Button>
                ),
            },
          ]}
        />
      )}
      <More list={list} />
    </Card>
  );
}
