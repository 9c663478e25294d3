import { type Request, Router } from 'express';
import { z } from 'zod';
import { NotFoundError } from '#core/errors.ts';
import type { AppScope } from '#core/scope.ts';
import { requireScope } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import { savePush } from '#outbound/push-settings.ts';
import { SetInput, WebhookInput } from '#outbound/stream-settings.ts';
import { hashToken, makeToken, tokenHint } from '#platform/token.ts';
import { deleteApp, insertApp, listApps, readApp, updateApp } from '#store/apps.ts';
import { writeAudit } from '#store/audit.ts';
import { countInScope } from '#store/deliveries.ts';
import { askBackfill } from '#store/targets.ts';
import { insertToken, listTokens, revokeToken } from '#store/tokens.ts';
import { needApp } from './need-app.ts';
import type { AdminParts } from './parts.ts';
import { checkRemovals, impactOfPush } from './push-impact.ts';
import { actorOf, instant, PageQuery, uuidParam } from './query.ts';
import { streamRoutes } from './stream-routes.ts';
import { auditedStreams, saveStreams, withStreams } from './streams.ts';

const path = z.string().trim().min(1).max(200);
const Scope = z.strictObject({
  resourceTypes: z
    .array(z.enum(['User', 'Group']))
    .min(1)
    .optional(),
  attributes: z.array(path).min(1).max(200).optional(),
  userFilter: z.string().min(1).max(16_384).optional(),
  groupFilter: z.string().min(1).max(16_384).optional(),
  groups: z.array(z.guid()).min(1).max(1_000).optional(),
});
const NewApp = z.strictObject({
  name: z.string().trim().min(1).max(200),
  scope: Scope.nullable().optional(),
  push: z.looseObject({}).nullable().optional(),
  webhook: WebhookInput.nullable().optional(),
  events: SetInput.nullable().optional(),
});
const ChangedApp = NewApp.partial();
const Intended = z
  .strictObject({ scope: Scope.nullable().optional(), push: z.looseObject({}).optional() })
  .prefault({});
const ScopeBody = z.strictObject({ scope: Scope.nullable() });
const SCOPES = ['scim:read', 'scim:write', 'admin', 'operator', 'viewer'] as const;
const NewToken = z
  .strictObject({
    name: z.string().trim().max(200).default(''),
    scopes: z.array(z.enum(SCOPES)).min(1).default(['scim:read']),
    expiresAt: instant.nullable().default(null),
    userId: z.guid().nullable().default(null),
  })
  .prefault({});

