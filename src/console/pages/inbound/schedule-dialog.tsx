import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { useCall } from '../../api/queries.ts';
import type { Schedule } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
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

export function ScheduleDialog({
  schedule,
  turnOn = false,
  onClose,
}: {
  readonly schedule: Schedule;
  /** It was opened to turn the schedule on. */
  readonly turnOn?: boolean;
  readonly onClose: () => void;
}) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const needs = useNeeds('admin');
  const navigate = useNavigate();
  const [value, setValue] = useState<Schedule>(() => ({
    ...schedule,
    // Nobody has chosen a zone yet: the one here is the likely one.
    ...(schedule.enabled || schedule.timeZone !== 'UTC'
      ? {}
      : { timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone }),
    enabled: schedule.enabled || turnOn,
  }));
  const [anyway, setAnyway] = useState(false);
  const save = useCall('PUT /schedule');
  const start = useCall('POST /sync-runs');
  const wantsPreview = save.error instanceof ApiError && save.error.code === 'preview-required';
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
            busy={save.isPending}
            onClick={() =>
              save.mutate(
                { body: { ...scheduleBody(value), ...(anyway ? { withoutPreview: true } : {}) } },
                {
                  onSuccess: () => {
                    toast(t('saved'));
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
      <Refusal error={wantsPreview ? start.error : save.error} />
      {wantsPreview || anyway ? (
        <>
          <Banner
            tone="amber"
            title={t('previewFirst')}
            actions={
              <Button
                busy={start.isPending}
                onClick={() =>
                  void start
                    .mutateAsync({ body: { preview: true } })
                    .then((run) => void navigate({ to: '/runs/$id', params: { id: run.id } } as never))
                    .catch(() => undefined)
                }
              >
                {t('preview')}
              </Button>
            }
          >
            {t('previewFirstText')}
          </Banner>
          <Check label={t('withoutPreview')} note={t('withoutPreviewNote')} checked={anyway} onChange={setAnyway} />
        </>
      ) : null}
      <ScheduleForm value={value} onChange={setValue} />
    </Dialog>
  );
}
