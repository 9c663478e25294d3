import { Eye, ShieldAlert } from 'lucide-react';
import { useState } from 'react';
import { useCall, useGet } from '../../api/queries.ts';
import type { Plan, PlanCauses, Run, Verdict } from '../../api/types.ts';
import { useActorName } from '../../app/actors.ts';
import { count, percent, relative, span } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useOverview } from '../../app/overview.ts';
import { REMOVING, usePlanSums, useSumWords } from '../../app/plan-sums.ts';
import { useReason } from '../../app/reasons.ts';
import { actOf } from '../../app/run-facts.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { CHANGES, COMMON } from '../../app/words.ts';
import { LimitBar } from '../../ui/bars.tsx';
import { Button } from '../../ui/button.tsx';
import { classes } from '../../ui/classes.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Card } from '../../ui/layout.tsx';
import { Loaded, Refusal } from '../../ui/loaded.tsx';
import { ConfirmDialog } from './confirm.tsx';
import { useHold } from './hold-words.ts';
import { Newcomers } from './newcomers.tsx';
import { changesNothing, goingOf, removalsOf, shareOf } from './plan-facts.ts';
import css from './run.module.css';
import { WORDS } from './words.ts';

/** What waits: how much against the limit, why, and only then the button. */
export function HeldPanel({ run, planId }: { readonly run: Run; readonly planId: string }) {
  const plan = useGet('GET /plans/{id}', { path: { id: planId } });
  // Decided about, or another plan took its place: nothing waits any more.
  if (plan.data !== undefined && plan.data.status !== 'held' && plan.data.status !== 'expired') return null;
  return (
    <Card flush className={css.held}>
      <Loaded query={plan}>{(data) => <Panel run={run} plan={data} />}</Loaded>
    </Card>
  );
}

function Panel({ run, plan }: { readonly run: Run; readonly plan: Plan }) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const language = useLanguage();
  const needs = useNeeds('operator');
  const [confirming, setConfirming] = useState(false);
  const [discarding, setDiscarding] = useState(false);
  const reject = useCall('POST /plans/{id}/reject');
  const causes = useGet('GET /plans/{id}/causes', { path: { id: plan.id } });
  const removals = removalsOf(plan.counts);
  const expired = plan.status === 'expired';
  const share = shareOf(plan.held);
  const left = plan.expiresAt === null ? undefined : new Date(plan.expiresAt).getTime() - Date.now();
  const off = expired ? t('expired') : needs;
  const partly = Object.keys(run.counts).some((name) =>
    ['created', 'updated', 'linked', 'membershipsChanged'].includes(name),
  );
  const Sign = run.preview ? Eye : ShieldAlert;
  return (
    <>
      <div className={classes(css.heldHead, run.preview && css.blueHead)}>
        <span className={css.sign}>
          <Sign size={20} aria-hidden />
        </span>
        <div>
          <h2>{useHeadline(run, plan)}</h2>
          <p>
            {changesNothing(plan) ? t('previewEmptyText') : partly ? t('heldPart') : t('nothingChanged')}{' '}
            {expired ? t('expired') : left === undefined ? null : t('keptFor', { t: span(left, language) })}
          </p>
        </div>
        <div style={{ display: 'flex', gap: 8, flexWrap: 'wrap' }}>
          <Button off={needs} onClick={() => setDiscarding(true)}>
            {t('discard')}
          </Button>
          <Button look={removals > 0 ? 'danger' : 'primary'} off={off} onClick={() => setConfirming(true)}>
            {removals > 0 ? t('confirm') : changesNothing(plan) ? t('confirmEmpty') : t('applyPlan')}
          </Button>
        </div>
      </div>
      {share === undefined ? null : <Share share={share} going={goingOf(plan.counts)} />}
      <Reasons verdict={plan.held} />
      <Loaded query={causes} lines={3}>
        {(data) => (
          <>
            {data.newcomers === null ? null : <Newcomers coming={data.newcomers} />}
            <Causes causes={data} removals={removals} />
          </>
        )}
      </Loaded>
      {confirming ? <ConfirmDialog run={run} plan={plan} onClose={() => setConfirming(false)} /> : null}
      <Dialog
        open={discarding}
        onClose={() => setDiscarding(false)}
        title={t('discardTitle', { n: String(run.number) })}
        lead={t('discardText')}
        foot={
          <>
            <Button onClick={() => setDiscarding(false)}>{common('cancel')}</Button>
            <Button
              look="primary"
              busy={reject.isPending}
              onClick={() =>
                reject.mutate({ path: { id: plan.id }, body: {} }, { onSuccess: () => setDiscarding(false) })
              }
            >
              {t('discard')}
            </Button>
          </>
        }
      >
        <Refusal error={reject.error} />
      </Dialog>
    </>
  );
}

