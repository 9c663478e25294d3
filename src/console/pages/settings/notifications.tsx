import { Send } from 'lucide-react';
import { callTagged, type Tagged } from '../../api/client.ts';
import { useCall, useDocument, useList } from '../../api/queries.ts';
import type { Notification, Notifications, NotificationsBody } from '../../api/types.ts';
import { useDraft } from '../../app/conflict/draft.tsx';
import { dateTime } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useFailed } from '../../app/korean.ts';
import { useNeeds } from '../../app/session.tsx';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { Empty } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Switch, TextField } from '../../ui/field.tsx';
import { Card } from '../../ui/layout.tsx';
import { Listed } from '../../ui/listed.tsx';
import { Loaded, Refusal, Together } from '../../ui/loaded.tsx';
import { Table } from '../../ui/table.tsx';
import { Checks } from '../setup/checks.tsx';
import { fieldErrors } from '../setup/model.ts';
import { EmailFields, NO_EMAIL, NO_WEBHOOK, WebhookFields } from './channels.tsx';
import { SaveCard } from './save-card.tsx';
import { WORDS } from './words.ts';

export function NotificationsTab() {
  const settings = useDocument('GET /notifications');
  const messages = useList('GET /notifications/messages');
  return (
    <Together of={[settings, messages]}>
      <Loaded query={settings}>{(data) => <Form saved={data} />}</Loaded>
      <Messages />
    </Together>
  );
}

function Form({ saved }: { readonly saved: Tagged<Notifications> }) {
  const t = useT(WORDS);
  const needs = useNeeds('admin');
  const test = useCall('POST /notifications/test');
  const draft = useDraft({
    saved,
    shape: bodyOf,
    read: () => callTagged('GET /notifications'),
    write: (body, { etag: ifMatch }) => callTagged('PUT /notifications', { body, ifMatch }),
    topic: 'notifications',
    nameOf: (path) => {
      const [of = '', field = of] = path.split('.');
      if (of === 'remindAfterHours') return t('remind');
      return field in WORDS
        ? `${t(of === 'email' ? 'email' : 'webhook')}: ${t(field as keyof typeof WORDS)}`
        : undefined;
    },
    sayValue: (path, on) => (path.endsWith('.on') && String(on) in WORDS ? t(on as 'always') : undefined),
  });
  const { value, setValue } = draft;
  const errors = fieldErrors(draft.error, draft.refused, draft.value);
  const secrets = (draft.base as { secretsSet?: readonly string[] }).secretsSet ?? [];
  return (
    <SaveCard
      draft={draft}
      extra={
        <Button
          icon={<Send size={15} />}
          off={needs}
          busy={test.isPending}
          onClick={() => test.mutate({ body: value as never })}
        >
          {t('test')}
        </Button>
      }
    >
      <Refusal error={test.error} />
      {test.data === undefined ? null : <Checks result={test.data} />}
      <Switch
        label={t('emailOn')}
        checked={value.email != null}
        onChange={(on) => setValue({ ...value, email: on ? NO_EMAIL : null })}
      />
      {value.email == null ? null : (
        <EmailFields
          value={value.email}
          errors={errors}
          kept={secrets.some((path) => path.includes('password'))}
          onChange={(email) => setValue({ ...value, email })}
        />
      )}
      <Switch
        label={t('webhookOn')}
        checked={value.webhook != null}
        onChange={(on) => setValue({ ...value, webhook: on ? NO_WEBHOOK : null })}
      />
      {value.webhook == null ? null : (
        <WebhookFields
          value={value.webhook}
          errors={errors}
          kept={secrets.some((path) => path.includes('secret'))}
          onChange={(webhook) => setValue({ ...value, webhook })}
        />
      )}
      <TextField
        label={t('remind')}
        hint={t('remindHint')}
        type="number"
        min={1}
        max={168}
        value={value.remindAfterHours == null ? '' : String(value.remindAfterHours)}
        error={errors['remindAfterHours']}
        onChange={(text) => setValue({ ...value, remindAfterHours: text === '' ? null : Number(text) })}
      />
    </SaveCard>
  );
}

/** What an answer has beside the settings is not sent back. */
function bodyOf({ email, webhook, remindAfterHours }: Notifications): NotificationsBody {
  const known = <Part extends object>(part: Part | null | undefined, names: readonly string[]): Part | null =>
    part == null ? null : (Object.fromEntries(Object.entries(part).filter(([name]) => names.includes(name))) as Part);
  return {
    email: known(email, ['on', 'host', 'port', 'security', 'user', 'from', 'to', 'attachments']),
    webhook: known(webhook, ['on', 'url']),
    remindAfterHours: remindAfterHours ?? null,
  } as NotificationsBody;
}

const TONES: Readonly<Record<Notification['state'], Tone>> = {
  pending: 'blue',
  sent: 'green',
  failed: 'red',
  dropped: 'grey',
};

function Messages() {
  const t = useT(WORDS);
  const failed = useFailed();
  const language = useLanguage();
  const list = useList('GET /notifications/messages');
  return (
    <Card title={t('messages')} flush>
      <Listed list={list} empty={<Empty icon={<Send size={26} />} title={t('noMessages')} />}>
        <Table
          label={t('messages')}
          items={list.items}
          keyOf={({ id }) => id}
          columns={[
            { name: t('event'), cell: ({ event }) => t(event) },
            { name: t('channel'), cell: ({ channel }) => t(channel) },
            {
              name: t('state'),
              cell: ({ state, error }) => (
                <>
                  <Badge tone={TONES[state]}>{t(state)}</Badge>
                  {error === null ? null : <small style={{ display: 'block' }}>{failed(error)}</small>}
                </>
              ),
            },
            { name: t('attempts'), end: true, cell: ({ attempts }) => attempts },
            { name: t('when'), end: true, cell: ({ createdAt }) => dateTime(createdAt, language) },
          ]}
        />
      </Listed>
    </Card>
  );
}
