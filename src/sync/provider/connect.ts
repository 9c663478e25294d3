// Connecting a provider: the way to its source and back, and what the source says of itself afterwards.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type ConnectionFacts, nextWarning, type Permission } from '#core/connect.ts';
import { ConflictError, GatewayError, InputError, NotFoundError, UpstreamError } from '#core/errors.ts';
import { describeError } from '#core/failure.ts';
import type { ProviderKind } from '#core/provider.ts';
import { PROVIDER_KINDS, type ProviderKindName } from '#core/resource.ts';
import type { Clock } from '#platform/clock.ts';
import type { Seal } from '#platform/seal.ts';
import { writeAudit } from '#store/access/audit.ts';
import type { Database, Db } from '#store/database.ts';
import { noteConnected, noteFacts, noteProblem, redeemState } from '#store/source/connections.ts';
import { type ProviderRow, readProvider } from '#store/source/settings.ts';
import type { SyncService } from '../service.ts';
import { openSettings } from './settings.ts';

/** Long enough to find an administrator and a second factor. */
const STATE_TTL_MS = 15 * 60_000;
const FACTS_TIMEOUT_MS = 30_000;

export interface ConnectParts {
  readonly database: Database;
  readonly kinds: ReadonlyMap<ProviderKindName, ProviderKind>;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly sync: Pick<SyncService, 'start'>;
  publicUrl(): string;
}

/** What travels to the source and back, sealed: nobody else can make one, read it, or change it. */
const State = z.strictObject({
  id: z.uuid(),
  kind: z.enum(PROVIDER_KINDS),
  target: z.unknown(),
  by: z.string(),
  returnTo: z.string(),
  expiresAt: z.number(),
  /** The session of the console that began; absent where a token did, whose link may be handed on. */
  session: z.string().optional(),
});

export interface Way {
  /** To be opened in the browser of an administrator of the source. */
  readonly connectUrl: string;
  /** Where the source sends them back to: always the same, whatever address the gateway was reached by. */
  readonly redirectUri: string;
  readonly expiresAt: string;
  readonly permissions: readonly Permission[];
}

export interface WayOptions {
  readonly row: ProviderRow | undefined;
  readonly draft?: unknown;
  readonly by: string;
  readonly returnTo: string;
  readonly session?: string | undefined;
}

/**
 * The way to the source. It can be gone once, within 15 minutes.
 * @param draft says where, before there are settings
 * @param returnTo a path of ours to end at
 * @param session only in the browser of this session the way can be ended
 * @throws {ConflictError} `no-consent`: the kind knows no such thing; `public-url-needed`; `not-configured`
 * @throws {InputError} a draft that says too little
 */
export function wayToSource(
  parts: ConnectParts,
  kind: ProviderKind,
  { row, draft, by, returnTo, session }: WayOptions,
): Way {
  const { connect } = kind;
  if (connect === undefined)
    throw new ConflictError(`The inbound provider "${kind.title}" needs no consent.`, { reason: 'no-consent' });
  if (row === undefined && draft === undefined)
    throw new ConflictError(`The inbound provider "${kind.title}" has no settings.`, {
      reason: 'not-configured',
      remedy: 'Save its settings first, or say which application is to be connected.',
    });
  const settings = row === undefined ? undefined : openSettings(kind, row, parts.seal);
  const target = connect.target(draft === undefined ? settings : undefined, draft);
  const redirectUri = redirectUriOf(parts, kind.kind);
  const expiresAt = parts.clock.now().getTime() + STATE_TTL_MS;
  const state: z.input<typeof State> = { id: randomUUID(), kind: kind.kind, target, by, returnTo, expiresAt, session };
  return {
    connectUrl: connect.consentUrl(target, { redirectUri, state: parts.seal.seal(JSON.stringify(state)) }),
    redirectUri,
    expiresAt: new Date(expiresAt).toISOString(),
    permissions: connect.permissions(settings),
  };
}

/** @throws {ConflictError} `public-url-needed`: sources return to https, and to this machine, only */
export function redirectUriOf({ publicUrl }: Pick<ConnectParts, 'publicUrl'>, kind: ProviderKindName): string {
  const base = new URL(publicUrl());
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(base.hostname);
  if (base.protocol !== 'https:' && !isLocal)
    throw new ConflictError('A source returns to an https address only.', {
      reason: 'public-url-needed',
      remedy: 'Start the gateway with PUBLIC_URL naming its https address.',
    });
  return `${base.href.replace(/\/+$/, '')}/connect/${kind}`;
}

export interface Arrival {
  /** The path at which the browser goes on. */
  readonly returnTo: string;
  readonly kind: ProviderKindName;
  /** Why it came to nothing. */
  readonly problem?: GatewayError;
}

/**
 * Takes the answer that a source sends by the browser: notes who has consented, looks at what that grants, and starts the
 * first run where the provider is active and its settings want that. A refusal is noted and answered.
 * @param session the session of the browser that brings it
 * @throws {InputError} `state-wrong`, `state-expired`, `state-used`, `state-elsewhere`: this is no answer to a question
 * of ours, or not in the browser that asked
 */