function useHeadline(run: Run, plan: Plan): string {
  const t = useT(WORDS);
  const sums = usePlanSums(plan.id);
  const overview = useOverview();
  const { list } = useSumWords();
  const removals = removalsOf(plan.counts);
  if (run.trigger === 'revert') return t('undoPlan');
  if (changesNothing(plan)) return t('previewEmpty');
  if (removals === 0) return t(run.preview ? 'previewTitle' : 'heldOther');
  if (sums === undefined || overview.data === undefined) return t('heldOther');
  return t('heldWould', { list: list(sums, REMOVING, overview.data.directory) });
}

function Share({
  share,
  going,
}: {
  readonly share: NonNullable<ReturnType<typeof shareOf>>;
  readonly going: ReturnType<typeof goingOf>;
}) {
  const t = useT(WORDS);
  const language = useLanguage();
  const { what } = useSumWords();
  const { going: gone, all } = share;
  const left = { users: all.users - gone.users, groups: all.groups - gone.groups };
  return (
    <div className={css.part}>
      <div className={css.shareText}>
        <b>{t(`share${going}`, { p: percent(share.count, share.total, language) })}</b>
        <span>{t('stay', { what: what(left) })}</span>
      </div>
      <LimitBar share={(share.count / share.total) * 100} limit={share.limit} text={t('limit', { n: share.limit })} />
      <p className={css.note}>
        {t(share.total === all.users ? 'shareNoteUsers' : 'shareNote', { what: what(gone, all) })}
      </p>
    </div>
  );
}

function Reasons({ verdict }: { readonly verdict: Verdict | null }) {
  const t = useT(WORDS);
  const sayHold = useHold();
  if (verdict === null || verdict.reasons.length === 0) return null;
  return (
    <div className={css.part}>
      <h3>{t('whyHeld')}</h3>
      <ul>
        {verdict.reasons.map((hold) => (
          <li key={`${hold.code}-${hold.class ?? ''}-${hold.attribute ?? ''}-${hold.message}`}>{sayHold(hold)}</li>
        ))}
      </ul>
    </div>
  );
}

const CAUSES_SHOWN = 8;

function Causes({
  causes: { causes, settingsChanges },
  removals,
}: {
  readonly causes: PlanCauses;
  readonly removals: number;
}) {
  const t = useT(WORDS);
  const change = useT(CHANGES);
  const language = useLanguage();
  const sayReason = useReason();
  const nameOf = useActorName();
  const [, set] = useSearchState();
  const removing = (action: string): number => (action === 'delete' || action === 'deactivate' ? 0 : 1);
  const shown = causes
    .filter(({ action }) => action !== 'skip')
    .toSorted((a, b) => removing(a.action) - removing(b.action) || b.count - a.count)
    .slice(0, CAUSES_SHOWN);
  return (
    <>
      {shown.length === 0 ? null : (
        <div className={css.part}>
          <h3>{removals > 0 ? t('whySoMany') : t('why')}</h3>
          <ul className={css.causes}>
            {shown.map(({ action, resourceType, reason, sentence, count: n }) => (
              <li key={`${action}-${resourceType}-${reason}`}>
                <span className={css.number}>{count(n, language)}</span>
                <b>{sayReason(reason, sentence)}</b>
                <Button
                  look="quiet"
                  small
                  onClick={() => set({ action: actOf({ action, reason }), reason, tab: undefined })}
                >
                  {change(actOf({ action, reason }))} · {t(resourceType as 'User')}
                </Button>
              </li>
            ))}
          </ul>
        </div>
      )}
      {settingsChanges.length === 0 ? null : (
        <div className={css.part}>
          <h3>{t('settingsBefore')}</h3>
          <ul>
            {settingsChanges.map(({ at, actor, action }) => (
              <li key={at}>
                {t(action === 'provider.activate' ? 'switchedLine' : 'settingsLine', {
                  who: nameOf(actor),
                  what: t(action === 'guard.change' ? 'guardOf' : 'settingsOf'),
                  when: relative(at, language),
                })}
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}
