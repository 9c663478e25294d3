// What is known of a connection, and errors that lead to the consent that is missing.
import type { Request } from 'express';
import { daysUntil } from '#core/connect.ts';
import { ConflictError, CredentialsError, GatewayError } from '#core/errors.ts';
import type { ProviderKind } from '#core/provider.ts';
import { sessionOf } from '#http/session.ts';
import { type ConnectionRow, readConnection } from '#store/source/connections.ts';
import { readActiveProvider, readProvider } from '#store/source/settings.ts';
import { lastRuns } from '#store/views/runs.ts';
import { lookAtSource, wayToSource } from '#sync/provider/connect.ts';
import type { AdminParts } from './parts.ts';
import { actorOf } from './query.ts';

/** What is known of the connection; nothing in it is secret. */
export function viewConnection(row: ConnectionRow | undefined, now: Date) {
  const { facts } = row ?? {};
  const ends = row?.credential_expires_at ?? null;
  return {
    connectedAt: row?.connected_at ?? null,
    connectedBy: row?.connected_by ?? null,
    source:
      facts == null && row?.source_id == null
        ? null
        : { id: facts?.sourceId ?? row?.source_id ?? null, name: facts?.name ?? null, domains: facts?.domains ?? null },
    hybrid: facts?.hybrid ?? null,
    permissions: facts?.granted === undefined ? null : { granted: facts.granted, missing: facts.missing ?? [] },
    credential:
      facts == null
        ? null
        : {
            kind: facts.credential.kind,
            expiresAt: ends,
            daysLeft: ends === null ? null : daysUntil(ends, now),
            neverExpires: facts.credential.expiresAt === null,
          },
    checkedAt: row?.facts_at ?? null,
    problem: row?.problem == null ? null : { ...row.problem, at: row.problem_at },
  };
}

/**
 * Runs what asks the source. Where nobody has consented, the error says how to: it names the address that an
 * administrator of the source has to open.
 * @throws {ConflictError} `consent-required` with `details.connectUrl`
 */
export async function withConsent<Value>(
  parts: AdminParts,
  { kind, request }: { kind: ProviderKind; request: Request },
  ask: () => Promise<Value>,
): Promise<Value> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof CredentialsError) || error.failure !== 'consent' || kind.connect === undefined) throw error;
    throw await consentRequired(parts, { kind, request }, error);
  }
}

async function consentRequired(
  parts: AdminParts,
  { kind, request }: { kind: ProviderKind; request: Request },
  error: CredentialsError,
): Promise<ConflictError> {
  const row = await readProvider(parts.database.knex, kind.kind);
  return new ConflictError(error.message, {
    reason: 'consent-required',
    remedy: 'Let an administrator of the source open connectUrl and consent.',
    cause: error,
    details: { ...error.details, connectUrl: connectUrlFor(parts, kind, row, request), cause: error.reason },
  });
}

/**
 * The session in whose browser a way to the source must end. Undefined for a token, whose link may be handed to an
 * administrator of the source; and for a console at another address than the one that the source returns to,
 * where the session's cookie will not come along.
 */
export function boundSession(parts: AdminParts, request: Request): string | undefined {
  return request.get('host') === new URL(parts.publicUrl()).host ? sessionOf(request)?.id : undefined;
}

/** Null where the gateway has no address to which the source could return. */
function connectUrlFor(
  parts: AdminParts,
  kind: ProviderKind,
  row: Awaited<ReturnType<typeof readProvider>>,
  request: Request,
): string | null {
  try {
    return wayToSource(parts, kind, { row, by: actorOf(request), returnTo: '/', session: boundSession(parts, request) })
      .connectUrl;
  } catch (error) {
    if (error instanceof GatewayError) return null;
    throw error;
  }
}

/**
 * Before a run is started by hand: when the last one was refused for want of consent, the source is asked whether it is
 * still so. A run that is known to fail is not started; the error leads to the consent instead.
 * @throws {ConflictError} `consent-required` with `details.connectUrl`
 */
export async function refuseWithoutConsent(parts: AdminParts, request: Request): Promise<void> {
  const db = parts.database.knex;
  const row = await readActiveProvider(db);
  const kind = row === undefined ? undefined : parts.kinds.get(row.kind);
  if (row === undefined || kind?.connect === undefined) return;
  const last = (await lastRuns(db)).get(row.kind);
  if (last?.error?.failure !== 'consent') return;
  const problem = await lookAtSource(parts, kind, row);
  if (problem instanceof CredentialsError && problem.failure === 'consent')
    throw await consentRequired(parts, { kind, request }, problem);
  const missing = problem === undefined ? ((await readConnection(db, row.kind))?.facts?.missing ?? []) : [];
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name).join(', ');
  throw await consentRequired(
    parts,
    { kind, request },
    new CredentialsError(`The application lacks permissions: ${names}.`, { failure: 'consent', details: { missing } }),
  );
}
