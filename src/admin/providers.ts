import { type Request, type RequestHandler, Router } from 'express';
import { z } from 'zod';
import { canonical } from '#core/canonical.ts';
import { ConflictError, ForbiddenError, InputError, NotFoundError } from '#core/errors.ts';
import { hostsIn } from '#core/hosts.ts';
import type { ProviderKind } from '#core/provider.ts';
import { PROVIDER_KINDS, type ProviderKindName } from '#core/resource.ts';
import { mergeSecrets, type Secrets, splitSecrets } from '#core/secrets.ts';
import { principalOf, requireAdmin, requireScope } from '#http/auth.ts';
import { etagOf, expectation } from '#http/etag.ts';
import { parse } from '#http/validate.ts';
import { keptSecrets } from '#platform/seal.ts';
import { writeAudit } from '#store/access/audit.ts';
import { findOpenRun } from '#store/run/runs.ts';
import { type ConnectionRow, listConnections } from '#store/source/connections.ts';
import { readWrittenAt } from '#store/source/push-guard.ts';
import {
  listProviders,
  lockProviders,
  type ProviderRow,
  readProvider,
  saveProvider,
  setActive,
} from '#store/source/settings.ts';
import { keepVersion } from '#store/source/settings-versions.ts';
import { listMarks } from '#store/source/source-marks.ts';
import { listSubscriptions, renewSubscriptions, retrySubscriptions } from '#store/source/subscriptions.ts';
import { lastRuns, type RunView } from '#store/views/runs.ts';
import { openSettings } from '#sync/provider/settings.ts';
import { describeNotifications } from '#sync/watch/describe-notifications.ts';
import { viewConnection } from './consent.ts';
import { changedMeanwhile } from './documents.ts';
import { confirmedIn, refuseUnseen } from './impact.ts';
import type { AdminParts } from './parts.ts';
import { destinationNotSaved, notConfigured } from './provider-refusals.ts';
import { checkPushed, connectionOfPushed } from './pushed-provider.ts';
import { actorOf } from './query.ts';
import { noSettings, removeSettings } from './remove-settings.ts';
import { activate, needImpact, startImpact } from './switching.ts';

const DeactivateBody = z.strictObject({ reason: z.string().max(1000).optional() }).prefault({});
/** A look-up in the provider that takes longer is given up. */
export const SOURCE_TIMEOUT_MS = 60_000;

/** Inbound providers: cards, settings, test and activation. */
export function providerRoutes(parts: AdminParts): Router {
  const admin = requireAdmin();
  const operator = requireScope('admin', 'operator');
  return Router()
    .get('/providers', async (_request, response) => {
      response.json({ items: await readCards(parts), nextCursor: null });
    })
    .get('/providers/:kind', async (request, response) => {
      const kind = kindParam(parts, request);
      const row = await readProvider(parts.database.knex, kind.kind);
      if (row === undefined) throw noSettings(kind);
      response.setHeader('etag', etagOf(row.config_version)).json(viewSettings(row, parts));
    })
    .put('/providers/:kind', admin, async (request, response) => {
      const { confirmImpact } = parse(z.object({ confirmImpact: z.string().max(100).optional() }), request.query);
      const kind = kindParam(parts, request);
      const saved = await saveSettings(parts, {
        kind,
        body: request.body,
        actor: actorOf(request),
        confirmImpact,
        asExpected: expectation(request),
      });
      await retrySubscriptions(parts.database.knex, kind.kind);
      parts.subscriptions?.wake();
      response.setHeader('etag', etagOf(String(saved.configVersion))).json(saved);
    })
    .delete('/providers/:kind', admin, async (request, response) => {
      const removal = { actor: actorOf(request), asExpected: expectation(request) };
      await removeSettings(parts, kindParam(parts, request), removal);
      response.status(204).end();
    })
    .post('/providers/:kind/test', operator, testProvider(parts))
    .post('/providers/:kind/preview', operator, previewSource(parts))
    .post('/providers/:kind/activate', admin, async (request, response) => {
      const kind = kindParam(parts, request);
      await activate(parts, kind, request);
      parts.subscriptions?.wake();
      response.json(await readCard(parts, kind));
    })
    .post('/providers/:kind/deactivate', admin, async (request, response) => {
      const kind = kindParam(parts, request);
      const { reason } = parse(DeactivateBody, request.body ?? {});
      await deactivate(parts, kind, { actor: actorOf(request), reason });
      parts.subscriptions?.wake();
      response.json(await readCard(parts, kind));
    })
    .get('/providers/:kind/impact', async (request, response) => {
      response.json(await needImpact(parts, kindParam(parts, request)));
    })
    .post('/providers/:kind/impact', operator, async (request, response) => {
      const run = await startImpact(parts, kindParam(parts, request), request);
      response.status(202).location(`/api/v1/sync-runs/${run.id}`).json(run);
    });
}

