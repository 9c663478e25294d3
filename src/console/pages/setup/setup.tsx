import { useNavigate, useParams } from '@tanstack/react-router';
import { Check } from 'lucide-react';
import { Fragment, lazy, Suspense, use, useRef, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { useCall, useGet } from '../../api/queries.ts';
import type { Draft, Guard, Schedule } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { useKeepOnLeave } from '../../app/leave-warning.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { PROVIDERS } from '../../app/words.ts';
import { Empty, Skeleton } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Card, Page, Stack } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { toast } from '../../ui/toast.tsx';
import { ScheduleForm } from '../inbound/schedule-form.tsx';
import { type Forms, type Read, type SectionName, settingsOf, titleOf } from './forms.ts';
import { ImpactDialog, impactOf } from './impact.tsx';
import { formsOf, isKind } from './kinds.ts';
import { LimitFields } from './limits.tsx';
import { fieldErrors, type Json, type Kind, mergeSettings, stillWrong } from './model.ts';
import { Presets, type Started, usePresets } from './presets.tsx';
import css from './setup.module.css';
import { WORDS } from './words.ts';

const PreviewStep = lazy(() => import('./preview.tsx').then(({ PreviewStep: component }) => ({ default: component })));

/** Sections that stand in the step of another matter; the rest are steps of their own. */
const WITHIN = {
  accounts: 'mapping',
  destination: 'mapping',
  bursts: 'schedule',
  notices: 'schedule',
  first: 'schedule',
} as const satisfies Partial<Record<SectionName, SectionName | 'schedule'>>;

type Step = Exclude<SectionName, keyof typeof WITHIN> | 'schedule' | 'preview';

function isWithin(section: SectionName): section is keyof typeof WITHIN {
  return section in WITHIN;
}

function stepsOf({ sections }: Forms<object>): readonly Step[] {
  return [...sections.flatMap(({ name }) => (isWithin(name) ? [] : [name])), 'schedule', 'preview'];
}

function stepOf(section: SectionName): Step {
  return isWithin(section) ? WITHIN[section] : section;
}

export function SetupPage() {
  const { provider = 'microsoft365' } = useParams({ strict: false }) as { provider?: string };
  const t = useT(WORDS);
  if (!isKind(provider)) return <Empty whole title={t('noKind')} />;
  return (
    <Suspense fallback={<Skeleton />}>
      <Setup provider={provider} />
    </Suspense>
  );
}

function Setup({ provider }: { readonly provider: Kind }) {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const forms = use(formsOf(provider));
  const draft = useGet('GET /providers/{kind}/draft', { path: { kind: provider } });
  const saved = useGet('GET /providers/{kind}', { path: { kind: provider } });
  const guard = useGet('GET /guard');
  const schedule = useGet('GET /schedule');
  const presets = usePresets(provider);
  const waiting =
    [draft, saved, presets].some(({ isPending }) => isPending) ||
    guard.data === undefined ||
    schedule.data === undefined;
  // Once begun it stays, whatever is read again meanwhile: a question that was answered by "there is none" is asked anew.
  const begun = useRef<string | undefined>(undefined);
  if (!waiting) begun.current = provider;
  return (
    <Page title={t('setupTitle', { name: names(provider) })} lead={t('setupLead', { n: stepsOf(forms).length })}>
      {begun.current !== provider || guard.data === undefined || schedule.data === undefined ? (
        <Skeleton />
      ) : (
        <Wizard
          key={provider}
          forms={forms}
          draft={draft.error === null ? draft.data : undefined}
          saved={saved.error === null ? (saved.data as Json | undefined) : undefined}
          guard={guard.data}
          schedule={schedule.data}
        />
      )}
    </Page>
  );
}

interface Extra {
  readonly schedule: Schedule;
  /** What was entered here of the limits: the others stay what they are by then. */
  readonly guard: Partial<Guard>;
}

