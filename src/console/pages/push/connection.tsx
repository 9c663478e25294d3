import { PlugZap } from 'lucide-react';
import { useState } from 'react';
import { useAsk, useGet } from '../../api/queries.ts';
import type { App } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { Sentence } from '../../app/sentence.tsx';
import { useNeeds } from '../../app/session.tsx';
import { Banner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { SelectField, TextField } from '../../ui/field.tsx';
import { Columns, Row, Stack } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { Steps } from '../../ui/steps.tsx';
import type { SettingsProps } from './model.ts';
import { type Auth, bodyOf, type Errors, type Push, pushOf, withPreset } from './model.ts';
import { WORDS } from './words.ts';

/** Which service, where, and what lets us in; and whether that works. */
export function ConnectionView({ app, value, onChange, errors }: SettingsProps) {
  const t = useT(WORDS);
  const presets = useGet('GET /targets/presets');
  const items = presets.data?.items ?? [];
  const set = (changes: Partial<Push>): void => onChange({ ...value, ...changes });
  return (
    <Stack>
      <Columns>
        <SelectField
          label={t('preset')}
          hint={t('presetHint')}
          value={value.preset ?? ''}
          onChange={(name) => {
            const preset = items.find((item) => (item.name ?? '') === name);
            if (preset !== undefined) onChange(withPreset(preset.settings, value));
          }}
          options={[
            ['', t('anyService')],
            ...items.flatMap(({ name, title }) => (name === null ? [] : [[name, title] as const])),
          ]}
        />
        <TextField
          label={t('baseUrl')}
          hint={t('baseUrlHint')}
          type="url"
          mono
          value={value.baseUrl}
          error={errors['baseUrl']}
          onChange={(baseUrl) => set({ baseUrl: baseUrl.trim() })}
        />
      </Columns>
      <AuthFields value={value.auth} saved={pushOf(app)?.auth} errors={errors} onChange={(auth) => set({ auth })} />
      <HeaderLines value={value.headers} errors={errors} onChange={(headers) => set({ headers })} />
      <TestConnection app={app} value={value} />
    </Stack>
  );
}

interface HeaderProps {
  readonly value: Push['headers'];
  readonly errors: Errors;
  readonly onChange: (next: Push['headers']) => void;
}

/** As they are typed, a half-typed name too; what else changes the settings is shown anew. */
function HeaderLines({ value, errors, onChange }: HeaderProps) {
  const t = useT(WORDS);
  const [typed, setTyped] = useState({ text: '', value: undefined as Push['headers'] | undefined });
  const text = typed.value === value ? typed.text : linesOf(value);
  return (
    <details open={Object.keys(value).length > 0}>
      <summary style={{ cursor: 'pointer', fontWeight: 580, marginBottom: 8 }}>{t('headers')}</summary>
      <TextField
        label={t('headers')}
        hint={t('headersHint')}
        lines
        mono
        value={text}
        error={Object.entries(errors).find(([path]) => path.startsWith('headers'))?.[1]}
        onChange={(next) => {
          const headers = headersOf(next);
          setTyped({ text: next, value: headers });
          onChange(headers);
        }}
      />
    </details>
  );
}

function linesOf(headers: Push['headers']): string {
  return Object.entries(headers)
    .map(([name, text]) => `${name}: ${text ?? ''}`)
    .join('\n');
}

/** A name without a value keeps the one that is saved. */
function headersOf(text: string): Push['headers'] {
  return Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const [name = '', ...rest] = line.split(':');
      return name.trim() === '' ? [] : [[name.trim(), rest.join(':').trim() || null]];
    }),
  );
}

interface AuthProps {
  readonly value: Auth;
  /** What is saved; its secrets are not shown, and kept when their field stays empty. */
  readonly saved: Auth | undefined;
  readonly errors: Errors;
  readonly onChange: (next: Auth) => void;
}

export function AuthFields({ value, saved, errors, onChange }: AuthProps) {
  const t = useT(WORDS);
  const set = (changes: Partial<Auth>): void => onChange({ ...value, ...changes });
  const text = (field: 'username' | 'tokenUrl' | 'clientId' | 'scope', label: string) => (
    <TextField
      label={label}
      mono={field !== 'username'}
      value={value[field] ?? ''}
      error={errors[`auth.${field}`]}
      onChange={(next) => set({ [field]: next })}
    />
  );
  const secret = (field: 'token' | 'password' | 'clientSecret') => (
    <TextField
      label={t(field)}
      hint={t(saved?.kind === value.kind ? 'secretKept' : 'secretHint')}
      type="password"
      autoComplete="new-password"
      value={value[field] ?? ''}
      error={errors[`auth.${field}`]}
      onChange={(next) => set({ [field]: next })}
    />
  );
  return (
    <Stack>
      <Columns>
        <SelectField
          label={t('auth')}
          value={value.kind}
          onChange={(kind) => onChange(kind === saved?.kind ? saved : { kind: kind as Auth['kind'] })}
          options={[
            ['bearer', t('bearer')],
            ['basic', t('basic')],
            ['oauth', t('oauth')],
            ['none', t('noAuth')],
          ]}
        />
        {value.kind === 'bearer' ? secret('token') : null}
        {value.kind === 'basic' ? text('username', t('username')) : null}
        {value.kind === 'oauth' ? text('tokenUrl', t('tokenUrl')) : null}
        {value.kind === 'basic' ? secret('password') : null}
        {value.kind === 'oauth' ? text('clientId', t('clientId')) : null}
        {value.kind === 'oauth' ? secret('clientSecret') : null}
        {value.kind === 'oauth' ? text('scope', t('oauthScope')) : null}
        {value.kind === 'oauth' ? (
          <SelectField
            label={t('style')}
            value={value.style ?? 'basic'}
            onChange={(style) => set({ style: style as 'basic' })}
            options={[
              ['basic', t('styleBasic')],
              ['form', t('styleForm')],
            ]}
          />
        ) : null}
      </Columns>
    </Stack>
  );
}

/** Tries settings that need not be saved yet: nothing is left behind. */
export function TestConnection({ app, value }: { readonly app: App; readonly value?: Push }) {
  const t = useT(WORDS);
  const needs = useNeeds('operator');
  const test = useAsk('POST /apps/{id}/push/test');
  const nameOf = (name: string): string => {
    const key = `step:${name}` as keyof typeof WORDS;
    return key in WORDS ? t(key) : name;
  };
  return (
    <div aria-live="polite">
      <Stack>
        <Row>
          <Button
            icon={<PlugZap size={16} />}
            off={needs}
            busy={test.isPending}
            onClick={() =>
              test.mutate({ path: { id: app.id }, ...(value === undefined ? {} : { body: bodyOf(value) as never }) })
            }
          >
            {t('test')}
          </Button>
          <span style={{ color: 'var(--muted)' }}>{t('testLead')}</span>
        </Row>
        <Refusal error={test.error} />
        {test.data === undefined ? null : (
          <>
            <Banner tone={test.data.ok ? 'green' : 'amber'} title={t(test.data.ok ? 'testOk' : 'testBad')} />
            <Steps
              items={test.data.checks.map((check) => ({
                ...check,
                name: nameOf(check.name),
                detail: <Sentence>{check.detail}</Sentence>,
                remedy: check.remedy === null ? null : <Sentence>{check.remedy}</Sentence>,
              }))}
            />
          </>
        )}
      </Stack>
    </div>
  );
}
