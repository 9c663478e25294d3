// One object now, with its steps; and the same without sending anything that changes something.
import { NotFoundError } from '#core/errors.ts';
import { describeError } from '#core/failure.ts';
import type { AppScope } from '#core/scope.ts';
import type { Exchange, PushPolicy } from '#core/target.ts';
import { type Database, type Db, sql } from '#store/database.ts';
import { askForChanges, type SettledDelivery } from '#store/target/deliveries.ts';
import { type Claimed, claimDeliveries } from '#store/target/delivery-claims.ts';
import type { MemberPage } from '#store/target/target-members.ts';
import { readTarget, type TargetRow } from '#store/target/targets.ts';
import { deliver } from '../push/deliver.ts';
import { type Delivering, type Progress, type Step, sentOf, startProgress } from '../push/delivering.ts';
import { type OpenedTarget, openTarget } from '../push/open-target.ts';
import { settledOf } from '../push/outcome.ts';
import type { Cut, PumpParts } from '../push/pump.ts';
import { consequenceOf } from '../push/settle.ts';
import { targetScope } from '../push/target-scope.ts';
import { makeWorld } from '../push/world.ts';
import { writeSettled } from '../push/write-settled.ts';
import { checkAskedRest, noteRest } from './asked-rest.ts';

export interface Provisioned {
  readonly resourceId: string;
  readonly resourceType: string;
  readonly dryRun: boolean;
  readonly ok: boolean;
  readonly action: string;
  readonly steps: readonly (Omit<Step, 'step'> & { readonly step: Step['step'] | 'connect' })[];
  readonly requests: readonly Exchange[];
  /** What we had last sent, and what would stand there afterwards. */
  readonly before: unknown;
  readonly after: unknown;
  readonly error: { readonly code: string; readonly message: string; readonly remedy: string | null } | null;
}

export type ProvisionParts = Pick<PumpParts, 'database' | 'kinds' | 'seal' | 'clock' | 'scopeOf' | 'cutOf'>;

const CLAIM_MS = 60_000;

/**
 * Brings one resource up to date at one target while the caller waits, also while the target is paused.
 * @throws {NotFoundError} `resource-not-found`; `delivery-busy` when it is on its way at this moment
 * @throws {ConflictError} `target-asked-for-rest`
 */
export async function provisionOne(
  parts: ProvisionParts,
  appId: string,
  { resourceId, dryRun }: { resourceId: string; dryRun: boolean },
  signal: AbortSignal,
): Promise<Provisioned> {
  const row = await needTarget(parts.database.knex, appId);
  return atTarget(parts, row, dryRun, (provision) => provision(resourceId), signal);
}

/**
 * What a target would be sent of the first resources in its scope, without sending any of it.
 * @throws {ConflictError} `target-asked-for-rest`
 */
export async function dryRun(
  parts: ProvisionParts,
  appId: string,
  limit: number,
  signal: AbortSignal,
): Promise<{ readonly counts: Readonly<Record<string, number>>; readonly items: readonly Provisioned[] }> {
  const row = await needTarget(parts.database.knex, appId);
  const ids = await inScope(parts, row, limit);
  const items: Provisioned[] = [];
  const counts: Record<string, number> = {};
  const provisionAll = async (provision: (id: string) => Promise<Provisioned>): Promise<void> => {
    for (const id of ids) {
      signal.throwIfAborted();
      const item = await provision(id).catch(unlessOnItsWay);
      if (item === undefined) continue;
      const name = item.ok ? item.action : 'failed';
      counts[name] = (counts[name] ?? 0) + 1;
      items.push(item);
    }
  };
  await atTarget(parts, row, true, provisionAll, signal);
  return { counts, items };
}

/** Whoever is being brought there at this moment is left out. */
function unlessOnItsWay(error: unknown): undefined {
  if (!(error instanceof NotFoundError)) throw error;
}

