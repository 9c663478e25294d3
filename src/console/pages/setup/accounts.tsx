import { useT } from '../../app/i18n.ts';
import { SelectField, TextField } from '../../ui/field.tsx';
import { Columns } from '../../ui/layout.tsx';
import type { Leave, SectionProps, Shared } from './forms.ts';
import { WORDS } from './words.ts';

const LEAVING = {
  onLeaveScope: 'onLeaveScope',
  onSourceSoftDelete: 'onSoft',
  onSourceHardDelete: 'onHard',
} as const;

/** What becomes of accounts when somebody leaves, and whom a new record means. */
export function AccountsSection<Value extends Shared>({ value, onChange, errors }: SectionProps<Value>) {
  const t = useT(WORDS);
  const { scope } = value;
  const set = (changes: Partial<Value['scope']>): void => onChange({ ...value, scope: { ...scope, ...changes } });
  const leaving = (['deactivate', 'delete', 'keep'] as const).map((name) => [name, t(name)] as const);
  return (
    <Columns>
      {(Object.keys(LEAVING) as (keyof typeof LEAVING)[]).map((name) =>
        scope[name] === undefined ? null : (
          <SelectField
            key={name}
            label={t(LEAVING[name])}
            value={scope[name]}
            onChange={(next) => set({ [name]: next as Leave } as Partial<Value['scope']>)}
            options={leaving}
          />
        ),
      )}
      <TextField
        label={t('deleteAfter')}
        hint={t('deleteAfterHint')}
        type="number"
        min={0}
        value={scope.deleteAfterDays === null ? '' : String(scope.deleteAfterDays)}
        error={errors['scope.deleteAfterDays']}
        onChange={(text) => set({ deleteAfterDays: text === '' ? null : Number(text) } as Partial<Value['scope']>)}
      />
      <SelectField
        label={t('adopt')}
        value={value.adoptManual}
        onChange={(adoptManual) => onChange({ ...value, adoptManual: adoptManual as Shared['adoptManual'] })}
        options={(['never', 'ask', 'onMatch'] as const).map((name) => [name, t(name)] as const)}
      />
    </Columns>
  );
}
