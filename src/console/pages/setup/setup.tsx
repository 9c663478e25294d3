import { useNavigate, useParams } from '@tanstack/react-router';
import { Check } from 'lucide-react';
import { useRef, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { useCall, useGet } from '../../api/queries.ts';
import type { Draft, Guard, Schedule } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { PROVIDERS } from '../../app/words.ts';
import { Skeleton } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Card, Page, Stack } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { toast } from '../../ui/toast.tsx';
import { ScheduleForm } from '../inbound/schedule-form.tsx';
import { AccountsSection } from './accounts.tsx';
import { ConnectSection, type SectionProps } from './connect.tsx';
import { CsvPage } from './csv.tsx';
import { FiltersSection } from './filters.tsx';
import { GenericSettings } from './generic.tsx';
import { LimitFields } from './limits.tsx';
import { fieldErrors, fromM365, type Json, type Kind, type M365, toM365 } from './model.ts';
import { PreviewStep } from './preview.tsx';
import { ScopeSection } from './scope.tsx';
import css from './setup.module.css';
import { WORDS } from './words.ts';

export const STEPS = ['connect', 'scope', 'filters', 'accounts', 'schedule', 'preview'] as const;
export type Step = (typeof STEPS)[number];

export const SECTIONS: Readonly<Partial<Record<Step, (props: SectionProps) => React.ReactNode>>> = {
  connect: ConnectSection,
  scope: ScopeSection,
  filters: FiltersSection,
  accounts: AccountsSection,
};

/** Which step a wrong field is on. */
const STEP_OF: readonly (readonly [RegExp, Step])[] = [
  [/^(tenantId|clientId|credential|endpoints|cloud)/, 'connect'],
  [/^(scope\.(mode|group|nested|dynamic)|pathDisplay)/, 'scope'],
  [/^scope\.(filter|domains|exclude|require|mailbox)/, 'filters'],
  [/^(scope\.(on|delete)|adopt|matching)/, 'accounts'],
];

export function SetupPage() {
  const { provider = 'microsoft365' } = useParams({ strict: false }) as { provider?: Kind };
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const draft = useGet('GET /providers/{kind}/draft', { path: { kind: provider } });
  const saved = useGet('GET /providers/{kind}', { path: { kind: provider } });
  const guard = useGet('GET /guard');
  const schedule = useGet('GET /schedule');
  const waiting =
    [draft, saved].some(({ isPending }) => isPending) || guard.data === undefined || schedule.data === undefined;
  // Once begun it stays, whatever is read again meanwhile: a question that was answered by "there is none" is asked anew.
  const begun = useRef(false);
  if (!waiting) begun.current = true;
  if (provider === 'csv') return <CsvPage />;
  if (provider !== 'microsoft365') return <GenericSettings kind={provider} />;
  return (
    <Page title={t('setupTitle', { name: names(provider) })} lead={t('setupLead')}>
      {!begun.current || guard.data === undefined || schedule.data === undefined ? (
        <Skeleton />
      ) : (
        <Wizard draft={draft.data} saved={saved.data as Json | undefined} guard={guard.data} schedule={schedule.data} />
      )}
    </Page>
  );
}

interface Extra {
  readonly schedule: Schedule;
  readonly guard: Guard;
}