/** With a target that is opened once, and asked once whether it answers. */
async function atTarget<Result>(
  parts: ProvisionParts,
  row: TargetRow,
  isDry: boolean,
  work: (provision: (resourceId: string) => Promise<Provisioned>) => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  const { app_id: appId } = row;
  checkAskedRest(row, parts.clock.now());
  const { askedToRest, save } = noteRest(parts.clock);
  let exchanges: Exchange[] = [];
  const trace = (exchange: Exchange): void => void exchanges.push(exchange);
  const opened = openTarget(parts.kinds, row, parts.seal, trace, { dryRun: isDry, askedToRest });
  const cut = parts.cutOf(row.scope as AppScope | null);
  try {
    const connect = await tryToConnect(opened, signal);
    const asked = exchanges;
    return await work(async (resourceId) => {
      const claimed = await claimOne(parts, row, resourceId, isDry);
      exchanges = [...asked];
      const occasion = { appId, dryRun: isDry, connect, requests: exchanges, cut };
      return carryOut(parts, opened, claimed, occasion, signal);
    });
  } finally {
    await opened.target.close();
    // What the target asks for holds for everybody; that it did not answer one person is no outage.
    await save(parts.database.knex, appId);
  }
}

async function needTarget(db: Db, appId: string): Promise<TargetRow> {
  const row = await readTarget(db, appId);
  if (row === undefined)
    throw new NotFoundError('This app has no push target.', {
      reason: 'no-push',
      remedy: 'PATCH the app with "push" first.',
    });
  return row;
}

async function inScope(
  { database, scopeOf }: ProvisionParts,
  row: TargetRow,
  limit: number,
): Promise<readonly string[]> {
  const scope = targetScope(row, scopeOf);
  const ids: string[] = [];
  for (const type of ['User', 'Group'] as const) {
    const condition = scope(type, 'many')?.(1) ?? true;
    const text = typeof condition === 'boolean' ? String(condition) : condition.text;
    const values = typeof condition === 'boolean' ? [] : condition.values;
    const { rows } = await database.query<{ id: string }>({
      text: `select r.id from resources r where r.resource_type = $1 and r.deleted_at is null and ${text} order by r.pos limit ${limit - ids.length}`,
      values: [type, ...values],
    });
    ids.push(...rows.map(({ id }) => id));
  }
  return ids;
}

async function tryToConnect({ target }: OpenedTarget, signal: AbortSignal): Promise<Provisioned['steps'][number]> {
  try {
    await target.probe(signal);
    return { step: 'connect', ok: true, detail: 'The target answers.' };
  } catch (error) {
    return { step: 'connect', ok: false, detail: describeError(error).message };
  }
}

/** Claimed for good, or of a dry run in a transaction that is undone. */
async function claimOne(
  { database, scopeOf, clock }: ProvisionParts,
  row: TargetRow,
  resourceId: string,
  isDry: boolean,
): Promise<Claimed> {
  const scope = targetScope(row, scopeOf);
  const now = clock.now();
  const tx = await database.knex.transaction();
  try {
    await sql(tx, 'select 1 from targets where app_id = ? for update', [row.app_id]);
    await askForChanges(tx, row.app_id, scope, { ids: [resourceId], at: [now], now });
    await askEvenOutOfScope(tx, row.app_id, resourceId, now);
    const claim = { limit: 1, now, until: new Date(now.getTime() + CLAIM_MS), ids: [resourceId] };
    const [claimed] = await claimDeliveries(tx, row.app_id, claim, scope);
    if (claimed === undefined)
      throw new NotFoundError(`There is no resource "${resourceId}", or it is on its way right now.`, {
        reason: 'resource-not-found',
        remedy: 'Give the id of a user or group of the directory; if it is right, try again in a moment.',
      });
    await (isDry ? tx.rollback() : tx.commit());
    return claimed;
  } catch (error) {
    if (!tx.isCompleted()) await tx.rollback();
    throw error;
  }
}