export async function arriveFromSource(
  parts: ConnectParts,
  kindName: string,
  answer: Readonly<Record<string, string>>,
  session?: string,
): Promise<Arrival> {
  const { database, clock } = parts;
  const state = await openState(parts, { kindName, text: answer['state'] ?? '', session });
  const kind = parts.kinds.get(state.kind);
  if (kind?.connect === undefined) throw new NotFoundError(`There is no inbound provider "${kindName.slice(0, 40)}".`);
  const arrival = { returnTo: state.returnTo, kind: state.kind };
  try {
    const { sourceId } = kind.connect.readAnswer(state.target, answer);
    await database.knex.transaction(async (tx) => {
      await noteConnected(tx, kind.kind, { sourceId, by: state.by, at: clock.now() });
      await writeAudit(tx, { actor: state.by, action: 'provider.connect', object: kind.kind, detail: { sourceId } });
    });
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const problem = describeError(error);
    await noteProblem(database.knex, kind.kind, { problem, at: clock.now(), configVersion: null });
    return { ...arrival, problem: error };
  }
  const row = await readProvider(database.knex, kind.kind);
  if (row === undefined || !kind.connect.isFor(openSettings(kind, row, parts.seal), state.target)) return arrival;
  const problem = await lookAtSource(parts, kind, row);
  if (problem === undefined && row.active && row.initial_done_at === null) await startFirst(parts, kind, row, state.by);
  return { ...arrival, ...(problem === undefined ? {} : { problem }) };
}

async function openState(
  { seal, database, clock }: ConnectParts,
  { kindName, text, session }: { kindName: string; text: string; session: string | undefined },
): Promise<z.output<typeof State>> {
  const state = stateIn(seal, text);
  if (state === undefined || state.kind !== kindName) throw wrongState('state-wrong', 'is not from here');
  if (state.session !== undefined && state.session !== session)
    throw wrongState('state-elsewhere', 'came by another browser, or after signing out');
  const now = clock.now();
  if (state.expiresAt <= now.getTime()) throw wrongState('state-expired', 'came too late');
  const first = await redeemState(database.knex, { id: state.id, expiresAt: new Date(state.expiresAt) }, now);
  if (!first) throw wrongState('state-used', 'was taken already');
  return state;
}

function stateIn(seal: Seal, text: string): z.output<typeof State> | undefined {
  try {
    return State.safeParse(JSON.parse(seal.open(text))).data;
  } catch {
    return undefined;
  }
}

function wrongState(reason: string, why: string): InputError {
  return new InputError(`The answer of the source ${why}.`, { reason, remedy: 'Start the connection again.' });
}

export interface LookOptions {
  readonly signal?: AbortSignal;
  /** What is kept is written so; in a transaction of its own without it. */
  readonly write?: <T>(work: (tx: Db) => Promise<T>) => Promise<T>;
}

/** Asks the source what it says of itself, and keeps it. Answers why it could not, which is kept too. */
export async function lookAtSource(
  { database, seal, clock }: Pick<ConnectParts, 'database' | 'seal' | 'clock'>,
  kind: ProviderKind,
  row: ProviderRow,
  { signal, write = (work) => work(database.knex) }: LookOptions = {},
): Promise<GatewayError | undefined> {
  if (kind.connect === undefined) return undefined;
  const limit = AbortSignal.timeout(FACTS_TIMEOUT_MS);
  try {
    const settings = openSettings(kind, row, seal);
    const facts = await kind.connect.facts(settings, signal === undefined ? limit : AbortSignal.any([signal, limit]));
    await write((tx) => keepFacts(tx, row, facts, clock.now()));
    return undefined;
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof GatewayError) && !limit.aborted) throw error;
    const known = error instanceof GatewayError ? error : timedOut();
    const problem = describeError(known);
    const at = clock.now();
    await write((tx) => noteProblem(tx, row.kind, { problem, at, configVersion: row.config_version }));
    return known;
  }
}

async function keepFacts(db: Db, row: ProviderRow, facts: ConnectionFacts, at: Date): Promise<void> {
  const { expiresAt } = facts.credential;
  const end = expiresAt == null ? null : new Date(expiresAt);
  const warning = end === null ? undefined : nextWarning(end, null, at);
  await noteFacts(db, row.kind, {
    facts,
    at,
    configVersion: row.config_version,
    expiresAt: end,
    nextWarningAt: warning?.at ?? null,
  });
}

function timedOut(): GatewayError {
  return new UpstreamError('The source did not answer in time.', {
    failure: 'network',
    reason: 'source-slow',
    remedy: 'Test the connection of the provider.',
  });
}

/** The first run, as the settings want it. */
export async function startFirst(
  parts: Pick<ConnectParts, 'sync' | 'seal'>,
  kind: ProviderKind,
  row: ProviderRow,
  requestedBy: string,
): Promise<void> {
  const { initialRun } = kind.policy(openSettings(kind, row, parts.seal));
  if (initialRun === 'manual') return;
  await parts.sync.start({ trigger: 'connect', requestedBy }).catch((error: unknown) => {
    if (!(error instanceof ConflictError)) throw error;
  });
}
