import { useT } from '../../app/i18n.ts';
import { Banner } from '../../ui/banner.tsx';
import { Check, Choice, SelectField, TextField } from '../../ui/field.tsx';
import { Columns, Stack } from '../../ui/layout.tsx';
import { AccountsSection } from './accounts.tsx';
import { ConnectionTest } from './checks.tsx';
import { FilterSection } from './filters.tsx';
import { FirstRunSection } from './first-run.tsx';
import { errorAt, type Forms, type SectionProps } from './forms.ts';
import { MappingSection } from './later-mapping.tsx';
import {
  type Encryption,
  encryptionOf,
  fromLdap,
  hostOf,
  type Ldap,
  SEARCH,
  type Search,
  toLdap,
  withServer,
} from './ldap-model.ts';
import { LDAP } from './ldap-words.ts';
import css from './setup.module.css';

/** Which server, how its line is kept private, and as whom. */
function ConnectSection({ kind, value, onChange, errors, secretsSet }: SectionProps<Ldap>) {
  const t = useT(LDAP);
  const encryption = encryptionOf(value);
  const set = (changes: Partial<Ldap>): void => onChange({ ...value, ...changes });
  return (
    <Stack>
      <Choice
        legend={t('preset')}
        value={value.preset}
        onChange={(preset) => set({ preset })}
        options={(['activeDirectory', 'openldap'] as const).map((name) => ({
          value: name,
          label: t(name),
          note: t(name === 'openldap' ? 'openldapNote' : 'activeDirectoryNote'),
        }))}
      />
      <Columns>
        <TextField
          label={t('host')}
          hint={t('hostHint')}
          mono
          value={hostOf(value)}
          error={errorAt(errors, 'url')}
          onChange={(host) => onChange(withServer(value, host, encryption))}
        />
        <SelectField
          label={t('encryption')}
          value={encryption}
          onChange={(next) => onChange(withServer(value, hostOf(value), next as Encryption))}
          options={(['ldaps', 'startTls', 'plain'] as const).map((name) => [name, t(name)] as const)}
        />
      </Columns>
      {encryption === 'plain' ? (
        <Banner tone="amber" title={t('plainTitle')}>
          {t('plainText')}
        </Banner>
      ) : (
        <details className={css.more}>
          <summary>{t('certificate')}</summary>
          <Columns>
            <TextField
              label={t('ca')}
              hint={t('caHint')}
              lines
              mono
              value={value.tls.ca ?? ''}
              error={errors['tls.ca']}
              onChange={(ca) => set({ tls: { ...value.tls, ca } })}
            />
            <TextField
              label={t('serverName')}
              hint={t('serverNameHint')}
              mono
              value={value.tls.serverName ?? ''}
              error={errors['tls.serverName']}
              onChange={(serverName) => set({ tls: { ...value.tls, serverName } })}
            />
          </Columns>
        </details>
      )}
      <BindFields value={value} errors={errors} secretsSet={secretsSet} onChange={(bind) => set({ bind })} />
      <ConnectionTest kind={kind} settings={fromLdap(value)} />
    </Stack>
  );
}

function BindFields({
  value: { bind },
  errors,
  secretsSet,
  onChange,
}: {
  readonly value: Ldap;
  readonly errors: SectionProps<Ldap>['errors'];
  readonly secretsSet: readonly string[];
  readonly onChange: (bind: Ldap['bind']) => void;
}) {
  const t = useT(LDAP);
  return (
    <>
      <Check
        label={t('anonymous')}
        note={t('anonymousNote')}
        checked={bind === null}
        onChange={(anonymous) => onChange(anonymous ? null : { dn: '' })}
      />
      {bind === null ? null : (
        <Columns>
          <TextField
            label={t('bindDn')}
            hint={t('bindDnHint')}
            mono
            value={bind.dn}
            error={errors['bind.dn']}
            onChange={(dn) => onChange({ ...bind, dn })}
          />
          <TextField
            label={t('password')}
            hint={t(secretsSet.includes('bind.password') ? 'passwordKept' : 'passwordHint')}
            type="password"
            autoComplete="new-password"
            value={bind.password ?? ''}
            error={errors['bind.password']}
            onChange={(password) => onChange({ ...bind, password })}
          />
        </Columns>
      )}
    </>
  );
}

