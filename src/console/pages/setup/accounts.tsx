import { useT } from '../../app/i18n.ts';
import { SelectField, TextField } from '../../ui/field.tsx';
import { Columns, Stack } from '../../ui/layout.tsx';
import type { SectionProps } from './connect.tsx';
import type { Leave, M365, M365Scope } from './model.ts';
import { WORDS } from './words.ts';

/** What becomes of accounts when somebody leaves, and whom a new record means. */
export function AccountsSection({ value, onChange, errors }: SectionProps) {
  const t = useT(WORDS);
  const { scope } = value;
  const set = (changes: Partial<M365Scope>): void => onChange({ ...value, scope: { ...scope, ...changes } });
  const leaving = (['deactivate', 'delete', 'keep'] as const).map((name) => [name, t(name)] as const);
  const choice = (
    label: 'onLeaveScope' | 'onSoft' | 'onHard',
    name: 'onLeaveScope' | 'onSourceSoftDelete' | 'onSourceHardDelete',
  ) => (
    <SelectField
      label={t(label)}
      value={scope[name]}
      onChange={(next) => set({ [name]: next as Leave })}
      options={leaving}
    />
  );
  return (
    <Stack>
      <Columns>
        {choice('onLeaveScope', 'onLeaveScope')}
        {choice('onSoft', 'onSourceSoftDelete')}
        {choice('onHard', 'onSourceHardDelete')}
        <TextField
          label={t('deleteAfter')}
          hint={t('deleteAfterHint')}
          type="number"
          min={0}
          value={scope.deleteAfterDays === null ? '' : String(scope.deleteAfterDays)}
          error={errors['scope.deleteAfterDays']}
          onChange={(text) => set({ deleteAfterDays: text === '' ? null : Number(text) })}
        />
        <SelectField
          label={t('adopt')}
          value={value.adoptManual}
          onChange={(adoptManual) => onChange({ ...value, adoptManual: adoptManual as M365['adoptManual'] })}
          options={(['never', 'ask', 'onMatch'] as const).map((name) => [name, t(name)] as const)}
        />
      </Columns>
    </Stack>
  );
}
