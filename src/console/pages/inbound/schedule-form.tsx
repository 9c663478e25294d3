import type { Schedule } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { Choice, SelectField, Switch, TextField } from '../../ui/field.tsx';
import { Columns, Stack } from '../../ui/layout.tsx';
import { WORDS } from './words.ts';

const ZONES = ['UTC', ...Intl.supportedValuesOf('timeZone')];

/** When a sync runs by itself. */
export function ScheduleForm({
  value,
  onChange,
}: {
  readonly value: Schedule;
  readonly onChange: (next: Schedule) => void;
}) {
  const t = useT(WORDS);
  const { kind = 'daily', timeZone = 'UTC' } = value;
  const zones = ZONES.includes(timeZone) ? ZONES : [timeZone, ...ZONES];
  return (
    <Stack>
      <Switch label={t('enabled')} checked={value.enabled} onChange={(enabled) => onChange({ ...value, enabled })} />
      <Choice
        legend={t('kind')}
        value={kind}
        onChange={(next) => onChange({ ...value, kind: next })}
        options={[
          { value: 'daily', label: t('daily') },
          { value: 'interval', label: t('interval') },
          { value: 'cron', label: t('cron') },
        ]}
      />
      <Columns>
        {kind === 'daily' ? (
          <TextField
            label={t('time')}
            type="time"
            value={value.time ?? '03:00'}
            onChange={(time) => onChange({ ...value, time })}
          />
        ) : null}
        {kind === 'interval' ? (
          <TextField
            label={t('minutes')}
            hint={t('minutesHint')}
            type="number"
            min={5}
            max={10080}
            value={String(value.everyMinutes ?? 60)}
            onChange={(text) => onChange({ ...value, everyMinutes: Number(text) })}
          />
        ) : null}
        {kind === 'cron' ? (
          <TextField
            label={t('cronLabel')}
            hint={t('cronHint')}
            mono
            value={value.cron ?? '0 3 * * *'}
            onChange={(cron) => onChange({ ...value, cron })}
          />
        ) : null}
        {kind === 'interval' ? null : (
          <SelectField
            label={t('zone')}
            hint={t('zoneHint')}
            value={timeZone}
            onChange={(zone) => onChange({ ...value, timeZone: zone })}
            options={zones.map((zone) => [zone, zone] as const)}
          />
        )}
      </Columns>
    </Stack>
  );
}

/** What is sent of a schedule: only what its kind has. */
export function scheduleBody({
  enabled,
  kind = 'daily',
  time = '03:00',
  timeZone = 'UTC',
  everyMinutes = 60,
  cron = '0 3 * * *',
}: Schedule): Schedule {
  const base = { enabled, kind, timeZone };
  return kind === 'daily' ? { ...base, time } : kind === 'interval' ? { ...base, everyMinutes } : { ...base, cron };
}
