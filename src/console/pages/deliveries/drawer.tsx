import { Link } from '@tanstack/react-router';
import { RotateCcw } from 'lucide-react';
import { useState } from 'react';
import { useCall, useGet } from '../../api/queries.ts';
import type { SendingDetail } from '../../api/types.ts';
import { dateTime, relative } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useFailed, useFailedRemedy, useFailedThere } from '../../app/korean.ts';
import { useNeeds } from '../../app/session.tsx';
import { CHANNELS } from '../../app/targets.tsx';
import { Banner } from '../../ui/banner.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Exchanges, pretty, type ShownExchange } from '../../ui/exchanges.tsx';
import { Pairs, Row, Stack } from '../../ui/layout.tsx';
import { Loaded, Refusal } from '../../ui/loaded.tsx';
import { toast } from '../../ui/toast.tsx';
import { DropDialog } from './drop.tsx';
import { nameOf, SendingResult, useWhat } from './line.tsx';
import { WORDS } from './words.ts';

/** One delivery: how it stands, every request with its answer, and what can be done. */
export function DeliveryDrawer({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const t = useT(WORDS);
  const how = useT(CHANNELS);
  const query = useGet('GET /deliveries/{id}', { path: { id } });
  const [dropping, setDropping] = useState(false);
  const data = query.data;
  if (dropping && data !== undefined)
    return <DropDialog channel={data.channel} count={1} picked={{ ids: [id] }} onClose={onClose} />;
  return (
    <Dialog
      open
      shape="drawer"
      onClose={onClose}
      title={data === undefined ? t('title') : nameOf(data, t)}
      {...(data === undefined ? {} : { lead: t('detailLead', { app: data.appName, how: how(data.channel) }) })}
      {...(data === undefined ? {} : { foot: <Foot item={data} onDrop={() => setDropping(true)} onClose={onClose} /> })}
    >
      <Loaded query={query}>{(item) => <Detail item={item} />}</Loaded>
    </Dialog>
  );
}

function Detail({ item }: { readonly item: SendingDetail }) {
  const t = useT(WORDS);
  const language = useLanguage();
  const what = useWhat()(item);
  const sayRemedy = useFailedRemedy();
  const sayCause = useFailedThere();
  const failed = useFailed();
  const exchanges = exchangesOf(item, failed);
  const time = (at: string): string => `${dateTime(at, language)} (${relative(at, language)})`;
  return (
    <Stack>
      {item.error === null ? null : (
        <Banner tone={item.state === 'dead' ? 'red' : 'amber'} title={sayCause(item.error)}>
          {sayRemedy(item.error)}
        </Banner>
      )}
      <Pairs
        items={[
          [t('result'), <SendingResult key="result" item={{ ...item, error: null }} />],
          ...(what === '' ? [] : [[t('what'), what] as const]),
          [t('changed'), time(item.changedAt)],
          [t('last'), time(item.at)],
          ...(item.attempts === 0 ? [] : [[t('tries'), String(item.attempts)] as const]),
          ...(item.nextAttemptAt === null ? [] : [[t('next'), time(item.nextAttemptAt)] as const]),
          ...(item.address === null ? [] : [[t('address'), <code key="address">{item.address}</code>] as const]),
          ...(item.remoteId === null ? [] : [[t('remoteId'), <code key="remote">{item.remoteId}</code>] as const]),
        ]}
      />
      <h3>{t(item.channel === 'push' ? 'exchanges' : 'messageTries')}</h3>
      {exchanges.length === 0 ? (
        <p>{t('noExchange')}</p>
      ) : (
        <Exchanges items={exchanges} open when={(at) => relative(at, language)} />
      )}
      {item.payload === null ? null : (
        <>
          <h3>{t('payload')}</h3>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
          <pre tabIndex={0} style={{ margin: 0, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
            {pretty(item.payload)}
          </pre>
        </>
      )}
    </Stack>
  );
}

/** The newest first; a try of a message is a request whose body is the message. */
function exchangesOf(item: SendingDetail, failed: ReturnType<typeof useFailed>): readonly ShownExchange[] {
  const path = item.address ?? '';
  const tries = item.tries.map(
    ({ at, ms, status, answer, error }): ShownExchange => ({
      ...{ at, ms, status, method: 'POST', path, request: item.payload, response: answer },
      ...(error === null ? {} : { note: failed(error) }),
    }),
  );
  return (item.channel === 'push' ? item.exchanges : tries).toReversed();
}

function Foot({
  item,
  onDrop,
  onClose,
}: {
  readonly item: SendingDetail;
  readonly onDrop: () => void;
  readonly onClose: () => void;
}) {
  const t = useT(WORDS);
  const needs = useNeeds('operator');
  const push = useCall('POST /deliveries/{id}/replay');
  const webhook = useCall('POST /apps/{id}/webhook/deliveries/{deliveryId}/replay');
  const events = useCall('POST /apps/{id}/events/deliveries/{deliveryId}/replay');
  const isPush = item.channel === 'push';
  const messages = item.channel === 'webhook' ? webhook : events;
  const done = { onSuccess: () => toast(t('againDone')) };
  const again = (): void => {
    if (isPush) push.mutate({ path: { id: item.id } }, done);
    else messages.mutate({ path: { id: item.appId, deliveryId: item.id } }, done);
  };
  const isThere = item.resourceId !== null && item.display !== null;
  return (
    <Row>
      <Refusal error={push.error ?? messages.error} />
      {isThere ? (
        <Link
          to={item.resourceType === 'Group' ? '/groups/$id' : '/users/$id'}
          params={{ id: item.resourceId }}
          className={buttonClass()}
          onClick={onClose}
        >
          {t('openPerson')}
        </Link>
      ) : null}
      {item.state === 'dead' ? (
        <Button off={needs} onClick={onDrop}>
          {t('drop')}
        </Button>
      ) : null}
      <Button
        look="primary"
        icon={<RotateCcw size={16} />}
        off={needs}
        busy={push.isPending || messages.isPending}
        title={t(isPush ? 'againHint' : 'againSame')}
        onClick={again}
      >
        {t('again')}
      </Button>
    </Row>
  );
}
