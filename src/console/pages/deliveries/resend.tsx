// Sending again what has arrived: what changed since, or what somebody picked in the list.
import { RotateCcw } from 'lucide-react';
import { useState } from 'react';
import { useCall } from '../../api/queries.ts';
import type { Resend } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { useNeeds } from '../../app/session.tsx';
import { CHANNELS, useTargets } from '../../app/targets.tsx';
import { COMMON } from '../../app/words.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Choice, SelectField, TextField } from '../../ui/field.tsx';
import { Stack } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { SaveBar } from '../../ui/save-bar.tsx';
import { toast } from '../../ui/toast.tsx';
import { WORDS } from './words.ts';

const DAY_MS = 86_400_000;

/** Of one app, or of an app that is chosen in the dialog. */
export function ResendButton({ appId }: { readonly appId?: string }) {
  const t = useT(WORDS);
  const needs = useNeeds('operator');
  const { targets } = useTargets(appId);
  const [asking, setAsking] = useState(false);
  const off = targets.length === 0 ? t('noWay') : needs;
  return (
    <>
      <Button small={appId !== undefined} icon={<RotateCcw size={16} />} off={off} onClick={() => setAsking(true)}>
        {t('sinceTitle')}
      </Button>
      {asking ? <ResendDialog appId={appId ?? targets[0]?.appId ?? ''} onClose={() => setAsking(false)} /> : null}
    </>
  );
}

function ResendDialog({ appId, onClose }: { readonly appId: string; readonly onClose: () => void }) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const how = useT(CHANNELS);
  const resend = useCall('POST /deliveries/resend');
  const { targets } = useTargets();
  const [app, setApp] = useState(appId);
  const [channel, setChannel] = useState('');
  const [by, setBy] = useState<'time' | 'cursor'>('time');
  const [at, setAt] = useState(() => localTime(new Date(Date.now() - DAY_MS)));
  const [cursor, setCursor] = useState('');
  const apps = [...new Map(targets.map((target) => [target.appId, target.name]))];
  const ways = targets.filter((target) => target.appId === app).map((target) => target.channel);
  const isReady = by === 'time' ? at !== '' : cursor.trim() !== '';
  const body = {
    appId: app,
    ...(channel === '' ? {} : { channel }),
    ...(by === 'time' ? { since: isReady ? new Date(at).toISOString() : '' } : { after: cursor.trim() }),
  } as Resend;
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('sinceTitle')}
      lead={t('sinceLead')}
      foot={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button
            look="primary"
            busy={resend.isPending}
            off={isReady ? undefined : t('sinceNeeded')}
            onClick={() =>
              resend.mutate(
                { body },
                {
                  onSuccess: ({ count: n }) => {
                    toast(t('sentAgain', { n }));
                    onClose();
                  },
                },
              )
            }
          >
            {t('again')}
          </Button>
        </>
      }
    >
      <Refusal error={resend.error} />
      <Stack>
        {apps.length > 1 ? (
          <SelectField
            label={t('app')}
            value={app}
            onChange={(next) => {
              setApp(next);
              setChannel('');
            }}
            options={apps}
          />
        ) : null}
        {ways.length > 1 ? (
          <SelectField
            label={t('how')}
            value={channel}
            onChange={setChannel}
            options={[['', t('anyHow')], ...ways.map((way) => [way, how(way)] as const)]}
          />
        ) : null}
        <Choice
          legend={t('sinceWhat')}
          value={by}
          onChange={setBy}
          options={[
            { value: 'time', label: t('sinceTime') },
            { value: 'cursor', label: t('sinceCursor'), note: t('sinceCursorNote') },
          ]}
        />
        {by === 'time' ? (
          <TextField label={t('sinceAt')} type="datetime-local" value={at} onChange={setAt} />
        ) : (
          <TextField label={t('cursor')} mono value={cursor} onChange={setCursor} />
        )}
      </Stack>
    </Dialog>
  );
}

/** As a field for a time in the reader's zone has it. */
function localTime(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** What is picked in the list, and what can be done with it. */
export function PickedBar({ ids, onDone }: { readonly ids: readonly string[]; readonly onDone: () => void }) {
  const t = useT(WORDS);
  const needs = useNeeds('operator');
  const resend = useCall('POST /deliveries/resend');
  if (ids.length === 0) return null;
  return (
    <>
      <Refusal error={resend.error} />
      <SaveBar text={t('pickedN', { n: ids.length })}>
        <Button onClick={onDone}>{t('pickNone')}</Button>
        <Button
          look="primary"
          icon={<RotateCcw size={16} />}
          off={needs}
          busy={resend.isPending}
          onClick={() =>
            resend.mutate(
              { body: { ids } },
              {
                onSuccess: ({ count: n }) => {
                  toast(t('sentAgain', { n }));
                  onDone();
                },
              },
            )
          }
        >
          {t('againN', { n: ids.length })}
        </Button>
      </SaveBar>
    </>
  );
}
