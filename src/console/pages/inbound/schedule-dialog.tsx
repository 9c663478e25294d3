import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { ApiError, callTagged, type Tagged } from '../../api/client.ts';
import { useCall, useDocument } from '../../api/queries.ts';
import type { Schedule } from '../../api/types.ts';
import { useDraft } from '../../app/conflict/draft.tsx';
import { useT } from '../../app/i18n.ts';
import { useOverview } from '../../app/overview.ts';
import { useNeeds } from '../../app/session.tsx';
import { COMMON } from '../../app/words.ts';
import { Banner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Check } from '../../ui/field.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { toast } from '../../ui/toast.tsx';
import { ScheduleForm, scheduleBody } from './schedule-form.tsx';
import { WORDS } from './words.ts';

const NAMES = {
  enabled: 'enabled',
  kind: 'kind',
  time: 'time',
  timeZone: 'zone',
  everyMinutes: 'minutes',
  cron: 'cronLabel',
} as const;

interface Opened {
  /** It was opened to turn the schedule on. */
  readonly turnOn?: boolean;
  readonly onClose: () => void;
}

export function ScheduleDialog(opened: Opened) {
  const schedule = useDocument('GET /schedule');
  return schedule.data === undefined ? null : <Form saved={schedule.data} {...opened} />;
}

/** The way to what has to be confirmed before: a preview that waits already, or a new one. */
function PreviewFirst({ start }: { readonly start: ReturnType<typeof useCall<'POST /sync-runs'>> }) {
  const t = useT(WORDS);
  const navigate = useNavigate();
  const overview = useOverview();
  const waits = overview.data?.held[0];
  const look = (id: string): void => void navigate({ to: '/runs/$id', params: { id } } as never);
  return (
    <Banner
      tone="amber"
      title={t(waits === undefined ? 'previewFirst' : 'waitsTitle')}
      actions={
        waits === undefined ? (
          <Button
            busy={start.isPending}
            onClick={() => start.mutate({ body: { preview: true } }, { onSuccess: ({ id }) => look(id) })}
          >
            {t('preview')}
          </Button>
        ) : (
          <Button onClick={() => look(waits.runId)}>{t('toWaiting')}</Button>
        )
      }
    >
      {t(waits === undefined ? 'previewFirstText' : 'waitsText')}
    </Banner>
  );
}

function Form({ saved, turnOn = false, onClose }: Opened & { readonly saved: Tagged<Schedule> }) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const needs = useNeeds('admin');
  const [anyway, setAnyway] = useState(false);
  const draft = useDraft({
    saved,
    shape: scheduleBody,
    read: () => callTagged('GET /schedule'),
    write: (value, { etag: ifMatch }) =>
      callTagged('PUT /schedule', {
        body: { ...scheduleBody(value), ...(anyway ? { withoutPreview: true } : {}) },
        ifMatch,
      }),
    topic: 'schedule',
    nameOf: (path) => t(NAMES[path as keyof typeof NAMES] ?? 'schedule'),
    sayValue: (path, kind) => (path === 'kind' ? t(kind as 'daily') : undefined),
    start: (value) => ({
      ...value,
      // Nobody has chosen a zone yet: the one here is the likely one.
      ...(value.enabled || value.timeZone !== 'UTC'
        ? {}
        : { timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone }),
      enabled: value.enabled || turnOn,
    }),
  });
  const { value, setValue } = draft;
  const start = useCall('POST /sync-runs');
  const wantsPreview = draft.error instanceof ApiError && draft.error.code === 'preview-required';
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('scheduleTitle')}
      foot={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button
            look="primary"
            off={needs}
            busy={draft.isPending}
            onClick={() =>
              draft.save(() => {
                toast(t('saved'));
                onClose();
              })
            }
          >
            {common('save')}
          </Button>
        </>
      }
    >
      <Refusal error={wantsPreview ? start.error : draft.error} />
      {draft.notice}
      {wantsPreview || anyway ? (
        <>
          <PreviewFirst start={start} />
          <Check label={t('withoutPreview')} note={t('withoutPreviewNote')} checked={anyway} onChange={setAnyway} />
        </>
      ) : null}
      <ScheduleForm value={value} onChange={setValue} />
    </Dialog>
  );
}