function Wizard({
  forms,
  draft,
  saved,
  guard,
  schedule,
}: {
  readonly forms: Forms<object>;
  readonly draft: Draft | undefined;
  readonly saved: Json | undefined;
  readonly schedule: Schedule;
  readonly guard: Guard;
}) {
  const t = useT(WORDS);
  const navigate = useNavigate();
  const needs = useNeeds('admin');
  const { kind } = forms;
  const steps = stepsOf(forms);
  const [search, setSearch] = useSearchState();
  const begun = (draft?.settings ?? {}) as Json & { console?: Extra };
  const { console: kept, ...settings } = begun;
  const [value, setValue] = useState(() => forms.read({ ...settingsOf(saved), ...settings }));
  const [extra, setExtra] = useState<Extra>(kept ?? { schedule: likely(schedule), guard: {} });
  const [reached, setReached] = useState(Math.max(0, steps.indexOf((draft?.step ?? 'connect') as Step)));
  /** It was come to by going on, not by its address: the preview begins by itself. */
  const [wentOn, setWentOn] = useState(false);
  const [problems, setProblems] = useState<{ readonly errors: Readonly<Record<string, string>>; readonly of: object }>({
    errors: {},
    of: {},
  });
  const save = useCall('PUT /providers/{kind}');
  const keep = useCall('PUT /providers/{kind}/draft');
  const step = steps.find((name) => name === search['step']) ?? steps[reached] ?? 'connect';
  const index = steps.indexOf(step);
  const secretsSet = [...((saved?.['secretsSet'] as string[] | undefined) ?? []), ...(draft?.secretsSet ?? [])];
  const go = (to: Step): void => setSearch({ step: to });
  const impact = impactOf(save.error);

  function draftOf(at: Step) {
    return { path: { kind } as const, body: { step: at, settings: { ...forms.body(value), console: extra } } };
  }

  const entered = JSON.stringify([value, extra]);
  /** What is kept already, or was there to begin with. */
  const safe = useRef(entered);
  useKeepOnLeave(async () => {
    if (safe.current === entered || needs !== undefined) return;
    await keep.mutateAsync(draftOf(step));
    toast(t('left'));
  });

  function next(confirmImpact?: string, to: Step = steps[index + 1] ?? 'preview'): void {
    const missing = forms.missing(value);
    if (missing.length > 0) {
      refuse(Object.fromEntries(missing.map((name) => [name, t('required')])));
      return;
    }
    save.mutate(
      { path: { kind }, body: forms.body(value) as never, query: { confirmImpact } },
      {
        onSuccess: () => goOn(to),
        onError(error) {
          const wrong = fieldErrors(error);
          const places = Object.keys(wrong).map((path) => steps.indexOf(placeOf(path)));
          // What is asked for later need not be right yet: so far it is a draft.
          if (places.length > 0 && places.every((place) => place >= steps.indexOf(to))) goOn(to);
          else refuse(wrong);
        },
      },
    );
  }

  function goOn(to: Step): void {
    clearErrors();
    setReached(Math.max(reached, steps.indexOf(to)));
    setWentOn(to === 'preview');
    safe.current = entered;
    keep.mutate(draftOf(to));
    go(to);
  }

  function take(started: Started): void {
    setValue(forms.read(mergeSettings(forms.body(value), started.settings)));
    setExtra({
      schedule: { ...extra.schedule, ...started.schedule },
      guard: { ...extra.guard, ...started.guard },
    });
  }

  function placeOf(path: string): Step {
    const section = forms.sections.find(({ fields }) => fields.test(path));
    return section === undefined ? step : stepOf(section.name);
  }

  function clearErrors(): void {
    setProblems({ errors: {}, of: value });
    save.reset();
  }

  /** To the step of the first field that is wrong. */
  function refuse(wrong: Readonly<Record<string, string>>): void {
    setProblems({ errors: wrong, of: value });
    const first = Object.keys(wrong)[0];
    if (first !== undefined && placeOf(first) !== step) go(placeOf(first));
  }

  const props = {
    kind,
    value,
    onChange: setValue,
    errors: stillWrong(problems.errors, problems.of, value),
    clearErrors,
    secretsSet,
  };
  const shown = forms.sections.filter(({ name }) => stepOf(name) === step);
  return (
    <div className={css.wizard}>
      <ol className={css.steps} aria-label={t('steps')}>
        {steps.map((name, place) => (
          <li key={name} className={place < reached ? css.did : undefined}>
            <button
              type="button"
              aria-current={name === step ? 'step' : undefined}
              aria-disabled={place > reached}
              onClick={() => (place <= reached ? go(name) : undefined)}
            >
              <i>{place < reached ? <Check size={13} aria-hidden /> : place + 1}</i>
              {t(name === 'mapping' ? 'mappingStep' : titleOf(name, forms))}
            </button>
          </li>
        ))}
      </ol>
      <Card
        title={t(step === 'mapping' ? 'mappingStep' : titleOf(step, forms))}
        foot={
          <>
            <Button
              look="quiet"
              off={needs}
              busy={keep.isPending}
              onClick={() =>
                keep.mutate(draftOf(step), {
                  onSuccess: () => {
                    safe.current = entered;
                    toast(t('left'));
                    void navigate({ to: '/inbound' } as never);
                  },
                })
              }
            >
              {t('leave')}
            </Button>
            {index === 0 ? null : <Button onClick={() => go(steps[index - 1] ?? 'connect')}>{t('back')}</Button>}
            {forms.usual === true && index < steps.length - 2 ? (
              <Button off={needs} busy={save.isPending} onClick={() => next(undefined, 'preview')}>
                {t('skipTo')}
              </Button>
            ) : null}
            {step === 'preview' ? null : (
              <Button look="primary" off={needs} busy={save.isPending} onClick={() => next()}>
                {t('next')}
              </Button>
            )}
          </>
        }
      >
        <Stack>
          {save.error instanceof ApiError && impact === undefined ? <Refusal error={save.error} /> : null}
          <Refusal error={keep.error} />
          <StepTop step={step} forms={forms} value={extra} guard={guard} onChange={setExtra} onTake={take} />
          {shown.map(({ name, Show }) => (
            <Fragment key={name}>
              {isWithin(name) && name !== 'accounts' ? <h3>{t(name)}</h3> : null}
              <Show {...props} />
            </Fragment>
          ))}
          {index === 0 && forms.usual === true ? (
            <p className={css.note}>{t('skipNote', { n: extra.guard.percent ?? guard.percent ?? 10 })}</p>
          ) : null}
          {step === 'preview' ? (
            <Suspense fallback={<Skeleton lines={4} />}>
              <PreviewStep
                kind={kind}
                pushed={forms.pushed === true}
                first={(value as Partial<Read>).initialRun ?? 'preview'}
                begin={wentOn}
                schedule={extra.schedule}
                limits={extra.guard}
              />
            </Suspense>
          ) : null}
        </Stack>
      </Card>
      {impact === undefined ? null : (
        <ImpactDialog impact={impact} busy={save.isPending} onClose={save.reset} onConfirm={(token) => next(token)} />
      )}
    </div>
  );
}

