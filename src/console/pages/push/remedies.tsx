import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useCall } from '../../api/queries.ts';
import type { App, PushStatus, TargetHealth } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { useNeeds } from '../../app/session.tsx';
import { COMMON } from '../../app/words.ts';
import { Button, buttonClass } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Choice } from '../../ui/field.tsx';
import { Stack } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { toast } from '../../ui/toast.tsx';
import { Trouble } from '../apps/trouble.tsx';
import { AuthFields, TestConnection } from './connection.tsx';
import { type Auth, bodyOf, errorsOf, type Push } from './model.ts';
import { WORDS } from './words.ts';

/** A new credential: tested before it is saved, at once or when the old one is refused. */
export function ReplaceDialog({
  app,
  push,
  onClose,
}: {
  readonly app: App;
  readonly push: Push;
  readonly onClose: () => void;
}) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const save = useCall('PATCH /apps/{id}');
  const [auth, setAuth] = useState<Auth>(push.auth);
  const [when, setWhen] = useState<'now' | 'later'>('now');
  const value: Push =
    when === 'now' ? bodyOf({ ...push, nextAuth: null }, auth) : { ...push, nextAuth: bodyOf(push, auth).auth };
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('replaceTitle')}
      lead={t('replaceLead', { name: app.name })}
      foot={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button
            look="primary"
            busy={save.isPending}
            onClick={() =>
              save.mutate(
                { path: { id: app.id }, body: { push: value as never } },
                {
                  onSuccess: () => {
                    toast(t('replaced'));
                    onClose();
                  },
                },
              )
            }
          >
            {common('save')}
          </Button>
        </>
      }
    >
      <Stack>
        <Refusal error={save.error} />
        <AuthFields value={auth} saved={undefined} errors={errorsOf(save.error)} onChange={setAuth} />
        <Choice
          legend={t('replaceWhen')}
          value={when}
          onChange={setWhen}
          options={[
            { value: 'now', label: t('replaceNow'), note: t('replaceNowNote') },
            { value: 'later', label: t('replaceLater'), note: t('replaceLaterNote') },
          ]}
        />
        <TestConnection app={app} value={bodyOf(push, auth)} />
      </Stack>
    </Dialog>
  );
}

/** More people would leave the app at once than is usual: they go, or stay, once a person has looked. */
export function Departures({
  app,
  held,
  target,
}: {
  readonly app: App;
  readonly held: NonNullable<PushStatus['heldDepartures']>;
  readonly target: TargetHealth;
}) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const needs = useNeeds('operator');
  const decide = useCall('POST /apps/{id}/push/departures');
  const [decision, setDecision] = useState<'allow' | 'reject' | undefined>(undefined);
  const n = held.count;
  return (
    <>
      <Trouble
        short
        target={target}
        actions={
          <>
            <Link
              to="/apps/$id"
              params={{ id: app.id }}
              search={{ tab: 'deliveries', channel: 'push', state: 'held' } as never}
              className={buttonClass()}
            >
              {t('seeHeld')}
            </Link>
            <Button off={needs} onClick={() => setDecision('reject')}>
              {t('reject')}
            </Button>
            <Button look="danger" off={needs} onClick={() => setDecision('allow')}>
              {t('allow', { n })}
            </Button>
          </>
        }
      />
      {decision === undefined ? null : (
        <Dialog
          open
          onClose={() => setDecision(undefined)}
          title={t(decision === 'allow' ? 'allowTitle' : 'rejectTitle', { n, name: app.name })}
          lead={t(decision === 'allow' ? 'allowText' : 'rejectText', { limit: held.limit })}
          foot={
            <>
              <Button onClick={() => setDecision(undefined)}>{common('cancel')}</Button>
              <Button
                look={decision === 'allow' ? 'danger' : 'primary'}
                busy={decide.isPending}
                onClick={() =>
                  decide.mutate(
                    { path: { id: app.id }, body: { decision } },
                    {
                      onSuccess: ({ count }) => {
                        toast(t('decided', { n: count }));
                        setDecision(undefined);
                      },
                    },
                  )
                }
              >
                {decision === 'allow' ? t('allow', { n }) : t('reject')}
              </Button>
            </>
          }
        >
          <Refusal error={decide.error} />
        </Dialog>
      )}
    </>
  );
}
