import { useT } from '../../app/i18n.ts';
import { Choice, SelectField, TextField } from '../../ui/field.tsx';
import { Columns, Stack } from '../../ui/layout.tsx';
import { AccountsSection } from './accounts.tsx';
import { ConnectionTest } from './checks.tsx';
import { ColumnsSection } from './csv-columns.tsx';
import { CsvUpload } from './csv-files.tsx';
import { type Csv, fromCsv, type SourceKind, toCsv } from './csv-model.ts';
import { CSV } from './csv-words.ts';
import { FilterSection } from './filters.tsx';
import { FirstRunSection } from './first-run.tsx';
import type { Forms, SectionProps } from './forms.ts';
import { MappingSection } from './later-mapping.tsx';
import type { Json } from './model.ts';

/** Where the files come from, and how they are written. */
function FilesSection({ kind, value, onChange, errors, secretsSet }: SectionProps<Csv>) {
  const t = useT(CSV);
  const { source, format } = value;
  const text = (name: string): string => String(source[name] ?? '');
  const setSource = (changes: Json): void => onChange({ ...value, source: { ...source, ...changes } as Csv['source'] });
  const file = (name: 'users' | 'groups' | 'memberships') => (
    <TextField
      key={name}
      label={t(`${name}File`)}
      value={text(name)}
      mono
      error={errors[`source.${name}`]}
      onChange={(next) => setSource({ [name]: next === '' && name !== 'users' ? null : next })}
    />
  );
  return (
    <Stack>
      <Choice
        legend={t('source')}
        value={source.kind}
        onChange={(next) => onChange({ ...value, source: sourceOf(next) })}
        options={(['upload', 'folder', 'url'] as const).map((name) => ({
          value: name,
          label: t(name),
          note: t(`${name}Note`),
        }))}
      />
      {source.kind === 'upload' ? (
        <CsvUpload />
      ) : (
        <Columns>
          {source.kind === 'folder' ? (
            <TextField
              label={t('path')}
              mono
              value={text('path')}
              error={errors['source.path']}
              onChange={(path) => setSource({ path })}
            />
          ) : null}
          {file('users')}
          {file('groups')}
          {file('memberships')}
          {source.kind === 'url' ? (
            <TextField
              label={t('authorization')}
              hint={t(secretsSet.includes('source.authorization') ? 'authorizationKept' : 'authorizationHint')}
              type="password"
              autoComplete="new-password"
              value={text('authorization')}
              error={errors['source.authorization']}
              onChange={(next) => setSource({ authorization: next === '' ? undefined : next })}
            />
          ) : null}
        </Columns>
      )}
      <Columns>
        <SelectField
          label={t('encoding')}
          value={format.encoding}
          onChange={(encoding) => onChange({ ...value, format: { ...format, encoding } })}
          options={(['auto', 'utf-8', 'utf-16le', 'utf-16be', 'cp949', 'windows-1252'] as const).map(
            (name) => [name, name === 'auto' ? t('auto') : name.toUpperCase()] as const,
          )}
        />
        <SelectField
          label={t('delimiter')}
          value={format.delimiter}
          error={errors['format.delimiter']}
          onChange={(delimiter) => onChange({ ...value, format: { ...format, delimiter } })}
          options={[
            ['auto', t('auto')],
            [',', t('comma')],
            [';', t('semicolon')],
            ['\t', t('tab')],
            ['|', t('bar')],
          ]}
        />
        <SelectField
          label={t('onBadLine')}
          value={format.onBadLine}
          onChange={(onBadLine) => onChange({ ...value, format: { ...format, onBadLine } })}
          options={(['removeNobody', 'skip'] as const).map((name) => [name, t(name)] as const)}
        />
      </Columns>
      <ConnectionTest kind={kind} settings={fromCsv(value)} />
    </Stack>
  );
}

function sourceOf(kind: SourceKind): Csv['source'] {
  return kind === 'upload' ? { kind } : { kind, users: kind === 'folder' ? 'users.csv' : '' };
}

export const CSV_FORMS: Forms<Csv> = {
  kind: 'csv',
  read: toCsv,
  body: fromCsv,
  missing: ({ source }) => (source.kind !== 'upload' && !source['users'] ? ['source.users'] : []),
  sections: [
    { name: 'connect', fields: /^(source|format)/, Show: FilesSection },
    { name: 'scope', fields: /^columns/, Show: ColumnsSection },
    { name: 'filters', fields: /^scope\.filter/, Show: (props) => <FilterSection {...props} body={fromCsv} /> },
    { name: 'mapping', fields: /^mapping/, Show: MappingSection },
    { name: 'accounts', fields: /^(scope|adopt|matching)/, Show: AccountsSection },
    { name: 'first', fields: /^initialRun/, Show: FirstRunSection },
  ],
};