/** On, and in the zone of whoever sets it up unless somebody has chosen one. */
function likely(schedule: Schedule): Schedule {
  const chosen = schedule.enabled || schedule.timeZone !== 'UTC';
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return { ...schedule, enabled: true, ...(chosen ? {} : { timeZone }) };
}

/** What stands above the sections of a step. */
function StepTop({
  step,
  forms,
  onTake,
  ...schedule
}: {
  readonly step: Step;
  readonly forms: Forms<object>;
  readonly value: Extra;
  readonly guard: Guard;
  readonly onChange: (next: Extra) => void;
  readonly onTake: (started: Started) => void;
}) {
  if (step === 'schedule') return <ScheduleStep pushed={forms.pushed === true} {...schedule} />;
  if (step !== 'scope') return null;
  return <Presets kind={forms.kind} onTake={onTake} />;
}

/** When it runs by itself, and how much a run may change without a word. */
function ScheduleStep({
  pushed,
  value,
  guard,
  onChange,
}: {
  readonly pushed: boolean;
  readonly value: Extra;
  readonly guard: Guard;
  readonly onChange: (next: Extra) => void;
}) {
  const t = useT(WORDS);
  return (
    <>
      {pushed ? null : (
        <ScheduleForm value={value.schedule} onChange={(schedule) => onChange({ ...value, schedule })} />
      )}
      <h3>{t('limits')}</h3>
      <LimitFields
        value={{ ...guard, ...value.guard }}
        onChange={(changes) => onChange({ ...value, guard: { ...value.guard, ...changes } })}
      />
      {pushed ? null : <p>{t('scheduleNote')}</p>}
    </>
  );
}
