import { CircleCheck, CircleX, PlugZap } from 'lucide-react';
import { useState } from 'react';
import { useCall } from '../../api/queries.ts';
import type { TestResult } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { useNeeds } from '../../app/session.tsx';
import { Banner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Check, SelectField, TextField } from '../../ui/field.tsx';
import { Columns, Stack } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { type Credential, fromM365, type Json, type Kind, type M365 } from './model.ts';
import css from './setup.module.css';
import { WORDS } from './words.ts';

export interface SectionProps {
  readonly value: M365;
  readonly onChange: (next: M365) => void;
  readonly errors: Readonly<Record<string, string>>;
  readonly secretsSet: readonly string[];
}

/** Which tenant, as which application, and whether that works. */
export function ConnectSection({ value, onChange, errors, secretsSet }: SectionProps) {
  const t = useT(WORDS);
  const [own, setOwn] = useState(value.endpoints !== undefined);
  const set = (changes: Partial<M365>): void => onChange({ ...value, ...changes });
  return (
    <Stack>
      <Columns>
        <TextField
          label={t('tenantId')}
          hint={t('tenantHint')}
          value={value.tenantId}
          error={errors['tenantId']}
          onChange={(tenantId) => set({ tenantId })}
        />
        <TextField
          label={t('clientId')}
          value={value.clientId}
          error={errors['clientId']}
          onChange={(clientId) => set({ clientId })}
          mono
        />
      </Columns>
      <Columns>
        <SelectField
          label={t('credential')}
          value={value.credential.kind}
          onChange={(kind) => set({ credential: { kind: kind as Credential['kind'] } })}
          options={(['clientSecret', 'certificate', 'managedIdentity', 'federated'] as const).map(
            (kind) => [kind, t(kind)] as const,
          )}
        />
        <SelectField
          label={t('cloud')}
          value={value.cloud}
          onChange={(cloud) => set({ cloud })}
          options={(['global', 'usgov', 'usgovdod', 'china'] as const).map((cloud) => [cloud, t(cloud)] as const)}
        />
      </Columns>
      <CredentialFields
        value={value.credential}
        errors={errors}
        secretsSet={secretsSet}
        onChange={(credential) => set({ credential })}
      />
      <Check
        label={t('advanced')}
        note={t('advancedNote')}
        checked={own}
        onChange={(checked) => {
          setOwn(checked);
          set({ endpoints: checked ? { graph: '', login: '' } : undefined });
        }}
      />
      {own ? (
        <Columns>
          <TextField
            label={t('graph')}
            type="url"
            value={value.endpoints?.graph ?? ''}
            error={errors['endpoints.graph']}
            onChange={(graph) => set({ endpoints: { login: value.endpoints?.login ?? '', graph } })}
          />
          <TextField
            label={t('login')}
            type="url"
            value={value.endpoints?.login ?? ''}
            error={errors['endpoints.login']}
            onChange={(login) => set({ endpoints: { graph: value.endpoints?.graph ?? '', login } })}
          />
        </Columns>
      ) : null}
      <ConnectionTest kind="microsoft365" settings={fromM365(value)} />
    </Stack>
  );
}

function CredentialFields({
  value,
  onChange,
  errors,
  secretsSet,
}: {
  readonly value: Credential;
  readonly onChange: (next: Credential) => void;
  readonly errors: SectionProps['errors'];
  readonly secretsSet: readonly string[];
}) {
  const t = useT(WORDS);
  const kept = (path: string): string => (secretsSet.includes(path) ? t('secretKept') : t('secretHint'));
  if (value.kind === 'clientSecret')
    return (
      <TextField
        label={t('secret')}
        hint={kept('credential.secret')}
        type="password"
        autoComplete="new-password"
        value={value.secret ?? ''}
        error={errors['credential.secret']}
        onChange={(secret) => onChange({ ...value, secret })}
      />
    );
  if (value.kind === 'certificate')
    return (
      <Columns>
        <TextField
          label={t('certPem')}
          lines
          mono
          value={value.certificate ?? ''}
          error={errors['credential.certificate']}
          onChange={(certificate) => onChange({ ...value, certificate })}
        />
        <TextField
          label={t('keyPem')}
          hint={kept('credential.privateKey')}
          lines
          mono
          value={value.privateKey ?? ''}
          error={errors['credential.privateKey']}
          onChange={(privateKey) => onChange({ ...value, privateKey })}
        />
      </Columns>
    );
  if (value.kind === 'federated')
    return (
      <TextField
        label={t('tokenFile')}
        mono
        value={value.tokenFile ?? ''}
        error={errors['credential.tokenFile']}
        onChange={(tokenFile) => onChange({ ...value, tokenFile })}
      />
    );
  return null;
}

/** Tries settings that need not be saved yet. */
export function ConnectionTest({ kind, settings }: { readonly kind: Kind; readonly settings: Json }) {
  const t = useT(WORDS);
  const needs = useNeeds('operator');
  const test = useCall('POST /providers/{kind}/test');
  return (
    <Stack>
      <div>
        <Button
          icon={<PlugZap size={16} />}
          off={needs}
          busy={test.isPending}
          onClick={() => test.mutate({ path: { kind }, body: settings as never })}
        >
          {t('test')}
        </Button>
      </div>
      <div aria-live="polite">
        <Refusal error={test.error} />
        {test.data === undefined ? null : <Checks result={test.data} />}
      </div>
    </Stack>
  );
}

export function Checks({ result }: { readonly result: TestResult }) {
  const t = useT(WORDS);
  return (
    <Stack>
      <Banner tone={result.ok ? 'green' : 'amber'} title={t(result.ok ? 'tested' : 'testFailed')} />
      <ul className={css.checks}>
        {result.checks.map(({ name, ok, detail, remedy }) => (
          <li key={name + detail}>
            {ok ? (
              <CircleCheck size={17} className={css.good} aria-hidden />
            ) : (
              <CircleX size={17} className={css.bad} aria-hidden />
            )}
            <b>{name}</b>
            <span>
              {detail}
              {remedy === null ? null : <small>{remedy}</small>}
            </span>
          </li>
        ))}
      </ul>
    </Stack>
  );
}
