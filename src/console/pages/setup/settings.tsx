import { useNavigate, useParams } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { call } from '../../api/client.ts';
import { useCall, useGet } from '../../api/queries.ts';
import { useT } from '../../app/i18n.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { PROVIDERS } from '../../app/words.ts';
import { Banner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Card, Page, Stack } from '../../ui/layout.tsx';
import { Loaded, Refusal } from '../../ui/loaded.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { toast } from '../../ui/toast.tsx';
import { CsvPage } from './csv.tsx';
import { GenericSettings } from './generic.tsx';
import { MappingSection } from './mapping.tsx';
import { fieldErrors, fromM365, type Json, type Kind, type M365, toM365 } from './model.ts';
import css from './setup.module.css';
import { SECTIONS, type Step } from './setup.tsx';
import { WORDS } from './words.ts';

const TABS = ['connect', 'scope', 'filters', 'accounts', 'mapping'] as const satisfies readonly (Step | 'mapping')[];

export function ProviderSettingsPage() {
  const { provider = 'microsoft365' } = useParams({ strict: false }) as { provider?: Kind };
  const saved = useGet('GET /providers/{kind}', { path: { kind: provider } });
  if (provider === 'csv') return <CsvPage />;
  if (provider !== 'microsoft365') return <GenericSettings kind={provider} />;
  return <Loaded query={saved}>{(data) => <Form saved={data as Json} />}</Loaded>;
}

function Form({ saved }: { readonly saved: Json }) {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const navigate = useNavigate();
  const needs = useNeeds('admin');
  const kind = 'microsoft365';
  const [search, setSearch] = useSearchState();
  const [base, setBase] = useState(saved);
  const [value, setValue] = useState<M365>(() => toM365(saved));
  const save = useCall('PUT /providers/{kind}');
  const providers = useGet('GET /providers');
  const active = providers.data?.items.find((card) => card.kind === kind)?.active === true;
  const tab = TABS.find((name) => name === search['tab']) ?? 'connect';
  const changed = JSON.stringify(fromM365(value)) !== JSON.stringify(fromM365(toM365(base)));
  const others = Number(saved['configVersion']) > Number(base['configVersion']);
  useLeaveWarning(changed);

  function take(next: Json): void {
    setBase(next);
    setValue(toM365(next));
  }

  function store(then: () => void): void {
    save.mutate(
      { path: { kind }, body: fromM365(value) as never, ifMatch: String(base['configVersion']) },
      {
        onSuccess: (answer) => {
          take(answer as Json);
          toast(t('saved'));
          then();
        },
      },
    );
  }

  const preview = (): void =>
    store(() => {
      call('POST /sync-runs', { body: { preview: true } }).then(
        (run) => void navigate({ to: '/runs/$id', params: { id: run.id } } as never),
        (error: Error) => toast(error.message, { tone: 'red' }),
      );
    });

  const Section = tab === 'mapping' ? MappingSection : SECTIONS[tab];
  return (
    <Page
      title={t('settingsTitle', { name: names(kind) })}
      lead={t('settingsLead', { n: String(base['configVersion'] ?? 1) })}
    >
      {others ? (
        <Banner
          tone="amber"
          title={t('lockTitle', { n: String(saved['configVersion']) })}
          actions={
            <>
              <Button onClick={() => take(saved)}>{t('loadTheirs')}</Button>
              <Button onClick={() => setBase(saved)}>{t('keepMine')}</Button>
            </>
          }
        >
          {t('lockText')}
        </Banner>
      ) : null}
      <Tabs
        label={t('steps')}
        value={tab}
        onChange={(name) => setSearch({ tab: name })}
        tabs={TABS.map((name) => ({ name, label: t(name) }))}
      >
        <Card>
          <Stack>
            <Refusal error={save.error} />
            {Section === undefined ? null : (
              <Section
                value={value}
                onChange={setValue}
                errors={fieldErrors(save.error)}
                secretsSet={(base['secretsSet'] as string[] | undefined) ?? []}
              />
            )}
          </Stack>
        </Card>
      </Tabs>
      {changed ? (
        <div className={css.bar}>
          <span>{t('unsaved')}</span>
          <Button onClick={() => setValue(toM365(base))}>{t('revert')}</Button>
          <Button
            off={needs}
            busy={save.isPending}
            look={active ? undefined : 'primary'}
            onClick={() => store(() => undefined)}
          >
            {t('save')}
          </Button>
          {active ? (
            <Button look="primary" off={needs} busy={save.isPending} onClick={preview}>
              {t('savePreview')}
            </Button>
          ) : null}
        </div>
      ) : null}
    </Page>
  );
}

/** Leaving with changes asks first. */
function useLeaveWarning(changed: boolean): void {
  useEffect(() => {
    if (!changed) return;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [changed]);
}
