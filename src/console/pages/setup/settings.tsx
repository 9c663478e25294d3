import { Navigate, useNavigate, useParams } from '@tanstack/react-router';
import { lazy, Suspense, use, useRef, useState } from 'react';
import { ApiError, call } from '../../api/client.ts';
import { useCall, useGet } from '../../api/queries.ts';
import { useT } from '../../app/i18n.ts';
import { useLeaveWarning } from '../../app/leave-warning.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { PROVIDERS } from '../../app/words.ts';
import { Banner, Empty, Skeleton } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Card, Page, Stack } from '../../ui/layout.tsx';
import { Loaded, Refusal } from '../../ui/loaded.tsx';
import { SaveBar } from '../../ui/save-bar.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { toast } from '../../ui/toast.tsx';
import { type Forms, titleOf } from './forms.ts';
import { ImpactDialog, impactOf } from './impact.tsx';
import { formsOf, isKind } from './kinds.ts';
import { fieldErrors, type Json, type Kind } from './model.ts';
import { Versions } from './versions.tsx';
import { WORDS } from './words.ts';

const ScheduleTab = lazy(() =>
  import('./schedule-tab.tsx').then(({ ScheduleTab: component }) => ({ default: component })),
);

export function ProviderSettingsPage() {
  const { provider = 'microsoft365' } = useParams({ strict: false }) as { provider?: string };
  const t = useT(WORDS);
  return isKind(provider) ? <Settings provider={provider} /> : <Empty whole title={t('noKind')} />;
}

function Settings({ provider }: { readonly provider: Kind }) {
  const saved = useGet('GET /providers/{kind}', { path: { kind: provider } });
  // Nothing is saved of it yet: the set-up is where it begins.
  if (saved.error instanceof ApiError && saved.error.status === 404)
    return <Navigate to="/inbound/$provider/setup" params={{ provider } as never} replace />;
  return (
    <Suspense fallback={<Skeleton />}>
      <Loaded query={saved}>
        {(data) => <Form key={provider} loading={formsOf(provider)} saved={data as Json} />}
      </Loaded>
    </Suspense>
  );
}

function Form({ loading, saved }: { readonly loading: Promise<Forms<object>>; readonly saved: Json }) {
  const forms = use(loading);
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const navigate = useNavigate();
  const needs = useNeeds('admin');
  const { kind } = forms;
  const [search, setSearch] = useSearchState();
  const [base, setBase] = useState(saved);
  const [value, setValue] = useState(() => forms.read(saved));
  const save = useCall('PUT /providers/{kind}');
  const providers = useGet('GET /providers');
  const active = providers.data?.items.find((card) => card.kind === kind)?.active === true;
  const tabs = [...forms.sections.map(({ name }) => name), 'schedule', 'versions'] as const;
  const tab = tabs.find((name) => name === search['tab']) ?? 'connect';
  const changed = JSON.stringify(forms.body(value)) !== JSON.stringify(forms.body(forms.read(base)));
  const impact = impactOf(save.error);
  const then = useRef<() => void>(() => undefined);
  const others = Number(saved['configVersion']) > Number(base['configVersion']);
  // Another tab of the same settings keeps what was entered.
  useLeaveWarning(changed, () => true);

  function take(next: Json): void {
    setBase(next);
    setValue(forms.read(next));
  }

  function store(confirmImpact?: string): void {
    save.mutate(
      {
        path: { kind },
        body: forms.body(value) as never,
        query: { confirmImpact },
        ifMatch: String(base['configVersion']),
      },
      {
        onSuccess: (answer) => {
          take(answer as Json);
          toast(t('saved'));
          then.current();
        },
      },
    );
  }

  function begin(after: () => void): void {
    then.current = after;
    store();
  }

  const preview = (): void =>
    begin(() => {
      call('POST /sync-runs', { body: { preview: true } }).then(
        (run) => void navigate({ to: '/runs/$id', params: { id: run.id } } as never),
        (error: Error) => toast(error.message, { tone: 'red' }),
      );
    });

  const shown = forms.sections.find(({ name }) => name === tab);
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
        tabs={tabs.map((name) => ({ name, label: t(titleOf(name, forms)) }))}
      >
        {tab === 'schedule' ? (
          <Suspense fallback={<Skeleton />}>
            <ScheduleTab pushed={forms.pushed === true} />
          </Suspense>
        ) : shown === undefined ? (
          <Versions kind={kind} onTake={(settings) => setValue(forms.read({ ...saved, ...settings }))} />
        ) : (
          <Card>
            <Stack>
              {impact === undefined ? <Refusal error={save.error} /> : null}
              <shown.Show
                kind={kind}
                value={value}
                onChange={setValue}
                errors={fieldErrors(save.error)}
                secretsSet={(base['secretsSet'] as string[] | undefined) ?? []}
              />
            </Stack>
          </Card>
        )}
      </Tabs>
      {changed ? (
        <SaveBar text={t('unsaved')}>
          <Button onClick={() => setValue(forms.read(base))}>{t('revert')}</Button>
          <Button
            off={needs}
            busy={save.isPending}
            look={active && forms.pushed !== true ? undefined : 'primary'}
            onClick={() => begin(() => undefined)}
          >
            {t('save')}
          </Button>
          {active && forms.pushed !== true ? (
            <Button look="primary" off={needs} busy={save.isPending} onClick={preview}>
              {t('savePreview')}
            </Button>
          ) : null}
        </SaveBar>
      ) : null}
      {impact === undefined ? null : (
        <ImpactDialog impact={impact} busy={save.isPending} onClose={save.reset} onConfirm={store} />
      )}
    </Page>
  );
}