/**
 * With a body, settings that are not saved; without, the saved ones. Who is no administrator tries them at the place alone
 * that the saved ones name: each other answer tells what listens there.
 * @throws {ForbiddenError} `ambient-credential`, `destination-not-saved`
 */
export async function settingsToTry(parts: AdminParts, kind: ProviderKind, request: Request): Promise<unknown> {
  const body: unknown = request.body;
  const row = await readProvider(parts.database.knex, kind.kind);
  const unsaved = typeof body === 'object' && body !== null && Object.keys(body).length > 0;
  if (!unsaved) {
    if (row === undefined) throw notConfigured(kind);
    return openSettings(kind, row, parts.seal);
  }
  const isAdmin = principalOf(request).scopes.includes('admin');
  if (!isAdmin) refuseAmbient(kind, row, body);
  const settings = kind.parseSettings(mergeSecrets(withoutMarks(body), secretsFor(kind, row, body, parts)));
  const known = [{}, row?.settings ?? {}].map((place) => kind.destination?.(place));
  if (!isAdmin && !known.includes(kind.destination?.(body))) throw destinationNotSaved();
  return settings;
}

/** The credential of the machine goes where the saved settings have it, and nowhere else that an operator names. */
function refuseAmbient(kind: ProviderKind, row: ProviderRow | undefined, body: object): void {
  if (kind.isAmbient?.(body) !== true) return;
  const { credential } = body as { readonly credential?: unknown };
  const saved = row?.settings as { readonly credential?: unknown } | undefined;
  const isSaved =
    saved !== undefined &&
    kind.destination?.(saved) === kind.destination?.(body) &&
    canonical(saved.credential) === canonical(credential);
  if (isSaved) return;
  throw new ForbiddenError('The credential of this machine is tried only as it is saved.', {
    reason: 'ambient-credential',
    remedy: 'Ask an administrator to try these settings, or to save them.',
  });
}

const PreviewQuery = z.object({ rows: z.coerce.number().int().min(1).max(100).default(20) });

function previewSource(parts: AdminParts): RequestHandler {
  return async (request, response) => {
    const kind = kindParam(parts, request);
    if (kind.preview === undefined)
      throw new InputError(`The inbound provider "${kind.title}" has no preview.`, {
        reason: 'preview-unavailable',
        remedy: 'Start a run with "preview": true instead.',
      });
    const { rows } = parse(PreviewQuery, request.query);
    const settings = await settingsToTry(parts, kind, request);
    response.json(await kind.preview(settings, rows, AbortSignal.timeout(SOURCE_TIMEOUT_MS)));
  };
}

function testProvider(parts: AdminParts): RequestHandler {
  return async (request, response) => {
    const kind = kindParam(parts, request);
    const settings = await settingsToTry(parts, kind, request);
    const checks = [
      ...(await kind.test(settings, AbortSignal.timeout(SOURCE_TIMEOUT_MS))),
      ...(await checkPushed(parts, kind, settings)),
    ];
    response.json({ ok: checks.every(({ ok }) => ok), checks });
  };
}

interface Saving {
  readonly kind: ProviderKind;
  readonly body: unknown;
  readonly actor: string;
  /** The impact plan that the administrator has seen. */
  readonly confirmImpact: string | undefined;
  /** Whether the stored settings have the version that the administrator began with. */
  readonly asExpected: ReturnType<typeof expectation>;
}