/** Downstream apps and their tokens. */
export function appRoutes(parts: AdminParts): Router {
  const { database, authenticator, checkScope } = parts;
  const db = database.knex;
  const admin = requireScope('admin');
  return Router()
    .get('/apps', async (request, response) => {
      const { items, nextCursor } = await listApps(db, parse(PageQuery, request.query));
      response.json({ items: await withStreams(db, parts, items), nextCursor });
    })
    .post('/apps', admin, async (request, response) => {
      const { name, scope = null, push, webhook, events } = parse(NewApp, request.body);
      checkScope(scope);
      const app = await db.transaction(async (tx) => {
        const made = await insertApp(tx, { name, scope });
        if (push != null) await savePush(tx, parts, made.id, push);
        const shown = await saveStreams(tx, parts, { id: made.id, scope }, { webhook, events });
        await writeAudit(tx, { actor: actorOf(request), action: 'app.create', object: made.id, detail: { name } });
        const [whole] = await withStreams(tx, parts, [(await readApp(tx, made.id)) ?? made], shown);
        return { ...made, ...whole };
      });
      wake(parts);
      response.status(201).location(`/api/v1/apps/${app.id}`).json(app);
    })
    .post('/apps/scope/count', requireScope('admin', 'operator'), async (request, response) => {
      const { scope } = parse(ScopeBody, request.body);
      checkScope(scope);
      response.json(await countInScope(db, parts.scopeOf(scope)));
    })
    .get('/apps/:id', async (request, response) => {
      const [app] = await withStreams(db, parts, [await needApp(db, request)]);
      response.json(app);
    })
    .patch('/apps/:id', admin, async (request, response) => {
      const changes = parse(ChangedApp, request.body);
      if (changes.scope !== undefined) checkScope(changes.scope);
      const changed = await db.transaction(async (tx) => {
        const app = await needApp(tx, request);
        await checkRemovals(parts, tx, app, changes, request.query);
        const scope = changes.scope === undefined ? app.scope : changes.scope;
        const saved = await updateApp(tx, { id: app.id, name: changes.name ?? app.name, scope });
        if (changes.scope !== undefined && app.push !== null) await askBackfill(tx, app.id);
        await savePush(tx, parts, app.id, changes.push);
        const shown = await saveStreams(tx, parts, { id: app.id, scope: scope as AppScope | null }, changes);
        const pushed = changes.push === undefined ? {} : { push: changes.push !== null };
        const detail = { ...changes, ...auditedStreams(changes), ...pushed };
        await writeAudit(tx, { actor: actorOf(request), action: 'app.change', object: app.id, detail });
        const newest = changes.push === undefined ? saved : await readApp(tx, app.id);
        const [whole] = await withStreams(tx, parts, newest === undefined ? [] : [newest], shown);
        return whole;
      });
      authenticator.forgetAll();
      wake(parts);
      response.json(changed);
    })
    .post('/apps/:id/push/impact', requireScope('admin', 'operator'), async (request, response) => {
      const intended = parse(Intended, request.body ?? {});
      if (intended.scope !== undefined) checkScope(intended.scope);
      response.json(await impactOfPush(parts, db, await needApp(db, request), intended));
    })
    .delete('/apps/:id', admin, async (request, response) => {
      await db.transaction(async (tx) => {
        const app = await needApp(tx, request);
        await deleteApp(tx, app.id);
        await writeAudit(tx, { actor: actorOf(request), action: 'app.delete', object: app.id });
      });
      authenticator.forgetAll();
      response.status(204).end();
    })
    .use(tokenRoutes(db, authenticator))
    .use(streamRoutes(parts));
}

/** Whoever tells apps of changes, or writes to them, looks at once. */
function wake({ events, dispatcher }: AdminParts): void {
  events?.wake();
  dispatcher?.wake();
}

function tokenRoutes(db: AdminParts['database']['knex'], authenticator: AdminParts['authenticator']): Router {
  const admin = requireScope('admin');

  async function revoke(request: Request, tokenId: string, appId?: string): Promise<void> {
    const hash = await db.transaction(async (tx) => {
      const revoked = await revokeToken(tx, tokenId, appId);
      if (revoked === undefined)
        throw new NotFoundError(`There is no token "${tokenId}" here.`, { reason: 'token-not-found' });
      await writeAudit(tx, { actor: actorOf(request), action: 'token.revoke', object: tokenId });
      return revoked;
    });
    authenticator.forget(hash);
  }

  return Router()
    .get('/apps/:id/tokens', async (request, response) => {
      response.json(await listTokens(db, (await needApp(db, request)).id, parse(PageQuery, request.query)));
    })
    .post('/apps/:id/tokens', admin, async (request, response) => {
      const { name, scopes, expiresAt, userId } = parse(NewToken, request.body ?? {});
      const token = makeToken();
      const id = await db.transaction(async (tx) => {
        const app = await needApp(tx, request);
        const row = {
          appId: app.id,
          name: name || app.name,
          hash: hashToken(token),
          hint: tokenHint(token),
          scopes,
          expiresAt,
          userId,
        };
        const made = await insertToken(tx, row);
        await writeAudit(tx, {
          actor: actorOf(request),
          action: 'token.create',
          object: made,
          detail: { app: app.id, scopes },
        });
        return made;
      });
      response.status(201).json({ id, token, scopes, expiresAt, userId });
    })
    .delete('/apps/:id/tokens/:tokenId', admin, async (request, response) => {
      const { id } = await needApp(db, request);
      await revoke(request, uuidParam(request, 'tokenId'), id);
      response.status(204).end();
    })
    .delete('/tokens/:id', admin, async (request, response) => {
      await revoke(request, uuidParam(request, 'id'));
      response.status(204).end();
    });
}
