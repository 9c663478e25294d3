import { useRef, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { useCall, useList } from '../../api/queries.ts';
import type { Plan, Run } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { capital, REMOVING, useSumWords } from '../../app/plan-sums.ts';
import { plannedSums } from '../../app/run-facts.ts';
import { COMMON } from '../../app/words.ts';
import { Banner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { TextField } from '../../ui/field.tsx';
import { Pairs } from '../../ui/layout.tsx';
import { ErrorText, Refusal } from '../../ui/loaded.tsx';
import { removalsOf } from './plan-facts.ts';
import css from './run.module.css';
import { WORDS } from './words.ts';

const NAMES_SHOWN = 3;

/** Exactly the plan that was looked at: its fingerprint and number of removals go along, and the gateway compares. */
export function ConfirmDialog({
  run,
  plan,
  onClose,
  onApplied = onClose,
}: {
  readonly run: Run;
  readonly plan: Plan;
  readonly onClose: () => void;
  readonly onApplied?: () => void;
}) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const [typed, setTyped] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const approve = useCall('POST /plans/{id}/approve');
  const removals = removalsOf(plan.counts);
  const sums = plannedSums(plan.countsByType);
  const { list } = useSumWords();
  // Users are what a large change is about; where none go, it is groups.
  const users = sums.delete.users + sums.deactivate.users;
  const asked = users > 0 ? users : removals;
  const fits = removals === 0 || typed.replaceAll(/[\s,.]/g, '') === String(asked);

  function apply(): void {
    if (!fits || approve.isPending) return;
    // The run is under way before the answer is here, and what shows this dialog may have made way for it.
    approve
      .mutateAsync({ path: { id: plan.id }, body: { removals, ...(plan.hash === null ? {} : { hash: plan.hash }) } })
      .then(onApplied, () => undefined);
  }

  const going = capital(list(sums, REMOVING));
  const name = removals === 0 || going === '' ? t('applyPlan') : going;
  return (
    <Dialog
      open
      onClose={onClose}
      title={removals === 0 || going === '' ? t('applyTitle') : t('titleGoing', { list: going })}
      lead={removals === 0 ? t('applyText') : t('removeText')}
      initialFocus={input}
      foot={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button
            look={removals === 0 ? 'primary' : 'danger'}
            busy={approve.isPending}
            off={fits ? undefined : t('typeTo', { n: String(asked) })}
            onClick={apply}
          >
            {name}
          </Button>
        </>
      }
    >
      {approve.error instanceof ApiError && approve.error.code === 'plan-changed' ? (
        <Banner tone="amber" title={t('changedTitle')}>
          <ErrorText error={approve.error} />
        </Banner>
      ) : (
        <Refusal error={approve.error} />
      )}
      <Pairs items={[[t('also'), capital(list(sums, ['create', 'update', 'membership'])) || common('none')]]} />
      {removals === 0 ? null : (
        <>
          <Names run={run} removals={removals} />
          <form
            onSubmit={(event) => {
              event.preventDefault();
              apply();
            }}
          >
            <TextField
              label={t('typeTo', { n: String(asked) })}
              hint={t(users > 0 ? 'typeHint' : 'typeHintGroups')}
              value={typed}
              onChange={setTyped}
              inputRef={input}
            />
          </form>
        </>
      )}
    </Dialog>
  );
}

/** The first few of those who would go. */
function Names({ run, removals }: { readonly run: Run; readonly removals: number }) {
  const t = useT(WORDS);
  const path = { id: run.id };
  const deleted = useList('GET /sync-runs/{id}/changes', { path, query: { action: 'delete' } as never });
  const disabled = useList('GET /sync-runs/{id}/changes', { path, query: { action: 'deactivate' } as never });
  const items = [...deleted.items, ...disabled.items].slice(0, NAMES_SHOWN);
  return (
    <ul className={css.names}>
      {items.map(({ seq, label, before }) => (
        <li key={seq}>
          {((before ?? {}) as { displayName?: string }).displayName ?? label}
          <span>{label}</span>
        </li>
      ))}
      {removals > items.length && items.length > 0 ? (
        <li>
          <span>{t('andMore', { n: removals - items.length })}</span>
        </li>
      ) : null}
    </ul>
  );
}
