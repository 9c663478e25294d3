import { Link } from '@tanstack/react-router';
import { ApiError } from '../../api/client.ts';
import { useT } from '../../app/i18n.ts';
import { COMMON } from '../../app/words.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Pairs } from '../../ui/layout.tsx';
import { WORDS } from './words.ts';

interface SettingsImpact {
  readonly planId: string;
  readonly runId: string;
  readonly removals: { readonly users: number; readonly groups: number; readonly memberships: number };
}

/** What settings that were not saved yet would take away; undefined when the gateway said no for another reason. */
export function impactOf(error: unknown): SettingsImpact | undefined {
  if (!(error instanceof ApiError) || error.code !== 'impact-plan-required') return undefined;
  return error.problem as unknown as SettingsImpact;
}

/** Settings by which somebody would leave are saved only by whoever has seen how many. */
export function ImpactDialog({
  impact: { planId, runId, removals },
  busy,
  onClose,
  onConfirm,
}: {
  readonly impact: SettingsImpact;
  readonly busy: boolean;
  readonly onClose: () => void;
  readonly onConfirm: (planId: string) => void;
}) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('impactTitle')}
      lead={t('impactLead')}
      foot={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button look="danger" busy={busy} onClick={() => onConfirm(planId)}>
            {t('impactDo')}
          </Button>
        </>
      }
    >
      <Pairs
        items={[
          [t('impactUsers'), String(removals.users)],
          [t('impactGroups'), String(removals.groups)],
          [t('impactMemberships'), String(removals.memberships)],
        ]}
      />
      <Link to="/runs/$id" params={{ id: runId }}>
        {t('lookAll')}
      </Link>
    </Dialog>
  );
}
