import { useT } from '../../app/i18n.ts';
import { Check, Options, SelectField, TextField } from '../../ui/field.tsx';
import { Columns, Stack } from '../../ui/layout.tsx';
import { FilterField } from './filter-field.tsx';
import { errorAt, type SectionProps, type Shared } from './forms.ts';
import { fromM365, type Json, type M365, type M365Scope } from './model.ts';
import { WORDS } from './words.ts';

const MAILBOXES = ['user', 'linked', 'shared', 'room', 'equipment', 'others'] as const;

/** Who of those is left out. */
export function FiltersSection({ kind, value, onChange, errors }: SectionProps<M365>) {
  const t = useT(WORDS);
  const { scope } = value;
  const set = (changes: Partial<M365Scope>): void => onChange({ ...value, scope: { ...scope, ...changes } });
  return (
    <Stack>
      <FilterField
        kind={kind}
        label={t('filter')}
        hint={t('filterHint')}
        text={scope.filter}
        error={errors['scope.filter']}
        settings={fromM365(value)}
        onChange={(filter) => set({ filter })}
      />
      <TextField
        label={t('domains')}
        hint={t('domainsHint')}
        lines
        value={scope.domains.join('\n')}
        error={errorAt(errors, 'scope.domains')}
        onChange={(text) => set({ domains: text === '' ? [] : text.split('\n') })}
      />
      {scope.domains.length === 0 ? null : (
        <SelectField
          label={t('domainMatch')}
          value={scope.domainMatch}
          onChange={(domainMatch) => set({ domainMatch: domainMatch as M365Scope['domainMatch'] })}
          options={(['primary', 'any'] as const).map((name) => [name, t(`domain-${name}`)] as const)}
        />
      )}
      <Columns>
        <Options legend={t('alsoOut')}>
          <Check
            label={t('guests')}
            checked={scope.guests === 'exclude'}
            onChange={(out) => set({ guests: out ? 'exclude' : 'include' })}
          />
          <Check
            label={t('excludeOnMicrosoft')}
            checked={scope.excludeOnMicrosoft}
            onChange={(excludeOnMicrosoft) => set({ excludeOnMicrosoft })}
          />
          <Check
            label={t('requireLicence')}
            checked={scope.requireLicence}
            onChange={(requireLicence) => set({ requireLicence })}
          />
          <Check
            label={t('requireMailbox')}
            checked={scope.requireMailbox}
            onChange={(requireMailbox) => set({ requireMailbox })}
          />
        </Options>
        <Options legend={t('mailboxes')}>
          {MAILBOXES.map((type) => (
            <Check
              key={type}
              label={t(`mailbox_${type}`)}
              checked={scope.mailboxTypes.includes(type)}
              onChange={(on) =>
                set({ mailboxTypes: MAILBOXES.filter((one) => (one === type ? on : scope.mailboxTypes.includes(one))) })
              }
            />
          ))}
          <small style={{ color: 'var(--muted)' }}>{t('mailboxHint')}</small>
        </Options>
      </Columns>
    </Stack>
  );
}

/** One filter over the fields of a record, for kinds that have no other. */
export function FilterSection<Value extends Shared>({
  kind,
  value,
  onChange,
  errors,
  body,
}: SectionProps<Value> & { readonly body: (value: Value) => Json }) {
  const t = useT(WORDS);
  return (
    <Stack>
      <FilterField
        kind={kind}
        label={t('filter')}
        hint={t('scimFilterHint')}
        text={value.scope.filter}
        error={errors['scope.filter']}
        settings={body(value)}
        onChange={(filter) => onChange({ ...value, scope: { ...value.scope, filter } })}
      />
    </Stack>
  );
}
