import { useState } from 'react';
import { useCall, useGet } from '../../api/queries.ts';
import { useT } from '../../app/i18n.ts';
import { useNeeds } from '../../app/session.tsx';
import { Skeleton } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Choice, SelectField, TextField } from '../../ui/field.tsx';
import { Card, Columns, Page, Stack } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { toast } from '../../ui/toast.tsx';
import { CsvFiles } from './csv-files.tsx';
import { CSV } from './csv-words.ts';
import { fieldErrors, type Json } from './model.ts';
import { PreviewStep } from './preview.tsx';

type SourceKind = 'upload' | 'folder' | 'url';

interface Csv {
  readonly source: { readonly kind: SourceKind } & Readonly<Record<string, unknown>>;
  readonly format: Readonly<Record<string, unknown>>;
  readonly columns: Readonly<Record<string, unknown>>;
  readonly [more: string]: unknown;
}

function toCsv(saved: Json | undefined): Csv {
  const { configVersion: _version, secretsSet: _set, ...given } = (saved ?? {}) as Json & Partial<Csv>;
  return {
    ...given,
    source: { kind: 'upload', ...given.source },
    format: { ...given.format },
    columns: { anchor: 'id', ...given.columns },
  };
}

/** The whole of the CSV source on one page: settings, files, a look at them, and turning it on. */
export function CsvPage() {
  const t = useT(CSV);
  const saved = useGet('GET /providers/{kind}', { path: { kind: 'csv' } });
  const guard = useGet('GET /guard');
  const schedule = useGet('GET /schedule');
  return (
    <Page title={t('title')} lead={t('lead')}>
      {saved.isPending && saved.failureCount === 0 ? (
        <Skeleton />
      ) : (
        <Form key={saved.data === undefined ? 'new' : 'saved'} saved={saved.data as Json | undefined} />
      )}
      {saved.data === undefined || guard.data === undefined || schedule.data === undefined ? null : (
        <Card title={t('turnOn')}>
          <PreviewStep kind="csv" schedule={schedule.data} guard={guard.data} />
        </Card>
      )}
    </Page>
  );
}

function Form({ saved }: { readonly saved: Json | undefined }) {
  const t = useT(CSV);
  const needs = useNeeds('admin');
  const save = useCall('PUT /providers/{kind}');
  const [value, setValue] = useState(() => toCsv(saved));
  const errors = fieldErrors(save.error);
  const { source, format, columns } = value;
  const text = (name: string): string => String(source[name] ?? '');
  const setSource = (changes: Json): void => setValue({ ...value, source: { ...source, ...changes } as Csv['source'] });
  const file = (name: 'users' | 'groups' | 'memberships', label: 'usersFile' | 'groupsFile' | 'membershipsFile') => (
    <TextField
      key={name}
      label={t(label)}
      value={text(name)}
      error={errors[`source.${name}`]}
      onChange={(next) => setSource({ [name]: next === '' && name !== 'users' ? null : next })}
    />
  );
  return (
    <>
      <Card
        foot={
          <Button
            look="primary"
            off={needs}
            busy={save.isPending}
            onClick={() =>
              save.mutate({ path: { kind: 'csv' }, body: value as never }, { onSuccess: () => toast(t('saved')) })
            }
          >
            {t('save')}
          </Button>
        }
      >
        <Stack>
          <Refusal error={save.error} />
          <Choice
            legend={t('source')}
            value={source.kind}
            onChange={(kind) =>
              setValue({
                ...value,
                source: kind === 'upload' ? { kind } : { kind, users: kind === 'folder' ? 'users.csv' : '' },
              })
            }
            options={(['upload', 'folder', 'url'] as const).map((kind) => ({ value: kind, label: t(kind) }))}
          />
          {source.kind === 'upload' ? null : (
            <Columns>
              {source.kind === 'folder' ? (
                <TextField
                  label={t('path')}
                  value={text('path')}
                  error={errors['source.path']}
                  onChange={(path) => setSource({ path })}
                />
              ) : null}
              {file('users', 'usersFile')}
              {file('groups', 'groupsFile')}
              {file('memberships', 'membershipsFile')}
              {source.kind === 'url' ? (
                <TextField
                  label={t('authorization')}
                  type="password"
                  value={text('authorization')}
                  onChange={(next) => setSource({ authorization: next === '' ? undefined : next })}
                />
              ) : null}
            </Columns>
          )}
          <Columns>
            <TextField
              label={t('anchor')}
              hint={t('anchorHint')}
              value={String(columns['anchor'] ?? 'id')}
              error={errors['columns.anchor']}
              onChange={(anchor) => setValue({ ...value, columns: { ...columns, anchor } })}
            />
            <SelectField
              label={t('encoding')}
              value={String(format['encoding'] ?? 'auto')}
              onChange={(encoding) => setValue({ ...value, format: { ...format, encoding } })}
              options={(['auto', 'utf-8', 'utf-16le', 'utf-16be', 'cp949'] as const).map(
                (name) => [name, name === 'auto' ? t('auto') : name.toUpperCase()] as const,
              )}
            />
            <SelectField
              label={t('onBadLine')}
              value={String(format['onBadLine'] ?? 'removeNobody')}
              onChange={(onBadLine) => setValue({ ...value, format: { ...format, onBadLine } })}
              options={(['removeNobody', 'skip'] as const).map((name) => [name, t(name)] as const)}
            />
          </Columns>
        </Stack>
      </Card>
      {saved === undefined ? null : <CsvFiles uploads={source.kind === 'upload'} />}
    </>
  );
}
