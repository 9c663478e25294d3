import type { EmailChannel, WebhookChannel } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { Check, SelectField, TextField } from '../../ui/field.tsx';
import { Columns, Stack } from '../../ui/layout.tsx';
import { WORDS } from './words.ts';

export const NO_EMAIL: EmailChannel = {
  on: 'changes',
  host: '',
  port: 587,
  security: 'starttls',
  from: '',
  to: [],
  attachments: true,
} as EmailChannel;
export const NO_WEBHOOK: WebhookChannel = { on: 'changes', url: '' } as WebhookChannel;

interface Fields<Value> {
  readonly value: Value;
  readonly onChange: (next: Value) => void;
  readonly errors: Readonly<Record<string, string>>;
  /** A secret is saved already. */
  readonly kept: boolean;
}

type On = 'always' | 'changes' | 'failure';

function WhenField({ value, onChange }: { readonly value: string | undefined; readonly onChange: (next: On) => void }) {
  const t = useT(WORDS);
  return (
    <SelectField
      label={t('on')}
      value={value ?? 'changes'}
      onChange={(next) => onChange(next as On)}
      options={(['always', 'changes', 'failure'] as const).map((name) => [name, t(name)] as const)}
    />
  );
}

export function EmailFields({ value, onChange, errors, kept }: Fields<EmailChannel>) {
  const t = useT(WORDS);
  const set = (changes: Partial<EmailChannel>): void => onChange({ ...value, ...changes });
  const optional = (text: string): string | undefined => (text === '' ? undefined : text);
  const toError = Object.entries(errors).find(([path]) => path.startsWith('email.to'))?.[1];
  return (
    <Stack>
      <Columns>
        <TextField
          label={t('host')}
          value={value.host}
          error={errors['email.host']}
          onChange={(host) => set({ host })}
        />
        <TextField
          label={t('port')}
          type="number"
          value={String(value.port ?? 587)}
          error={errors['email.port']}
          onChange={(port) => set({ port: Number(port) })}
        />
        <SelectField
          label={t('security')}
          value={value.security ?? 'starttls'}
          error={errors['email.security']}
          onChange={(security) => set({ security: security as 'tls' })}
          options={(['starttls', 'tls', 'none'] as const).map((name) => [name, t(name)] as const)}
        />
        <WhenField value={value.on} onChange={(on) => set({ on })} />
        <TextField label={t('user')} value={value.user ?? ''} onChange={(user) => set({ user: optional(user) })} />
        <TextField
          label={t('password')}
          hint={kept ? t('secretKept') : undefined}
          type="password"
          autoComplete="new-password"
          value={value.password ?? ''}
          onChange={(password) => set({ password: optional(password) })}
        />
        <TextField
          label={t('from')}
          type="email"
          value={value.from}
          error={errors['email.from']}
          onChange={(from) => set({ from })}
        />
      </Columns>
      <TextField
        label={t('to')}
        hint={t('toHint')}
        lines
        value={value.to.join('\n')}
        error={toError}
        onChange={(to) => set({ to: to === '' ? [] : to.split('\n') })}
      />
      <Check
        label={t('attachments')}
        checked={value.attachments ?? true}
        onChange={(attachments) => set({ attachments })}
      />
    </Stack>
  );
}

export function WebhookFields({ value, onChange, errors, kept }: Fields<WebhookChannel>) {
  const t = useT(WORDS);
  return (
    <Columns>
      <TextField
        label={t('url')}
        type="url"
        value={value.url}
        error={errors['webhook.url']}
        onChange={(url) => onChange({ ...value, url })}
      />
      <TextField
        label={t('secret')}
        hint={kept ? t('secretKept') : t('secretHint')}
        type="password"
        autoComplete="new-password"
        value={value.secret ?? ''}
        error={errors['webhook.secret']}
        onChange={(secret) => onChange({ ...value, secret: secret === '' ? undefined : secret })}
      />
      <WhenField value={value.on} onChange={(on) => onChange({ ...value, on })} />
    </Columns>
  );
}