function Wizard({
  draft,
  saved,
  guard,
  schedule,
}: { readonly draft: Draft | undefined; readonly saved: Json | undefined } & Extra) {
  const t = useT(WORDS);
  const navigate = useNavigate();
  const needs = useNeeds('admin');
  const kind = 'microsoft365';
  const [search, setSearch] = useSearchState();
  const begun = (draft?.settings ?? {}) as Json & { console?: Extra };
  const { console: kept, ...settings } = begun;
  const [value, setValue] = useState<M365>(() => toM365({ ...saved, ...settings } as Json));
  const [extra, setExtra] = useState<Extra>(
    kept ?? {
      schedule: { ...schedule, enabled: true, timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone },
      guard,
    },
  );
  const [reached, setReached] = useState(Math.max(0, STEPS.indexOf((draft?.step ?? 'connect') as Step)));
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({});
  const save = useCall('PUT /providers/{kind}');
  const keep = useCall('PUT /providers/{kind}/draft');
  const step = STEPS.find((name) => name === search['step']) ?? STEPS[reached] ?? 'connect';
  const index = STEPS.indexOf(step);
  const secretsSet = [...((saved?.['secretsSet'] as string[] | undefined) ?? []), ...(draft?.secretsSet ?? [])];
  const go = (to: Step): void => setSearch({ step: to });

  function draftOf(at: Step) {
    return { path: { kind } as const, body: { step: at, settings: { ...fromM365(value), console: extra } } };
  }

  function next(): void {
    const missing = (['tenantId', 'clientId'] as const).filter((name) => value[name].trim() === '');
    if (missing.length > 0) {
      setProblems(Object.fromEntries(missing.map((name) => [name, t('required')])));
      go('connect');
      return;
    }
    const to = STEPS[index + 1] ?? 'preview';
    save.mutate(
      { path: { kind }, body: fromM365(value) as never },
      {
        onSuccess: () => {
          setProblems({});
          setReached(Math.max(reached, index + 1));
          keep.mutate(draftOf(to));
          go(to);
        },
        onError: (error) => {
          const wrong = fieldErrors(error);
          setProblems(wrong);
          const first = Object.keys(wrong)[0];
          const at = first === undefined ? undefined : STEP_OF.find(([pattern]) => pattern.test(first))?.[1];
          if (at !== undefined && at !== step) go(at);
        },
      },
    );
  }

  const Section = SECTIONS[step];
  return (
    <div className={css.wizard}>
      <ol className={css.steps} aria-label={t('steps')}>
        {STEPS.map((name, place) => (
          <li key={name} className={place < reached ? css.did : undefined}>
            <button
              type="button"
              aria-current={name === step ? 'step' : undefined}
              aria-disabled={place > reached}
              onClick={() => (place <= reached ? go(name) : undefined)}
            >
              <i>{place < reached ? <Check size={13} aria-hidden /> : place + 1}</i>
              {t(name)}
            </button>
          </li>
        ))}
      </ol>
      <Card
        title={t(step)}
        foot={
          <>
            <Button
              look="quiet"
              off={needs}
              busy={keep.isPending}
              onClick={() =>
                keep.mutate(draftOf(step), {
                  onSuccess: () => {
                    toast(t('left'));
                    void navigate({ to: '/inbound' } as never);
                  },
                })
              }
            >
              {t('leave')}
            </Button>
            <Button off={index === 0 ? '' : undefined} onClick={() => go(STEPS[index - 1] ?? 'connect')}>
              {t('back')}
            </Button>
            {step === 'preview' ? null : (
              <Button look="primary" off={needs} busy={save.isPending} onClick={next}>
                {t('next')}
              </Button>
            )}
          </>
        }
      >
        <Stack>
          {save.error instanceof ApiError ? <Refusal error={save.error} /> : null}
          <Refusal error={keep.error} />
          {Section === undefined ? null : (
            <Section value={value} onChange={setValue} errors={problems} secretsSet={secretsSet} />
          )}
          {step === 'schedule' ? (
            <>
              <ScheduleForm value={extra.schedule} onChange={(changed) => setExtra({ ...extra, schedule: changed })} />
              <h3>{t('limits')}</h3>
              <LimitFields value={extra.guard} onChange={(changed) => setExtra({ ...extra, guard: changed })} />
              <p>{t('scheduleNote')}</p>
            </>
          ) : null}
          {step === 'preview' ? <PreviewStep kind={kind} schedule={extra.schedule} guard={extra.guard} /> : null}
        </Stack>
      </Card>
    </div>
  );
}
