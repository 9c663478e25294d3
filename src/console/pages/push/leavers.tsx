import { useT } from '../../app/i18n.ts';
import { Check, SelectField, TextField } from '../../ui/field.tsx';
import { Columns, Stack } from '../../ui/layout.tsx';
import type { Fate, SettingsProps } from './model.ts';
import { WORDS } from './words.ts';

const WHY = ['sourceDeleted', 'sourceDisabled', 'outOfScope'] as const;
const FATES = ['deactivate', 'delete', 'keep'] as const satisfies readonly Fate[];

/** What becomes of those who are gone here, and when a person is asked first. */
export function LeaversView({ value, onChange, errors }: SettingsProps) {
  const t = useT(WORDS);
  const { deprovision, guard } = value;
  const set = (changes: Partial<typeof deprovision>): void =>
    onChange({ ...value, deprovision: { ...deprovision, ...changes } });
  return (
    <Stack>
      <p style={{ color: 'var(--muted)' }}>{t('leaversLead')}</p>
      <Columns>
        {WHY.map((why) => (
          <SelectField
            key={why}
            label={t(why)}
            value={deprovision[why]}
            onChange={(fate) => set({ [why]: fate })}
            options={FATES.map((fate) => [fate, t(fate)] as const)}
          />
        ))}
        <SelectField
          label={t('groupsGone')}
          value={deprovision.groups}
          onChange={(fate) => set({ groups: fate as 'delete' })}
          options={(['delete', 'keep'] as const).map((fate) => [fate, t(fate)] as const)}
        />
        <NumberField
          label={t('deleteAfter')}
          hint={t('deleteAfterHint')}
          value={deprovision.deleteAfterDays}
          error={errors['deprovision.deleteAfterDays']}
          onChange={(deleteAfterDays) => set({ deleteAfterDays })}
        />
      </Columns>
      <Check
        label={t('guard')}
        note={t('guardNote')}
        checked={guard !== null}
        onChange={(isOn) => onChange({ ...value, guard: isOn ? { max: 50, percent: 10 } : null })}
      />
      {guard === null ? null : (
        <Columns>
          <NumberField
            label={t('guardMax')}
            value={guard.max}
            error={errors['guard.max']}
            onChange={(max) => onChange({ ...value, guard: { ...guard, max: max ?? 0 } })}
          />
          <NumberField
            label={t('guardPercent')}
            value={guard.percent}
            error={errors['guard.percent']}
            onChange={(percent) => onChange({ ...value, guard: { ...guard, percent: percent ?? 0 } })}
          />
        </Columns>
      )}
    </Stack>
  );
}

/** A number, or nothing. */
export function NumberField({
  value,
  onChange,
  ...rest
}: {
  readonly label: string;
  readonly hint?: string;
  readonly value: number | null;
  readonly error?: string | undefined;
  readonly onChange: (next: number | null) => void;
}) {
  return (
    <TextField
      {...rest}
      type="number"
      min={0}
      value={value === null ? '' : String(value)}
      onChange={(text) => onChange(text === '' ? null : Number(text))}
    />
  );
}
