import { useState } from 'react';
import { useT } from '../../app/i18n.ts';
import { Check, SelectField, TextField } from '../../ui/field.tsx';
import { Columns, Stack } from '../../ui/layout.tsx';
import { ConnectionTest } from './checks.tsx';
import { Consent } from './consent.tsx';
import type { SectionProps } from './forms.ts';
import { type Credential, fromM365, type M365 } from './model.ts';
import { WORDS } from './words.ts';

/** Which tenant, as which application, and whether that works. */
export function ConnectSection({ value, onChange, errors, secretsSet }: SectionProps<M365>) {
  const t = useT(WORDS);
  const [own, setOwn] = useState(value.endpoints !== undefined);
  const set = (changes: Partial<M365>): void => onChange({ ...value, ...changes });
  return (
    <Stack>
      <p>{t('intro')}</p>
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
          onChange={(cloud) => set({ cloud: cloud as M365['cloud'] })}
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
      <Consent value={value} />
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
  readonly errors: SectionProps<M365>['errors'];
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