async function saveSettings(parts: AdminParts, { kind, body, actor, confirmImpact, asExpected }: Saving) {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new InputError('The settings must be a JSON object.', {
      reason: 'settings-invalid',
      remedy: 'Send all settings as one JSON object.',
    });
  const saved = await parts.database.knex.transaction(async (tx) => {
    await lockProviders(tx);
    const before = await readProvider(tx, kind.kind);
    if (asExpected?.(before?.config_version ?? '0') === false)
      throw await changedMeanwhile(
        tx,
        { action: 'provider.configure', object: kind.kind },
        { configVersion: Number(before?.config_version ?? 0) },
      );
    const kept = secretsFor(kind, before, body, parts);
    const whole = mergeSecrets(withoutMarks(body), kept);
    const parsed = kind.parseSettings(whole);
    const { settings, secrets } = splitSecrets(parsed, kind.secretPaths);
    if (before !== undefined) {
      const request = { kind, row: before, after: parsed, actor, confirmed: confirmImpact ?? confirmedIn(body) };
      const refusal = await refuseUnseen(parts, tx, request);
      if (refusal !== undefined) return refusal;
    }
    const changed =
      before === undefined ||
      canonical(before.settings) !== canonical(settings) ||
      canonical(kept) !== canonical(secrets);
    const sealed = parts.seal.seal(JSON.stringify(secrets));
    const row = await saveProvider(tx, { kind: kind.kind, settings, secrets: sealed, changed });
    if (changed) {
      await renewSubscriptions(tx, kind.kind);
      const secretsChanged = before !== undefined && canonical(kept) !== canonical(secrets);
      await keepVersion(tx, { kind: kind.kind, configVersion: row.config_version, settings, secretsChanged });
      await writeAudit(tx, {
        actor,
        action: 'provider.configure',
        object: kind.kind,
        detail: { configVersion: Number(row.config_version), hosts: hostsIn(settings) },
      });
    }
    return viewSettings(row, parts);
  });
  // What shows the impact was stored all the same.
  if (saved instanceof ConflictError) throw saved;
  return saved;
}

/** Stored secrets that may stand in for those that new settings leave out: never to be sent to another destination. */
function secretsFor(kind: ProviderKind, row: ProviderRow | undefined, body: unknown, parts: AdminParts): Secrets {
  if (row === undefined || kind.destination?.(row.settings) !== kind.destination?.(body)) return {};
  return stillMeant(keptSecrets(parts.seal, row.secrets), row.settings, body);
}

/** Stored secrets whose place is of the same kind as before: the secret of another kind of credential is not meant. */
function stillMeant(secrets: Secrets, before: unknown, after: unknown): Secrets {
  const kindAt = (settings: unknown, path: string): unknown => {
    const parent = (settings as Record<string, unknown> | undefined)?.[path.split('.')[0] ?? ''];
    return (parent as { kind?: unknown } | undefined)?.kind;
  };
  return Object.fromEntries(Object.entries(secrets).filter(([path]) => kindAt(before, path) === kindAt(after, path)));
}

/** What an answer of ours adds to the settings may come back, and means nothing then. */
function withoutMarks(body: object): unknown {
  const {
    configVersion: _version,
    secretsSet: _set,
    confirmImpact: _impact,
    ...settings
  } = body as Record<string, unknown>;
  return settings;
}

/** @throws {ConfigError} `secret-key-wrong` */
export function savedSecrets(row: ProviderRow | undefined, parts: AdminParts): Secrets {
  return row?.secrets == null ? {} : JSON.parse(parts.seal.open(row.secrets));
}

/** Settings without secrets; `secretsSet` names those that are stored. */
function viewSettings(
  row: ProviderRow,
  parts: AdminParts,
): { readonly configVersion: number; readonly secretsSet: readonly string[] } {
  const secretsSet = Object.keys(keptSecrets(parts.seal, row.secrets));
  return { ...(row.settings as object), configVersion: Number(row.config_version), secretsSet };
}

/** Its people stay as they are; a run that is under way stops between two pages or chunks. */
async function deactivate(
  parts: AdminParts,
  kind: ProviderKind,
  { actor, reason = null }: { readonly actor: string; readonly reason?: string | null | undefined },
): Promise<void> {
  const open = await parts.database.knex.transaction(async (tx) => {
    await lockProviders(tx);
    const row = await readProvider(tx, kind.kind);
    if (row?.active !== true) return undefined;
    await setActive(tx, kind.kind, false);
    await writeAudit(tx, { actor, action: 'provider.deactivate', object: kind.kind, detail: { reason } });
    return findOpenRun(tx);
  });
  if (open?.provider === kind.kind) await parts.sync.cancel(open.id, actor);
}

