import { useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { useCall } from '../../api/queries.ts';
import type { Schedule } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { useNeeds } from '../../app/session.tsx';
import { COMMON } from '../../app/words.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Check } from '../../ui/field.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { toast } from '../../ui/toast.tsx';
import { ScheduleForm, scheduleBody } from './schedule-form.tsx';
import { WORDS } from './words.ts';

export function ScheduleDialog({ schedule, onClose }: { readonly schedule: Schedule; readonly onClose: () => void }) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const needs = useNeeds('admin');
  const [value, setValue] = useState(schedule);
  const [anyway, setAnyway] = useState(false);
  const save = useCall('PUT /schedule');
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
      <Refusal error={save.error} />
      {wantsPreview || anyway ? (
        <Check label={t('withoutPreview')} note={t('withoutPreviewNote')} checked={anyway} onChange={setAnyway} />
      ) : null}
      <ScheduleForm value={value} onChange={setValue} />
    </Dialog>
  );
}
