import { useT } from '../../app/i18n.ts';
import { Switch, TextField } from '../../ui/field.tsx';
import { Columns, Stack } from '../../ui/layout.tsx';
import type { SectionProps } from './forms.ts';
import type { M365, M365Notices } from './model.ts';
import { NOTICES } from './notice-words.ts';

/** Whether Microsoft tells of changes, and what becomes of those that no run has read. */
export function NoticesSection({ value, onChange, errors }: SectionProps<M365>) {
  const t = useT(NOTICES);
  const { notifications } = value;
  const set = (changes: Partial<M365Notices>): void =>
    onChange({ ...value, notifications: { ...notifications, ...changes } });
  return (
    <Stack>
      <p>{t('noticesLead')}</p>
      <Switch label={t('notices')} checked={notifications.enabled} onChange={(enabled) => set({ enabled })} />
      {notifications.enabled ? (
        <Columns>
          <TextField
            label={t('sweep')}
            hint={t('sweepHint')}
            type="number"
            min={5}
            max={1440}
            value={notifications.sweepMinutes === null ? '' : String(notifications.sweepMinutes)}
            error={errors['notifications.sweepMinutes']}
            onChange={(text) => set({ sweepMinutes: text === '' ? null : Number(text) })}
          />
        </Columns>
      ) : null}
    </Stack>
  );
}
