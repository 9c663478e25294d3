import { useEffect } from 'react';
import { useAsk } from '../../api/queries.ts';
import type { MappingRule, SourcePreview } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { useNeeds } from '../../app/session.tsx';
import { Badge } from '../../ui/badge.tsx';
import { Skeleton } from '../../ui/banner.tsx';
import { FilterSelect, SelectField, TextField } from '../../ui/field.tsx';
import { Columns, Stack } from '../../ui/layout.tsx';
import { Failure } from '../../ui/loaded.tsx';
import { Table } from '../../ui/table.tsx';
import { COLUMN_NAMES, type ColumnName, type Csv, fromCsv } from './csv-model.ts';
import { FirstRows } from './csv-rows.tsx';
import { CSV } from './csv-words.ts';
import type { SectionProps } from './forms.ts';
import css from './setup.module.css';

type FileFacts = SourcePreview['files'][number];

/** What each column means, beside the first rows and what would become of them. */
export function ColumnsSection({ kind, value, onChange, errors }: SectionProps<Csv>) {
  const t = useT(CSV);
  const needs = useNeeds('operator');
  const { data, error, mutate } = useAsk('POST /providers/{kind}/preview');
  const settings = JSON.stringify(fromCsv(value));
  const look = (): void => mutate({ path: { kind }, query: { rows: 5 }, body: JSON.parse(settings) });
  // biome-ignore lint/correctness/useExhaustiveDependencies: looked at again when the settings change
  useEffect(() => {
    if (needs === undefined) look();
  }, [settings, needs]);
  const set = (name: ColumnName | 'separator', column: string): void =>
    onChange({ ...value, columns: { ...value.columns, [name]: column } });
  const roles =
    data === undefined ? (['users'] as const) : data.files.map(({ role }) => role as keyof typeof COLUMN_NAMES);
  if (data === undefined && error === null && needs === undefined) return <Skeleton />;
  return (
    <Stack>
      {roles.map((role) => (
        <fieldset key={role} className={css.set}>
          <legend>{t(role)}</legend>
          <Columns>
            {COLUMN_NAMES[role].map((name) => (
              <ColumnField
                key={name}
                label={t(name === 'groups' ? 'groupsColumn' : name)}
                hint={name === 'anchor' ? t('anchorHint') : undefined}
                value={value.columns[name]}
                file={data?.files.find((file) => file.role === role)}
                error={errors[`columns.${name}`]}
                onChange={(column) => set(name, column)}
              />
            ))}
            {role === 'users' ? (
              <TextField
                label={t('separator')}
                mono
                value={value.columns.separator}
                error={errors['columns.separator']}
                onChange={(separator) => set('separator', separator)}
              />
            ) : null}
          </Columns>
        </fieldset>
      ))}
      {error === null ? null : <Failure error={error} onRetry={look} />}
      {data === undefined ? null : (
        <>
          <Headings
            file={data.files.find(({ role }) => role === 'users')}
            value={value}
            onRules={(users) => onChange({ ...value, mapping: { ...value.mapping, users } })}
          />
          <FirstRows preview={data} />
        </>
      )}
    </Stack>
  );
}

/** One of the headings that are there; a free text until the file has been looked at. */
function ColumnField({
  label,
  hint,
  value,
  file,
  error,
  onChange,
}: {
  readonly label: string;
  readonly hint: string | undefined;
  readonly value: string;
  readonly file: FileFacts | undefined;
  readonly error: string | undefined;
  readonly onChange: (column: string) => void;
}) {
  const t = useT(CSV);
  if (file === undefined)
    return <TextField label={label} hint={hint} value={value} error={error} onChange={onChange} />;
  const named = file.columns.filter(({ name }) => name !== null);
  const there = named.some(({ heading, name }) => heading === value || name === value);
  const chosen = named.find(({ heading }) => heading === value) ?? named.find(({ name }) => name === value);
  return (
    <SelectField
      label={label}
      hint={hint}
      value={chosen?.heading ?? value}
      error={error}
      onChange={onChange}
      options={[
        ...(there ? [] : [[value, t('notThere', { name: value })] as const]),
        ...named.map(({ heading }) => [heading, heading] as const),
      ]}
    />
  );
}

/** Attributes that a column of one's own is mostly meant for; others are entered under Attributes. */
const TARGETS = [
  'userName',
  'displayName',
  'name.givenName',
  'name.familyName',
  'title',
  'userType',
  'emails[type eq "work" and primary eq true].value',
  'phoneNumbers[type eq "work"].value',
  'phoneNumbers[type eq "mobile"].value',
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department',
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber',
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter',
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization',
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division',
];

/** Each heading with what it is understood as; one that is not can be given a meaning here. */
function Headings({
  file,
  value,
  onRules,
}: {
  readonly file: FileFacts | undefined;
  readonly value: Csv;
  readonly onRules: (rules: readonly MappingRule[]) => void;
}) {
  const t = useT(CSV);
  if (file === undefined) return null;
  const rules = value.mapping?.users ?? [];
  const rows = file.columns.map((column, index) => ({ ...column, index }));
  const special = new Set<string>([value.columns.anchor, value.columns.groups]);
  const give = (name: string, target: string): void => {
    const others = rules.filter(({ source }) => source !== name);
    onRules(target === '' ? others : [...others, { target, source: name, apply: 'always' }]);
  };
  return (
    <div>
      <h3>{t('meaning')}</h3>
      <Table
        label={t('meaning')}
        items={rows}
        keyOf={({ index }) => String(index)}
        columns={[
          { name: t('heading'), cell: ({ heading }) => heading || '–' },
          {
            name: t('example'),
            cell: ({ index }) => file.rows.find(({ problem }) => problem === null)?.cells[index] ?? '',
          },
          {
            name: t('means'),
            cell: ({ heading, name }) => {
              if (name === null) return <Badge tone="grey">{t('notRead')}</Badge>;
              const rule = rules.find(({ source }) => source === name || source === heading);
              const known = name !== heading || KNOWN.has(name) || special.has(heading) || special.has(name);
              if (known && rule === undefined) return <Badge tone="green">{name}</Badge>;
              const targets = rule === undefined || TARGETS.includes(rule.target) ? TARGETS : [rule.target, ...TARGETS];
              return (
                <FilterSelect
                  label={t('meansOf', { name: heading })}
                  value={rule?.target ?? ''}
                  onChange={(target) => give(name, target)}
                  options={[['', t('unused')], ...targets.map((target) => [target, shortOf(target)] as const)]}
                />
              );
            },
          },
        ]}
      />
    </div>
  );
}

function shortOf(target: string): string {
  return target.replace('urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:', '');
}

/** Names that the gateway reads columns under. */
const KNOWN = new Set(
  (
    'id userName displayName givenName familyName email title department division company costCenter employeeNumber ' +
    'manager phone mobile active userType preferredLanguage locale timezone street city region postalCode country'
  ).split(' '),
);
