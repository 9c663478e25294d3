// Push targets, webhooks and streams of apps, and messages to people.
import { describeError } from '#core/failure.ts';
import { testTarget } from '#outbound/on-demand/test-target.ts';
import { openTarget, type TargetKinds } from '#outbound/push/open-target.ts';
import type { Seal } from '#platform/seal.ts';
import { type Db, sql } from '#store/database.ts';
import { readTarget } from '#store/target/targets.ts';
import type { Finding } from './report.ts';

const TARGETS_MAX = 50;
const WITHIN_MS = 30_000;

export interface OutParts {
  readonly db: Db;
  readonly kinds: TargetKinds;
  readonly seal: Seal;
}

export async function lookAtWaysOut(parts: OutParts): Promise<Finding[]> {
  return [...(await lookAtTargets(parts)), ...(await lookAtStreams(parts.db)), await lookAtMessages(parts.db)];
}

async function lookAtTargets({ db, kinds, seal }: OutParts): Promise<Finding[]> {
  const { rows } = await sql<{ app_id: string; name: string; state: string; dead: number }>(
    db,
    `select t.app_id, a.name, t.state, (select count(*)::int from (select 1 from deliveries d
       where d.app_id = t.app_id and d.state = 'dead' limit 1000) dead) as dead
     from targets t join apps a on a.id = t.app_id order by a.name_key limit ${TARGETS_MAX}`,
  );
  const findings: Finding[] = [];
  for (const { app_id: appId, name, state, dead } of rows) {
    const about = { area: 'Targets', name };
    if (state !== 'active')
      findings.push({
        ...about,
        level: state === 'paused' ? 'warning' : 'problem',
        detail: `It is ${state}.`,
        remedy: 'Test it in the console; what was wrong is told there.',
      });
    if (dead > 0)
      findings.push({
        ...about,
        level: 'warning',
        detail: `${dead} deliveries were given up.`,
        remedy: 'Look at them in the console, mend the cause, and send them again.',
      });
    findings.push(...(await test({ db, kinds, seal }, appId, name)));
  }
  return findings;
}

async function test({ db, kinds, seal }: OutParts, appId: string, name: string): Promise<Finding[]> {
  const about = { area: 'Targets', name };
  try {
    const row = await readTarget(db, appId);
    if (row === undefined) return [];
    const { target, policy } = openTarget(kinds, { ...row, learned: {} }, seal, () => undefined);
    const checks = await testTarget(target, policy, AbortSignal.timeout(WITHIN_MS)).finally(() => target.close());
    const wrong = checks.filter(({ ok }) => !ok);
    if (wrong.length === 0) return [{ ...about, level: 'ok', detail: 'It answers, and takes our credential.' }];
    return wrong.map(({ name: check, detail, remedy }) => ({
      ...about,
      level: 'problem',
      detail: `${check}: ${detail}`,
      remedy,
    }));
  } catch (error) {
    const { message, remedy } = describeError(error);
    return [{ ...about, level: 'problem', detail: message, remedy }];
  }
}

async function lookAtStreams(db: Db): Promise<Finding[]> {
  const { rows } = await sql(
    db,
    `select a.name, s.kind, s.failures, s.disabled_reason, s.disabled_at is not null as disabled,
       (select count(*)::int from (select 1 from event_deliveries e where e.stream_id = s.id and e.state = 'dead' limit 1000) d) as dead
     from event_streams s join apps a on a.id = s.app_id where s.enabled order by a.name_key limit 100`,
  );
  return rows.map(({ name, kind, failures, disabled, disabled_reason: reason, dead }): Finding => {
    const about = { area: 'Webhooks and streams', name: `${name} (${kind})` };
    if (disabled)
      return {
        ...about,
        level: 'problem',
        detail: `It was switched off: ${reason}.`,
        remedy: 'Mend the receiver, then switch it on again.',
      };
    if (failures > 0)
      return {
        ...about,
        level: 'warning',
        detail: `The last ${failures} tries failed.`,
        remedy: 'Look at the log of the receiver.',
      };
    if (dead > 0)
      return {
        ...about,
        level: 'warning',
        detail: `${dead} messages were given up.`,
        remedy: 'Replay them in the console.',
      };
    return { ...about, level: 'ok', detail: 'Nothing has failed.' };
  });
}

async function lookAtMessages(db: Db): Promise<Finding> {
  const { rows } = await sql(
    db,
    `select count(*)::int as failed from notifications where state = 'failed' and created_at > now() - interval '7 days'`,
  );
  const about = { area: 'Messages', name: 'to people' };
  if (rows[0].failed === 0) return { ...about, level: 'ok', detail: 'None was given up within a week.' };
  return {
    ...about,
    level: 'warning',
    detail: `${rows[0].failed} were given up within a week.`,
    remedy: 'Send a test message in the console.',
  };
}
