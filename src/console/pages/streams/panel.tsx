import { Link } from '@tanstack/react-router';
import { Pause, Play, Send, Trash2 } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useCall } from '../../api/queries.ts';
import type { App, StreamHealth, TargetHealth } from '../../api/types.ts';
import { count, relative, span } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useNeeds } from '../../app/session.tsx';
import { HealthBadge, healthOf, useTargets } from '../../app/targets.tsx';
import { COMMON } from '../../app/words.ts';
import { Button, buttonClass } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Choice } from '../../ui/field.tsx';
import { HourStrip } from '../../ui/hours.tsx';
import { Card, Facts } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { toast } from '../../ui/toast.tsx';
import { Trouble } from '../apps/trouble.tsx';
import { WORDS } from './words.ts';

export type Noun = 'webhook' | 'events';

/** How a stream does, what is wrong with it, and what can be done: the same for webhooks and tokens. */
export function StreamPanel({
  app,
  version,
  noun,
  stream,
  title,
  children,
}: {
  readonly app: App;
  /** Of the app as it is shown: what is done here is done to that one, or refused. */
  readonly version: string;
  readonly noun: Noun;
  readonly stream: StreamHealth;
  readonly title: ReactNode;
  /** Further buttons. */
  readonly children?: ReactNode;
}) {
  const { targets } = useTargets(app.id);
  const target = targets.find(({ channel }) => channel === noun);
  const needs = useNeeds('operator');
  const t = useT(WORDS);
  const [resuming, setResuming] = useState(false);
  const resume = (
    <Button look="primary" icon={<Play size={16} />} off={needs} onClick={() => setResuming(true)}>
      {t('resumeFrom')}
    </Button>
  );
  return (
    <>
      {target === undefined ? null : (
        <Trouble
          short
          target={target}
          actions={
            stream.state === 'disabled' ? (
              <>
                <MessagesLink app={app} noun={noun} />
                {resume}
              </>
            ) : stream.state === 'paused' ? (
              <EnableButton app={app} version={version} noun={noun} enable primary />
            ) : (
              <MessagesLink app={app} noun={noun} />
            )
          }
        />
      )}
      <Card
        title={title}
        note={target === undefined ? undefined : <HealthBadge health={healthOf(target)} />}
        actions={
          <>
            {children}
            {stream.state === 'active' || stream.state === 'failing' ? (
              <EnableButton app={app} version={version} noun={noun} enable={false} />
            ) : null}
            <RemoveButton app={app} version={version} noun={noun} />
          </>
        }
        flush
      >
        <Figures app={app} noun={noun} stream={stream} target={target} />
      </Card>
      {resuming ? <ResumeDialog app={app} noun={noun} onClose={() => setResuming(false)} /> : null}
    </>
  );
}

function MessagesLink({ app, noun }: { readonly app: App; readonly noun: Noun }) {
  const t = useT(WORDS);
  return (
    <Link
      to="/apps/$id"
      params={{ id: app.id }}
      search={{ tab: 'deliveries', channel: noun } as never}
      className={buttonClass()}
    >
      <Send size={15} aria-hidden />
      {t('seeMessages')}
    </Link>
  );
}

const WINDOW = 1_000;