async function readCards(parts: AdminParts): Promise<object[]> {
  const rows = new Map((await listProviders(parts.database.knex)).map((row) => [row.kind, row]));
  const runs = await lastRuns(parts.database.knex);
  const connections = new Map((await listConnections(parts.database.knex)).map((row) => [row.provider, row]));
  const { nextRunAt } = await parts.schedule.describe();
  const now = parts.clock.now();
  const subscriptions = await listSubscriptions(parts.database.knex);
  const marks = await listMarks(parts.database.knex);
  const writtenAt = await readWrittenAt(parts.database.knex);
  return PROVIDER_KINDS.flatMap((name): object[] => {
    const kind = parts.kinds.get(name);
    if (kind === undefined) return [];
    const row = rows.get(name);
    const own = subscriptions.filter(({ provider }) => provider === name);
    const notifications = describeNotifications(kind, row, { rows: own, mark: marks.get(name) }, parts);
    const known = { nextRunAt, connection: connections.get(name), now };
    const card = { ...makeCard(kind, row, runs.get(name), known), notifications, writes: null };
    if (kind.pushed !== true) return [card];
    const writes = { baseUrl: `${parts.publicUrl()}/scim/v2`, lastAt: writtenAt };
    return [{ ...card, writes, connection: { ...card.connection, ...connectionOfPushed(row, writtenAt) } }];
  });
}

async function readCard(parts: AdminParts, { kind }: ProviderKind): Promise<object> {
  const cards = (await readCards(parts)) as { kind: ProviderKindName }[];
  return cards.find((card) => card.kind === kind) ?? {};
}

function makeCard(
  kind: ProviderKind,
  row: ProviderRow | undefined,
  lastRun: RunView | undefined,
  { nextRunAt, connection, now }: { nextRunAt: string | null; connection: ConnectionRow | undefined; now: Date },
): { readonly connection: object; readonly [fact: string]: unknown } {
  const configured = row !== undefined;
  const active = row?.active === true;
  return {
    kind: kind.kind,
    title: kind.title,
    available: kind.available,
    configured,
    active,
    connection: { ...connectionOf(kind, row, lastRun, connection), ...viewConnection(connection, now) },
    lastRun: lastRun ?? null,
    lastSuccessAt: row?.last_success_at ?? null,
    nextRunAt: active ? nextRunAt : null,
    actions: [
      { name: 'sync', enabled: active, reason: active ? null : configured ? 'inactive' : 'not-configured' },
      {
        name: 'activate',
        enabled: configured && !active,
        reason: active ? 'active' : configured ? null : 'not-configured',
      },
      { name: 'deactivate', enabled: active, reason: active ? null : 'inactive' },
    ],
  };
}

function connectionOf(
  kind: ProviderKind,
  row: ProviderRow | undefined,
  lastRun: RunView | undefined,
  connection: ConnectionRow | undefined,
): { state: string; detail: string } {
  if (!kind.available) return { state: 'unavailable', detail: 'This provider is not available yet.' };
  if (row === undefined) return { state: 'not-configured', detail: 'No settings are saved.' };
  if (lastRun !== undefined && lastRun.error !== null && !isMended(lastRun, connection))
    return { state: 'error', detail: lastRun.error.message };
  // A run ends as held or succeeded only after a whole read.
  const read = row.last_success_at !== null || lastRun?.status === 'held' || lastRun?.status === 'succeeded';
  if (!read) {
    if (connection?.problem != null) return { state: 'error', detail: connection.problem.message };
    if (connection?.facts == null) return { state: 'unknown', detail: 'Nothing was read to the end yet.' };
    const name = connection.facts.name === undefined ? 'the source' : `"${connection.facts.name}"`;
    return { state: 'connected', detail: `Connected to ${name}; nothing was read to the end yet.` };
  }
  // Mended since: what the last run lacked is there.
  if (lastRun?.error != null)
    return { state: 'connected', detail: 'The source gives what the last run lacked; nothing was read since.' };
  return { state: 'connected', detail: 'The last read went well.' };
}

/** A run was refused for its credential or for want of consent, and the source has been asked since and gave what it needs. */
function isMended({ error, finishedAt }: RunView, connection: ConnectionRow | undefined): boolean {
  if (error?.failure !== 'auth' && error?.failure !== 'consent') return false;
  const asked = connection?.facts_at?.getTime() ?? 0;
  const isGranted = connection?.problem == null && (connection?.facts?.missing ?? []).length === 0;
  return isGranted && finishedAt !== null && asked > Date.parse(finishedAt);
}

/** @throws {NotFoundError} no such kind */
export function kindParam(parts: AdminParts, request: Request): ProviderKind {
  const name = String(request.params['kind']);
  const kind = parts.kinds.get(name as ProviderKindName);
  if (kind === undefined)
    throw new NotFoundError(`There is no inbound provider "${name.slice(0, 40)}".`, {
      reason: 'provider-unknown',
      remedy: `Use one of ${PROVIDER_KINDS.join(', ')}.`,
    });
  return kind;
}