/** So that the steps can say that it is out of scope. */
async function askEvenOutOfScope(tx: Db, appId: string, resourceId: string, now: Date): Promise<void> {
  await sql(
    tx,
    `insert into deliveries (app_id, resource_id, resource_type, rank, wanted, ready_at, changed_at, in_scope)
     select ?, id, resource_type, 1, version, ?, ?, false from resources where id = ? on conflict do nothing`,
    [appId, now, now, resourceId],
  );
}

interface Occasion {
  readonly appId: string;
  readonly dryRun: boolean;
  readonly connect: Provisioned['steps'][number];
  readonly requests: readonly Exchange[];
  readonly cut: Cut;
}

async function carryOut(
  { database, clock }: ProvisionParts,
  opened: OpenedTarget,
  claimed: Claimed,
  { appId, dryRun: isDry, connect, requests, cut }: Occasion,
  signal: AbortSignal,
): Promise<Provisioned> {
  const real = makeWorld({ db: database.knex, clock, appId }, opened, cut);
  const progress = startProgress(claimed);
  const from = requests.length;
  let failure: unknown;
  try {
    await deliver(isDry ? dry(real) : real, claimed, progress, signal);
  } catch (error) {
    failure = error;
  }
  if (!isDry)
    await settle(database, {
      appId,
      claimed,
      progress,
      failure,
      now: clock.now(),
      log: requests.slice(from),
      max: opened.policy.maxAttempts,
      guard: opened.policy.guard,
    });
  const error = failure === undefined ? null : describeError(failure);
  const failed = error === null ? [] : [{ step: 'action' as const, ok: false, detail: error.message }];
  return {
    resourceId: claimed.resource_id,
    resourceType: claimed.resource_type,
    dryRun: isDry,
    ok: failure === undefined && connect.ok,
    action: progress.action,
    steps: [connect, ...progress.steps, ...failed],
    requests,
    before: sentOf(claimed),
    after: progress.sent,
    error: error && { code: error.code, message: error.message, remedy: error.remedy ?? null },
  };
}

async function settle(
  database: Database,
  {
    appId,
    claimed,
    progress,
    failure,
    now,
    log,
    max,
    guard,
  }: {
    appId: string;
    claimed: Claimed;
    progress: Progress;
    failure: unknown;
    now: Date;
    log: readonly Exchange[];
    max: number;
    guard: PushPolicy['guard'];
  },
): Promise<void> {
  const base = settledOf(claimed, progress, { now, exchanges: log, isDone: failure === undefined });
  const write = (settled: SettledDelivery): Promise<void> =>
    writeSettled((work) => database.knex.transaction(work), { appId, guard }, [settled], now);
  if (failure === undefined) return write(base);
  const situation = { attempts: claimed.attempts, maxAttempts: max, failures: 0, now, random: Math.random };
  const { state, readyAt, attempts, error, awaits } = consequenceOf(failure, situation);
  return write({ ...base, state, ready_at: readyAt, attempts, error, awaits });
}

/** Links and members are worked out, and not noted. */
function dry(world: Delivering): Delivering {
  const freed = new Set<string>();
  return {
    ...world,
    isTaken: async (row, remoteId) => !freed.has(remoteId) && world.isTaken(row, remoteId),
    async takeOver(row, remoteId) {
      freed.add(remoteId);
      return { id: (await world.holderOf(row, remoteId)).id ?? '', sent: {} };
    },
    membersOf(row) {
      const members = world.membersOf(row);
      let isDone = false;
      const once = async <Member>(page: Promise<MemberPage<Member>>): Promise<MemberPage<Member>> => {
        const { members: first } = await page;
        if (isDone) return { members: [], next: undefined };
        isDone = first.length > 0;
        return { members: first, next: undefined };
      };
      return {
        ...members,
        surplus: (after, except) => once(members.surplus(after, except)),
        lacking: (after, except) => once(members.lacking(after, except)),
        note: async () => undefined,
        doubt: async () => undefined,
        replaceKnown: async () => undefined,
        forget: async () => undefined,
        rename: async () => undefined,
      };
    },
  };
}
