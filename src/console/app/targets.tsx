// What several pages say of the ways out to apps.
import { CircleCheck, CirclePause, CircleSlash, ShieldAlert, TriangleAlert } from 'lucide-react';
import { useGet } from '../api/queries.ts';
import type { TargetHealth } from '../api/types.ts';
import { Badge, type Tone } from '../ui/badge.tsx';
import { useT, words } from './i18n.ts';
import type { Sum } from './run-facts.ts';

export type Health = 'healthy' | 'degraded' | 'resting' | 'held' | 'quarantined' | 'paused' | 'disabled';

export const CHANNELS = words({
  push: ['SCIM push', 'SCIM 푸시'],
  webhook: ['Webhook', '웹후크'],
  events: ['Event tokens', '이벤트 토큰'],
  token: ['Reads over SCIM', 'SCIM으로 읽기'],
});

const HEALTH = words({
  healthy: ['Healthy', '정상'],
  degraded: ['Degraded', '저하됨'],
  resting: ['Trying again', '재시도 중'],
  held: ['Waits for you', '확인 대기'],
  quarantined: ['Quarantined', '격리됨'],
  paused: ['Paused', '일시 중지됨'],
  disabled: ['Switched off', '꺼짐'],
});

const LOOK = {
  healthy: ['green', CircleCheck],
  degraded: ['amber', TriangleAlert],
  resting: ['amber', TriangleAlert],
  held: ['amber', ShieldAlert],
  quarantined: ['red', ShieldAlert],
  paused: ['grey', CirclePause],
  disabled: ['red', CircleSlash],
} as const satisfies Record<Health, readonly [Tone, typeof CircleCheck]>;

type Figure = 'waiting' | 'dead' | 'held';

/** How many users and how many groups wait, were given up, or are held; what is about neither is a message. */
export function sumIn(targets: readonly TargetHealth[], figure: Figure): Sum {
  const add = (of: (target: TargetHealth) => number): number => targets.reduce((sum, target) => sum + of(target), 0);
  const users = add(({ byType }) => byType.User[figure]);
  const groups = add(({ byType }) => byType.Group[figure]);
  return { users, groups, others: add((target) => target[figure]) - users - groups };
}

/** In one word, the worst first: off, in quarantine, waits for a person, tries again, gave something up, well. */
export function healthOf({ state, held, dead }: Pick<TargetHealth, 'state' | 'held' | 'dead'>): Health {
  if (state === 'disabled' || state === 'quarantined' || state === 'paused') return state;
  if (held > 0) return 'held';
  if (state === 'failing') return 'resting';
  return dead > 0 ? 'degraded' : 'healthy';
}

/** Somebody has to do something about it. */
export function needsSomebody(target: TargetHealth): boolean {
  return ['disabled', 'quarantined', 'held'].includes(healthOf(target));
}

export function HealthBadge({ health }: { readonly health: Health }) {
  const t = useT(HEALTH);
  const [tone, Icon] = LOOK[health];
  return (
    <Badge tone={tone} icon={<Icon size={14} aria-hidden />}>
      {t(health)}
    </Badge>
  );
}

const WORST: readonly Health[] = ['disabled', 'quarantined', 'held', 'resting', 'degraded', 'paused', 'healthy'];

/** The worst of several; undefined of none. */
export function worstOf(targets: readonly TargetHealth[]): Health | undefined {
  return targets.map(healthOf).sort((one, other) => WORST.indexOf(one) - WORST.indexOf(other))[0];
}

/** Every way out, and those of one app. */
export function useTargets(appId?: string) {
  const query = useGet('GET /targets', { query: { limit: 500 } });
  const all = query.data?.items ?? [];
  return { ...query, targets: appId === undefined ? all : all.filter((target) => target.appId === appId) };
}
