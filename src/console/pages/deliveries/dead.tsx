import { CircleCheck, RotateCcw } from 'lucide-react';
import { useState } from 'react';
import { useCall, useGet } from '../../api/queries.ts';
import type { DeadCause, DeadLetters as Picked } from '../../api/types.ts';
import { relative } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useFailedRemedy, useFailedThere } from '../../app/korean.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { CHANNELS } from '../../app/targets.tsx';
import { COMMON } from '../../app/words.ts';
import { Badge } from '../../ui/badge.tsx';
import { Empty } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Card } from '../../ui/layout.tsx';
import { Loaded, Refusal } from '../../ui/loaded.tsx';
import { toast } from '../../ui/toast.tsx';
import css from './deliveries.module.css';
import { DropDialog } from './drop.tsx';
import { WORDS } from './words.ts';

type Asked = { readonly picked: Picked; readonly count: number };

/** Of everything that was given up, or of one app's. */
export function useCauses(appId: string | undefined) {
  return useGet('GET /deliveries/causes', { query: { appId, limit: 500 } as never });
}

/** What was given up, by its cause: one cause is one decision. */
export function DeadLetters({ appId, quiet = false }: { readonly appId?: string; readonly quiet?: boolean }) {
  const t = useT(WORDS);
  const needs = useNeeds('operator');
  const query = useCauses(appId);
  const [again, setAgain] = useState<Asked | undefined>(undefined);
  const [dropping, setDropping] = useState<DeadCause | undefined>(undefined);
  const items = query.data?.items ?? [];
  const total = items.reduce((sum, { count }) => sum + count, 0);
  if (quiet && total === 0) return null;
  const all: Picked = appId === undefined ? { all: true } : { appId };
  return (
    <Card
      title={t(quiet ? 'tabDead' : 'causes')}
      flush
      actions={
        total === 0 ? undefined : (
          <Button
            small
            icon={<RotateCcw size={15} />}
            off={needs}
            onClick={() => setAgain({ picked: all, count: total })}
          >
            {t('againAll', { n: total })}
          </Button>
        )
      }
    >
      <Loaded query={query}>
        {() =>
          items.length === 0 ? (
            <Empty icon={<CircleCheck size={26} />} title={t('deadNone')}>
              {t('deadNoneText')}
            </Empty>
          ) : (
            <>
              <p className={css.lead}>{t('deadLead')}</p>
              <ul className={css.causes}>
                {items.map((cause) => (
                  <CauseRow
                    key={cause.appId + cause.channel + cause.code}
                    cause={cause}
                    withApp={appId === undefined}
                    onAgain={() => setAgain({ picked: pickedOf(cause), count: cause.count })}
                    onDrop={() => setDropping(cause)}
                  />
                ))}
              </ul>
            </>
          )
        }
      </Loaded>
      {again === undefined ? null : <AgainDialog asked={again} onClose={() => setAgain(undefined)} />}
      {dropping === undefined ? null : (
        <DropDialog
          channel={dropping.channel}
          count={dropping.count}
          picked={pickedOf(dropping)}
          onClose={() => setDropping(undefined)}
        />
      )}
    </Card>
  );
}

function pickedOf({ appId, channel, code }: DeadCause): Picked {
  return { appId, channel, code };
}

function CauseRow({
  cause,
  withApp,
  onAgain,
  onDrop,
}: {
  readonly cause: DeadCause;
  readonly withApp: boolean;
  readonly onAgain: () => void;
  readonly onDrop: () => void;
}) {
  const t = useT(WORDS);
  const how = useT(CHANNELS);
  const language = useLanguage();
  const needs = useNeeds('operator');
  const [, change] = useSearchState();
  const sayRemedy = useFailedRemedy();
  const sayCause = useFailedThere();
  const { appId, appName, channel, code, message, remedy, count, firstAt, lastAt, examples } = cause;
  const names = examples.slice(0, 3).join(', ');
  const rest = count - Math.min(3, examples.length);
  return (
    <li>
      <div>
        <h3>{sayCause({ code, message })}</h3>
        {remedy === null ? null : <p>{sayRemedy({ code, message, remedy })}</p>}
        <small>
          {withApp ? `${appName} · ` : ''}
          {how(channel)} · {t('since', { first: relative(firstAt, language), last: relative(lastAt, language) })}
          {names === '' ? '' : ` · ${t('such', { names: rest > 0 ? t('andMore', { names, n: rest }) : names })}`}
        </small>
      </div>
      <div className={css.doing}>
        <Badge tone="red">{t('count', { n: count })}</Badge>
        <Button
          small
          onClick={() =>
            change({
              tab: withApp ? undefined : 'deliveries',
              app: withApp ? appId : undefined,
              channel,
              code,
              state: 'dead',
            })
          }
        >
          {t('show')}
        </Button>
        <Button small off={needs} onClick={onDrop}>
          {t('drop')}
        </Button>
        <Button small look="primary" icon={<RotateCcw size={15} />} off={needs} onClick={onAgain}>
          {t('againN', { n: count })}
        </Button>
      </div>
    </li>
  );
}

function AgainDialog({ asked, onClose }: { readonly asked: Asked; readonly onClose: () => void }) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const replay = useCall('POST /deliveries/replay');
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('againTitle', { n: asked.count })}
      lead={t('againText')}
      foot={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button
            look="primary"
            busy={replay.isPending}
            onClick={() =>
              replay.mutate(
                { body: asked.picked },
                {
                  onSuccess: ({ count: n }) => {
                    toast(t('sentAgain', { n }));
                    onClose();
                  },
                },
              )
            }
          >
            {t('againN', { n: asked.count })}
          </Button>
        </>
      }
    >
      <Refusal error={replay.error} />
    </Dialog>
  );
}
