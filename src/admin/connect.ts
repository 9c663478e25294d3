import { type Request, Router } from 'express';
import { z } from 'zod';
import { GatewayError, NotFoundError } from '#core/errors.ts';
import { requireAdmin } from '#http/auth.ts';
import { lookUpSession } from '#http/session.ts';
import { parse } from '#http/validate.ts';
import { readConnection } from '#store/source/connections.ts';
import { readProvider } from '#store/source/settings.ts';
import { arriveFromSource, wayToSource } from '#sync/provider/connect.ts';
import { boundSession, viewConnection } from './consent.ts';
import type { AdminParts } from './parts.ts';
import { kindParam } from './providers.ts';
import { actorOf } from './query.ts';

/** A path of ours, to which nobody can make it leave. */
const returnTo = z
  .string()
  .max(500)
  .regex(/^\/(?![/\\])[^\\\s]*$/, 'expected a path that begins with one slash')
  .default('/');

const ConnectQuery = z.object({ returnTo });
const ConnectBody = z
  .strictObject({
    returnTo,
    /** Which application, before there are settings. */
    application: z.record(z.string(), z.unknown()).optional(),
  })
  .prefault({});

/** The way to the source, on which an administrator of it consents. */
export function connectRoutes(parts: AdminParts): Router {
  const admin = requireAdmin();
  return Router()
    .get('/providers/:kind/connect', admin, async (request, response) => {
      const { returnTo } = parse(ConnectQuery, request.query);
      response.json(await answerWay(parts, request, { returnTo }));
    })
    .post('/providers/:kind/connect', admin, async (request, response) => {
      const { returnTo, application } = parse(ConnectBody, request.body ?? {});
      response.json(await answerWay(parts, request, { returnTo, draft: application }));
    });
}

async function answerWay(parts: AdminParts, request: Request, options: { returnTo: string; draft?: unknown }) {
  const kind = kindParam(parts, request);
  const db = parts.database.knex;
  const row = await readProvider(db, kind.kind);
  const way = wayToSource(parts, kind, {
    row,
    by: actorOf(request),
    session: boundSession(parts, request),
    ...options,
  });
  return { ...way, connection: viewConnection(await readConnection(db, kind.kind), parts.clock.now()) };
}

/** Where the source sends the browser back to. Nobody signs in here: the state says who asked, and in which session. */
export function connectCallback(parts: AdminParts): Router {
  return Router().get('/connect/:kind', async (request, response) => {
    const kind = String(request.params['kind']);
    const answer = Object.fromEntries(
      Object.entries(request.query).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    );
    try {
      const session = await lookUpSession(request, parts.sessions);
      const { returnTo, problem } = await arriveFromSource(parts, kind, answer, session?.id);
      response.redirect(303, backTo(parts, returnTo, kind, problem));
    } catch (error) {
      if (!(error instanceof GatewayError) || error instanceof NotFoundError) throw error;
      response.redirect(303, backTo(parts, '/', kind, error));
    }
  });
}

/** The console at its one address. A problem travels as its code; its words are at the provider. */
function backTo(parts: AdminParts, path: string, kind: string, problem: GatewayError | undefined): string {
  const url = new URL(`${parts.publicUrl()}${path}`);
  url.searchParams.set(problem === undefined ? 'connected' : 'connect-failed', kind);
  if (problem !== undefined) url.searchParams.set('code', problem.reason);
  return url.href;
}