function Figures({
  app,
  noun,
  stream,
  target,
}: {
  readonly app: App;
  readonly noun: Noun;
  readonly stream: StreamHealth;
  readonly target: TargetHealth | undefined;
}) {
  const t = useT(WORDS);
  const language = useLanguage();
  const { leavers, waiting, oldestWaitingAt, lastSuccessAt, lastPolledAt } = stream;
  const link = (n: number, state: string) => (
    <Link to="/apps/$id" params={{ id: app.id }} search={{ tab: 'deliveries', channel: noun, state } as never}>
      {count(n, language)}
    </Link>
  );
  const at = (time: string | null | undefined): string =>
    time === null || time === undefined ? t('never') : relative(time, language);
  return (
    <>
      {target === undefined ? null : (
        <div style={{ padding: '0 20px 14px' }}>
          <HourStrip hours={target.hours} tall />
        </div>
      )}
      <div style={{ borderTop: '1px solid var(--border)' }}>
        <Facts
          big
          items={[
            {
              name: t('waiting'),
              value: link(waiting, 'pending'),
              note:
                waiting >= WINDOW
                  ? t('waitingFull')
                  : oldestWaitingAt === null
                    ? t('waitingNone')
                    : t('waitingNote', { t: relative(oldestWaitingAt, language) }),
            },
            { name: t('dead'), value: link(stream.dead, 'dead'), note: t('deadNote') },
            lastPolledAt === undefined
              ? { name: t('last'), value: at(lastSuccessAt), note: t('lastNote') }
              : { name: t('asked'), value: at(lastPolledAt), note: t('askedNote') },
            {
              name: t('leavers'),
              value: leavers.p95Ms === null ? '–' : span(leavers.p95Ms, language),
              note:
                leavers.p95Ms === null
                  ? t('leaversNone')
                  : t('leaversNote', {
                      n: leavers.count,
                      p50: span(leavers.p50Ms ?? 0, language),
                      worst: span(leavers.worstMs ?? 0, language),
                    }),
            },
          ]}
        />
      </div>
    </>
  );
}

interface OfStream {
  readonly app: App;
  readonly version: string;
  readonly noun: Noun;
}

function EnableButton({
  app,
  version,
  noun,
  enable,
  primary = false,
}: OfStream & {
  readonly enable: boolean;
  readonly primary?: boolean;
}) {
  const t = useT(WORDS);
  const needs = useNeeds('admin');
  const save = useCall('PATCH /apps/{id}');
  return (
    <Button
      small={!primary}
      look={primary ? 'primary' : undefined}
      icon={enable ? <Play size={15} /> : <Pause size={15} />}
      off={needs}
      busy={save.isPending}
      onClick={() =>
        save.mutate(
          { path: { id: app.id }, body: { [noun]: { enabled: enable } }, ifMatch: version },
          {
            onSuccess: () => toast(t(enable ? 'resumed' : 'paused'), { tone: enable ? 'green' : 'amber' }),
            onError: ({ message, remedy = '' }) => toast(message, { text: remedy, tone: 'red' }),
          },
        )
      }
    >
      {t(enable ? 'resume' : 'pause')}
    </Button>
  );
}

const FROM = ['stopped', 'now', 'snapshot'] as const;

function ResumeDialog({
  app,
  noun,
  onClose,
}: {
  readonly app: App;
  readonly noun: Noun;
  readonly onClose: () => void;
}) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const webhook = useCall('POST /apps/{id}/webhook/resume');
  const events = useCall('POST /apps/{id}/events/resume');
  const resume = noun === 'webhook' ? webhook : events;
  const [from, setFrom] = useState<(typeof FROM)[number]>('stopped');
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('resumeTitle')}
      lead={t('resumeText')}
      foot={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button
            look="primary"
            busy={resume.isPending}
            onClick={() =>
              resume.mutate(
                { path: { id: app.id }, body: { from } },
                {
                  onSuccess: () => {
                    toast(t('resumed'));
                    onClose();
                  },
                },
              )
            }
          >
            {t('resume')}
          </Button>
        </>
      }
    >
      <Refusal error={resume.error} />
      <Choice
        legend={t('fromWhere')}
        value={from}
        onChange={setFrom}
        options={FROM.map((name) => ({ value: name, label: t(name), note: t(`${name}Note`) }))}
      />
    </Dialog>
  );
}

function RemoveButton({ app, version, noun }: OfStream) {
  const t = useT(WORDS);
  const needs = useNeeds('admin');
  const save = useCall('PATCH /apps/{id}');
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button small icon={<Trash2 size={15} />} off={needs} onClick={() => setAsking(true)}>
        {t('remove')}
      </Button>
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        title={t(noun === 'webhook' ? 'removeWebhook' : 'removeEvents', { name: app.name })}
        lead={t('removeText')}
        action={t('remove')}
        call={save}
        onConfirm={() =>
          save.mutate(
            { path: { id: app.id }, body: { [noun]: null }, ifMatch: version },
            { onSuccess: () => toast(t('removed')) },
          )
        }
      />
    </>
  );
}
