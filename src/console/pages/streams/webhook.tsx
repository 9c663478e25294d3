import { KeyRound, Send } from 'lucide-react';
import { useState } from 'react';
import type { Tagged } from '../../api/client.ts';
import { useCall } from '../../api/queries.ts';
import type { App, Webhook, WebhookEvent } from '../../api/types.ts';
import { AppDocument, useAppDraft } from '../../app/conflict/app-draft.tsx';
import { dateTime } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { Sentence } from '../../app/sentence.tsx';
import { useNeeds } from '../../app/session.tsx';
import { COMMON } from '../../app/words.ts';
import { Badge } from '../../ui/badge.tsx';
import { Banner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Check, Choice, SelectField, TextField } from '../../ui/field.tsx';
import { Card, Stack } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { Table } from '../../ui/table.tsx';
import { toast } from '../../ui/toast.tsx';
import { EventsField } from './fields.tsx';
import { StreamPanel } from './panel.tsx';
import { SecretOnce } from './secret.tsx';
import { NewStream, type Start, StreamSettings } from './set-up.tsx';
import { WORDS } from './words.ts';

const EVENTS = [
  ...(['user.created', 'user.updated', 'user.activated', 'user.deactivated', 'user.deleted'] as const),
  ...(['group.created', 'group.updated', 'group.deleted'] as const),
] satisfies readonly WebhookEvent[];

interface Entered {
  readonly url: string;
  readonly events: readonly WebhookEvent[];
  readonly payload: 'thin' | 'full';
  readonly signatures: readonly ('v1' | 'v1a')[];
}

const NEW: Entered = { url: '', events: [], payload: 'thin', signatures: ['v1'] };

/** The webhook of an app, or its set-up. A secret that the gateway made is shown once. */
export function WebhookTab({ app }: { readonly app: App }) {
  const [secret, setSecret] = useState<string | undefined>(undefined);
  return (
    <>
      {app.webhook === null ? (
        <NewWebhook app={app} onSecret={setSecret} />
      ) : (
        <AppDocument key={app.id} id={app.id}>
          {(saved) => <Existing app={app} saved={saved} webhook={app.webhook as Webhook} onSecret={setSecret} />}
        </AppDocument>
      )}
      {secret === undefined ? null : <SecretOnce secret={secret} onClose={() => setSecret(undefined)} />}
    </>
  );
}

interface Told {
  readonly app: App;
  readonly onSecret: (secret: string) => void;
}

function NewWebhook({ app, onSecret }: Told) {
  const t = useT(WORDS);
  const save = useCall('PATCH /apps/{id}');
  const [value, setValue] = useState(NEW);
  // What the stream tells may show the webhook in place of this before the answer with its secret is here.
  const create = (start: Start): void =>
    void save.mutateAsync({ path: { id: app.id }, body: { webhook: { ...value, start } } }).then(
      ({ webhook }) => webhook?.secret !== undefined && onSecret(webhook.secret),
      () => undefined,
    );
  return (
    <NewStream title={t('newWebhook')} lead={t('newWebhookLead')} save={save} onCreate={create}>
      <Fields value={value} onChange={setValue} />
    </NewStream>
  );
}

function Fields({ value, onChange }: { readonly value: Entered; readonly onChange: (next: Entered) => void }) {
  const t = useT(WORDS);
  const set = (changes: Partial<Entered>): void => onChange({ ...value, ...changes });
  return (
    <Stack>
      <TextField
        label={t('url')}
        hint={t('urlHint')}
        type="url"
        mono
        value={value.url}
        onChange={(url) => set({ url })}
      />
      <EventsField all={EVENTS} value={value.events} onChange={(events) => set({ events })} />
      <Choice
        legend={t('payload')}
        value={value.payload}
        onChange={(payload) => set({ payload })}
        options={[
          { value: 'thin', label: t('thin'), note: t('thinNote') },
          { value: 'full', label: t('full'), note: t('fullNote') },
        ]}
      />
      <Check
        label={t('v1a')}
        note={t('v1aNote')}
        checked={value.signatures.includes('v1a')}
        onChange={(isOn) => set({ signatures: isOn ? ['v1', 'v1a'] : ['v1'] })}
      />
    </Stack>
  );
}

function enteredOf({ url, events, payload, signatures }: Webhook): Entered {
  return { url, events, payload, signatures };
}

