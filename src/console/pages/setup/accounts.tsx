import { useT } from '../../app/i18n.ts';
import { Choice, SelectField, TextField } from '../../ui/field.tsx';
import { Columns, Stack } from '../../ui/layout.tsx';
import { ACCOUNTS } from './account-words.ts';
import { errorAt, type Leave, type SectionProps, type Shared } from './forms.ts';
import { MatchingField } from './matching.tsx';
import { WORDS } from './words.ts';

const LEAVING = {
  onLeaveScope: 'onLeaveScope',
  onSourceSoftDelete: 'onSoft',
  onSourceHardDelete: 'onHard',
} as const;

/** What becomes of accounts when somebody leaves, and whom a new record means. */
export function AccountsSection<Value extends Shared>(props: SectionProps<Value>) {
  const t = useT(WORDS);
  const { kind, value, onChange, errors } = props;
  const { scope } = value;
  const set = (changes: Partial<Value['scope']>): void => onChange({ ...value, scope: { ...scope, ...changes } });
  const leaving = (['deactivate', 'delete', 'keep'] as const).map((name) => [name, t(name)] as const);
  return (
    <Stack>
      <h3>{t('leaving')}</h3>
      <Columns>
        {(Object.keys(LEAVING) as (keyof typeof LEAVING)[]).map((name) =>
          scope[name] === undefined ? null : (
            <SelectField
              key={name}
              label={t(name === 'onSourceSoftDelete' && kind === 'microsoft365' ? 'onSoftM365' : LEAVING[name])}
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
      </Columns>
      <MatchingPart {...props} />
    </Stack>
  );
}

function MatchingPart<Value extends Shared>({ kind, value, onChange, errors }: SectionProps<Value>) {
  const t = useT(ACCOUNTS);
  return (
    <>
      <h3>{t('matching')}</h3>
      <p>{t('matchingLead')}</p>
      <Columns>
        <MatchingField
          kind={kind}
          value={value.matching}
          error={errorAt(errors, 'matching')}
          onChange={(matching) => onChange({ ...value, matching })}
        />
        <Choice
          legend={t('adopt')}
          value={value.adoptManual}
          onChange={(adoptManual) => onChange({ ...value, adoptManual })}
          options={(['never', 'ask', 'onMatch'] as const).map((name) => ({
            value: name,
            label: t(name),
            note: t(`${name}Note`),
          }))}
        />
      </Columns>
    </>
  );
}
