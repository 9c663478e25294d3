import { Navigate, useNavigate, useParams } from '@tanstack/react-router';
import { lazy, Suspense, use, useEffect, useRef, useState } from 'react';
import { ApiError, call, callTagged, type Tagged } from '../../api/client.ts';
import { useDocument, useGet } from '../../api/queries.ts';
import { useDraft } from '../../app/conflict/draft.tsx';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useLeaveWarning } from '../../app/leave-warning.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { PROVIDERS } from '../../app/words.ts';
import { Empty, Skeleton } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import type { FieldWords } from '../../ui/field-differences.tsx';
import { Card, Page, Stack } from '../../ui/layout.tsx';
import { Loaded, Refusal } from '../../ui/loaded.tsx';
import { SaveBar } from '../../ui/save-bar.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { toast } from '../../ui/toast.tsx';
import { type Forms, type Section, type SectionProps, titleOf } from './forms.ts';
import { ImpactDialog, impactOf } from './impact.tsx';
import { formsOf, isKind } from './kinds.ts';
import { fieldErrors, type Json, type Kind } from './model.ts';
import { WORDS } from './words.ts';

const ScheduleTab = lazy(() =>
  import('./schedule-tab.tsx').then(({ ScheduleTab: component }) => ({ default: component })),
);

const Versions = lazy(() => import('./versions.tsx').then(({ Versions: component }) => ({ default: component })));

export function ProviderSettingsPage() {
  const { provider = 'microsoft365' } = useParams({ strict: false }) as { provider?: string };
  const t = useT(WORDS);
  return isKind(provider) ? <Settings provider={provider} /> : <Empty whole title={t('noKind')} />;
}

function Settings({ provider }: { readonly provider: Kind }) {
  const saved = useDocument('GET /providers/{kind}', { path: { kind: provider } });
  // Nothing is saved of it yet: the set-up is where it begins.
  if (saved.error instanceof ApiError && saved.error.status === 404)
    return <Navigate to="/inbound/$provider/setup" params={{ provider } as never} replace />;
  return (
    <Suspense fallback={<Skeleton />}>
      <Loaded query={saved}>
        {(data) => <Form key={provider} loading={formsOf(provider)} saved={data as Tagged<Json>} />}
      </Loaded>
    </Suspense>
  );
}

function Form({ loading, saved }: { readonly loading: Promise<Forms<object>>; readonly saved: Tagged<Json> }) {
  const forms = use(loading);
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const navigate = useNavigate();
  const needs = useNeeds('admin');
  const { kind } = forms;
  const [search, setSearch] = useSearchState();
  const confirmed = useRef<string | undefined>(undefined);
  const path = { kind };
  const draft = useDraft<Json, object>({
    saved,
    shape: (settings) => forms.read(settings),
    read: () => callTagged('GET /providers/{kind}', { path }) as Promise<Tagged<Json>>,
    write: (mine, { etag: ifMatch }) =>
      callTagged('PUT /providers/{kind}', {
        path,
        body: forms.body(mine) as never,
        query: { confirmImpact: confirmed.current },
        ifMatch,
      }) as Promise<Tagged<Json>>,
    topic: 'providers',
    ...useFieldWords(kind),
  });
  const { base, value, setValue, changed } = draft;
  const providers = useGet('GET /providers');
  const active = providers.data?.items.find((card) => card.kind === kind)?.active === true;
  const first = forms.sections.find(({ name }) => name === 'first');
  const own = forms.sections.filter((section) => section !== first);
  const tabs = [...own.map(({ name }) => name), 'schedule', 'versions'] as const;
  const tab = tabs.find((name) => name === search['tab']) ?? 'connect';
  const impact = impactOf(draft.error);
  const refused = impact === undefined ? draft.error : null;
  const then = useRef<() => void>(() => undefined);
  // Another tab of the same settings keeps what was entered.
  useLeaveWarning(changed, () => true);

  function store(confirmImpact?: string): void {
    confirmed.current = confirmImpact;
    draft.save(() => {
      toast(t('saved'));
      then.current();
    });
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

  const shown = own.find(({ name }) => name === tab);
  const props = {
    kind,
    value,
    onChange: setValue,
    errors: fieldErrors(draft.error, draft.refused, value),
    clearErrors: draft.clearError,
    secretsSet: (base['secretsSet'] as string[] | undefined) ?? [],
  };
  return (
    <Page
      title={t('settingsTitle', { name: names(kind) })}
      lead={t('settingsLead', { n: String(base['configVersion'] ?? 1) })}
    >
      {draft.notice}
      <Tabs
        label={t('steps')}
        value={tab}
        onChange={(name) => setSearch({ tab: name })}
        tabs={tabs.map((name) => ({ name, label: t(titleOf(name, forms)) }))}
      >
        {tab === 'schedule' ? (
          <Suspense fallback={<Skeleton />}>
            <ScheduleTab pushed={forms.pushed === true}>
              <FirstCard section={first} refused={refused} {...props} />
            </ScheduleTab>
          </Suspense>
        ) : shown === undefined ? (
          <Suspense fallback={<Skeleton />}>
            <Versions kind={kind} onTake={(settings) => setValue(forms.read({ ...base, ...settings }))} />
          </Suspense>
        ) : (
          <Card>
            <Stack>
              <Refusal error={refused} />
              <shown.Show {...props} />
            </Stack>
          </Card>
        )}
      </Tabs>
      {changed ? (
        <SaveBar text={t('unsaved')}>
          <Button onClick={draft.revert}>{t('revert')}</Button>
          <Button
            off={needs}
            busy={draft.isPending}
            look={active && forms.pushed !== true ? undefined : 'primary'}
            onClick={() => begin(() => undefined)}
          >
            {t('save')}
          </Button>
          {active && forms.pushed !== true ? (
            <Button look="primary" off={needs} busy={draft.isPending} onClick={preview}>
              {t('savePreview')}
            </Button>
          ) : null}
        </SaveBar>
      ) : null}
      {impact === undefined ? null : (
        <ImpactDialog impact={impact} busy={draft.isPending} onClose={draft.clearError} onConfirm={store} />
      )}
    </Page>
  );
}

function FirstCard({
  section,
  refused,
  ...props
}: SectionProps<object> & { readonly section: Section<object> | undefined; readonly refused: Error | null }) {
  const t = useT(WORDS);
  if (section === undefined) return null;
  return (
    <Card title={t('first')}>
      <Stack>
        <Refusal error={refused} />
        <section.Show {...props} />
      </Stack>
    </Card>
  );
}

/** Names for a question that is seldom asked: they come after the page. */
function useFieldWords(kind: Kind): FieldWords {
  const language = useLanguage();
  const [names, setNames] = useState<typeof import('./field-words.ts')>();
  useEffect(() => {
    void import('./field-words.ts').then(setNames, () => undefined);
  }, []);
  return names?.fieldWords(kind, language) ?? {};
}