function Existing({
  app,
  saved,
  webhook,
  onSecret,
}: Told & { readonly saved: Tagged<App>; readonly webhook: Webhook }) {
  const t = useT(WORDS);
  const needs = useNeeds('admin');
  const operator = useNeeds('operator');
  const test = useCall('POST /apps/{id}/webhook/test');
  const [rotating, setRotating] = useState(false);
  const draft = useAppDraft({
    saved,
    shape: (read: App) => (read.webhook === null ? NEW : enteredOf(read.webhook)),
    body: (entered) => ({ webhook: entered }),
    nameOf: (path) => (path in WORDS ? t(path as keyof typeof WORDS) : undefined),
  });
  return (
    <>
      <StreamPanel app={app} version={saved.etag} noun="webhook" stream={webhook} title={webhook.url}>
        <Button
          small
          icon={<Send size={15} />}
          off={operator}
          busy={test.isPending}
          onClick={() => test.mutate({ path: { id: app.id } })}
        >
          {t('test')}
        </Button>
        <Button small icon={<KeyRound size={15} />} off={needs} onClick={() => setRotating(true)}>
          {t('rotate')}
        </Button>
      </StreamPanel>
      <div aria-live="polite" style={{ display: 'contents' }}>
        <Refusal error={test.error} />
        {test.data === undefined ? null : (
          <Banner
            tone={test.data.ok ? 'green' : 'red'}
            title={t(test.data.ok ? 'testOk' : 'testBad', { status: test.data.status ?? '' })}
          >
            {test.data.ok ? null : (
              <>
                <Sentence>{test.data.checks[0]?.detail ?? ''}</Sentence>{' '}
                <Sentence>{test.data.checks[0]?.remedy ?? ''}</Sentence>{' '}
              </>
            )}
            {test.data.answer === null || test.data.answer === '' ? null : t('answer', { text: test.data.answer })}
          </Banner>
        )}
      </div>
      <StreamSettings
        draft={draft}
        onSave={() =>
          draft.save((answer) => {
            toast(t('saved'));
            if (answer.webhook?.secret !== undefined) onSecret(answer.webhook.secret);
          })
        }
      >
        <Fields value={draft.value} onChange={draft.setValue} />
      </StreamSettings>
      <Keys keys={webhook.keys} />
      {rotating ? <Rotate app={app} onSecret={onSecret} onClose={() => setRotating(false)} /> : null}
    </>
  );
}

function Keys({ keys }: { readonly keys: Webhook['keys'] }) {
  const t = useT(WORDS);
  const language = useLanguage();
  return (
    <Card title={t('keys')} flush>
      <Table
        label={t('keys')}
        items={keys}
        keyOf={({ id }) => id}
        columns={[
          { name: t('kind'), cell: ({ kind }) => t(kind) },
          {
            name: t('key'),
            cell: ({ hint, publicKey }) => <code>{hint === undefined ? (publicKey ?? '–') : t('hint', { hint })}</code>,
          },
          { name: t('made'), cell: ({ createdAt }) => dateTime(createdAt, language) },
          {
            name: t('ends'),
            end: true,
            cell: ({ expiresAt }) =>
              expiresAt === null ? <Badge tone="green">{t('newest')}</Badge> : dateTime(expiresAt, language),
          },
        ]}
      />
    </Card>
  );
}

function Rotate({ app, onSecret, onClose }: Told & { readonly onClose: () => void }) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const rotate = useCall('POST /apps/{id}/webhook/rotate-secret');
  const [hours, setHours] = useState('24');
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('rotateTitle')}
      lead={t('rotateText')}
      foot={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button
            look="primary"
            busy={rotate.isPending}
            onClick={() =>
              rotate.mutateAsync({ path: { id: app.id }, body: { overlapHours: Number(hours) } }).then(
                ({ secret }) => {
                  onClose();
                  if (secret !== null) onSecret(secret);
                },
                () => undefined,
              )
            }
          >
            {t('rotateDo')}
          </Button>
        </>
      }
    >
      <Refusal error={rotate.error} />
      <SelectField
        label={t('overlap')}
        value={hours}
        onChange={setHours}
        options={[
          ['24', t('overlap24')],
          ['168', t('overlap168')],
          ['0', t('overlap0')],
        ]}
      />
    </Dialog>
  );
}
