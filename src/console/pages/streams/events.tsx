import { BadgeCheck, Copy } from 'lucide-react';
import { useState } from 'react';
import type { Tagged } from '../../api/client.ts';
import { useCall } from '../../api/queries.ts';
import type { App, SecurityEvents, SetEvent } from '../../api/types.ts';
import { AppDocument, useAppDraft } from '../../app/conflict/app-draft.tsx';
import { useT } from '../../app/i18n.ts';
import { useNeeds } from '../../app/session.tsx';
import { Button } from '../../ui/button.tsx';
import { Choice, TextField } from '../../ui/field.tsx';
import { Card, Pairs, Row, Stack } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { toast } from '../../ui/toast.tsx';
import { copy } from '../apps/copy.ts';
import { EventsField } from './fields.tsx';
import { StreamPanel } from './panel.tsx';
import { NewStream, type Start, StreamSettings } from './set-up.tsx';
import { WORDS } from './words.ts';

const EVENTS = [
  'urn:ietf:params:scim:event:feed:add',
  'urn:ietf:params:scim:event:feed:remove',
  'urn:ietf:params:scim:event:prov:create:notice',
  'urn:ietf:params:scim:event:prov:create:full',
  'urn:ietf:params:scim:event:prov:patch:notice',
  'urn:ietf:params:scim:event:prov:put:full',
  'urn:ietf:params:scim:event:prov:delete',
  'urn:ietf:params:scim:event:prov:activate',
  'urn:ietf:params:scim:event:prov:deactivate',
] as const satisfies readonly SetEvent[];

interface Entered {
  readonly method: 'push' | 'poll';
  readonly url: string;
  readonly authorization: string;
  readonly audience: string;
  readonly events: readonly SetEvent[];
  readonly payload: 'notice' | 'full';
}

const NEW: Entered = {
  ...{ method: 'push', url: '', authorization: '', audience: '', events: [], payload: 'notice' },
};

function enteredOf({ delivery, audience, events, payload }: SecurityEvents): Entered {
  const url = delivery.method === 'push' ? delivery.url : '';
  return { method: delivery.method, url, authorization: '', audience: audience.join(', '), events, payload };
}

function bodyOf({ method, url, authorization, audience, events, payload }: Entered) {
  const named = audience.split(',').flatMap((one) => (one.trim() === '' ? [] : [one.trim()]));
  const delivery =
    method === 'poll'
      ? { method: 'poll' as const }
      : { method: 'push' as const, url: url.trim(), ...(authorization === '' ? {} : { authorization }) };
  return { delivery, events, payload, ...(named.length === 0 ? {} : { audience: named }) };
}

/** The stream of security event tokens of an app, or its set-up. */
export function EventsTab({ app }: { readonly app: App }) {
  const { events } = app;
  if (events === null) return <NewEvents app={app} />;
  return (
    <AppDocument key={app.id} id={app.id}>
      {(saved) => <Existing app={app} saved={saved} stream={events} />}
    </AppDocument>
  );
}

function NewEvents({ app }: { readonly app: App }) {
  const t = useT(WORDS);
  const save = useCall('PATCH /apps/{id}');
  const [value, setValue] = useState(NEW);
  const create = (start: Start): void =>
    save.mutate(
      { path: { id: app.id }, body: { events: { ...bodyOf(value), start } } },
      { onSuccess: () => toast(t('saved')) },
    );
  return (
    <NewStream title={t('newEvents')} lead={t('newEventsLead')} save={save} onCreate={create}>
      <Fields value={value} onChange={setValue} hasAuthorization={false} />
    </NewStream>
  );
}

function Fields({
  value,
  onChange,
  hasAuthorization,
}: {
  readonly value: Entered;
  readonly onChange: (next: Entered) => void;
  readonly hasAuthorization: boolean;
}) {
  const t = useT(WORDS);
  const set = (changes: Partial<Entered>): void => onChange({ ...value, ...changes });
  return (
    <Stack>
      <Choice
        legend={t('how')}
        value={value.method}
        onChange={(method) => set({ method })}
        options={[
          { value: 'push', label: t('push'), note: t('pushNote') },
          { value: 'poll', label: t('poll'), note: t('pollNote') },
        ]}
      />
      {value.method === 'poll' ? null : (
        <>
          <TextField
            label={t('url')}
            hint={t('urlHint')}
            type="url"
            mono
            value={value.url}
            onChange={(url) => set({ url })}
          />
          <TextField
            label={t('authorization')}
            hint={t(hasAuthorization ? 'authorizationKept' : 'authorizationHint')}
            type="password"
            autoComplete="new-password"
            value={value.authorization}
            onChange={(authorization) => set({ authorization })}
          />
        </>
      )}
      <TextField
        label={t('audience')}
        hint={t('audienceHint')}
        mono
        value={value.audience}
        onChange={(audience) => set({ audience })}
      />
      <EventsField all={EVENTS} value={value.events} onChange={(events) => set({ events })} />
      <Choice
        legend={t('payload')}
        value={value.payload}
        onChange={(payload) => set({ payload })}
        options={[
          { value: 'notice', label: t('notice'), note: t('noticeNote') },
          { value: 'full', label: t('full'), note: t('fullSetNote') },
        ]}
      />
    </Stack>
  );
}

function Existing({
  app,
  saved,
  stream,
}: {
  readonly app: App;
  readonly saved: Tagged<App>;
  readonly stream: SecurityEvents;
}) {
  const t = useT(WORDS);
  const operator = useNeeds('operator');
  const verify = useCall('POST /apps/{id}/events/verify');
  const draft = useAppDraft({
    saved,
    shape: (read: App) => (read.events === null ? NEW : enteredOf(read.events)),
    body: (entered) => ({ events: bodyOf(entered) }),
    nameOf: (path) => (path in WORDS ? t(path as keyof typeof WORDS) : undefined),
  });
  const polls = stream.delivery.method === 'poll';
  const shown = (text: string) => (
    <Row>
      <code>{text}</code>
      <Button
        small
        icon={<Copy size={14} />}
        aria-label={`${t('copy')}: ${text}`}
        onClick={() => void copy(text, t('copied'))}
      >
        {t('copy')}
      </Button>
    </Row>
  );
  return (
    <>
      <StreamPanel
        app={app}
        version={saved.etag}
        noun="events"
        stream={stream}
        title={polls ? t('poll') : stream.delivery.url}
      >
        <Button
          small
          icon={<BadgeCheck size={15} />}
          off={operator}
          busy={verify.isPending}
          onClick={() => verify.mutate({ path: { id: app.id }, body: {} }, { onSuccess: () => toast(t('verified')) })}
        >
          {t('verify')}
        </Button>
      </StreamPanel>
      <Refusal error={verify.error} />
      <Card title={t('receiver')}>
        <Pairs
          items={[
            ...(polls ? [[t('address'), shown(stream.delivery.url)] as const] : []),
            [t('issuer'), shown(stream.issuer)],
            [t('jwks'), shown(stream.jwksUri)],
            [t('audience'), <code key="audience">{stream.audience.join(', ')}</code>],
          ]}
        />
      </Card>
      <StreamSettings draft={draft} onSave={() => draft.save(() => toast(t('saved')))}>
        <Fields
          value={draft.value}
          onChange={draft.setValue}
          hasAuthorization={stream.delivery.authorizationSet === true}
        />
      </StreamSettings>
    </>
  );
}