/** Where users and groups are, and by what each is known for ever. */
function ScopeSection({ kind, value, onChange, errors }: SectionProps<Ldap>) {
  const t = useT(LDAP);
  const set = (changes: Partial<Ldap>): void => onChange({ ...value, ...changes });
  return (
    <Stack>
      <SearchFields
        legend={t('users')}
        value={value.users}
        usual={t(value.preset === 'activeDirectory' ? 'adUserFilter' : 'openldapUserFilter')}
        errorOf={(name) => errors[`users.${name}`]}
        onChange={(users) => set({ users })}
      />
      <Check
        label={t('readGroups')}
        checked={value.groups !== null}
        onChange={(on) => set({ groups: on ? { ...SEARCH, base: value.users.base } : null })}
      />
      {value.groups === null ? null : (
        <SearchFields
          legend={t('groups')}
          value={value.groups}
          usual={t(value.preset === 'activeDirectory' ? 'adGroupFilter' : 'openldapGroupFilter')}
          errorOf={(name) => errors[`groups.${name}`]}
          onChange={(groups) => set({ groups })}
        />
      )}
      <Columns>
        <TextField
          label={t('anchor')}
          hint={t('anchorHint')}
          placeholder={value.preset === 'activeDirectory' ? 'objectGUID' : 'entryUUID'}
          mono
          value={value.anchor ?? ''}
          error={errors['anchor']}
          onChange={(anchor) => set({ anchor })}
        />
        <TextField
          label={t('memberAttribute')}
          hint={t('memberHint')}
          placeholder="member"
          mono
          value={value.memberAttribute ?? ''}
          error={errors['memberAttribute']}
          onChange={(memberAttribute) => set({ memberAttribute })}
        />
        <SelectField
          label={t('incremental')}
          hint={t('incrementalHint')}
          value={value.incremental}
          onChange={(incremental) => set({ incremental: incremental as Ldap['incremental'] })}
          options={(['auto', 'off'] as const).map((name) => [name, t(name)] as const)}
        />
      </Columns>
      <ConnectionTest kind={kind} settings={fromLdap(value)} />
    </Stack>
  );
}

function SearchFields({
  legend,
  value,
  usual,
  errorOf,
  onChange,
}: {
  readonly legend: string;
  readonly value: Search;
  readonly usual: string;
  readonly errorOf: (name: keyof Search) => string | undefined;
  readonly onChange: (next: Search) => void;
}) {
  const t = useT(LDAP);
  return (
    <fieldset className={css.set}>
      <legend>{legend}</legend>
      <Columns>
        <TextField
          label={t('base')}
          hint={t('baseHint')}
          mono
          value={value.base}
          error={errorOf('base')}
          onChange={(base) => onChange({ ...value, base })}
        />
        <SelectField
          label={t('depth')}
          value={value.scope}
          onChange={(scope) => onChange({ ...value, scope: scope as Search['scope'] })}
          options={(['sub', 'one', 'base'] as const).map((name) => [name, t(`depth-${name}`)] as const)}
        />
      </Columns>
      <TextField
        label={t('ldapFilter')}
        hint={t('ldapFilterHint')}
        placeholder={usual}
        mono
        value={value.filter ?? ''}
        error={errorOf('filter')}
        onChange={(filter) => onChange({ ...value, filter })}
      />
    </fieldset>
  );
}

export const LDAP_FORMS: Forms<Ldap> = {
  kind: 'ldap',
  read: toLdap,
  body: fromLdap,
  missing(value) {
    const given = { url: hostOf(value), 'bind.dn': value.bind?.dn ?? '-' };
    return Object.entries(given).flatMap(([name, text]) => (text.trim() === '' ? [name] : []));
  },
  sections: [
    { name: 'connect', fields: /^(preset|url|startTls|allowPlaintext|tls|bind)/, Show: ConnectSection },
    { name: 'scope', fields: /^(users|groups|anchor|memberAttribute|incremental)/, Show: ScopeSection },
    {
      name: 'filters',
      fields: /^scope\.filter/,
      Show: (props) => <FilterSection {...props} body={fromLdap} />,
    },
    { name: 'mapping', fields: /^mapping/, Show: MappingSection },
    { name: 'accounts', fields: /^(scope|adopt|matching)/, Show: AccountsSection },
    { name: 'first', fields: /^initialRun/, Show: FirstRunSection },
  ],
};
