import { Router } from 'express';
import { z } from 'zod';
import { hostsIn } from '#core/hosts.ts';
import type { AppScope } from '#core/scope.ts';
import { requireAdmin, requireScope } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import { SetInput, WebhookInput } from '#outbound/event/stream-settings.ts';
import { savePush } from '#outbound/push-settings.ts';
import { deleteApp, insertApp, listApps, readApp, updateApp } from '#store/access/apps.ts';
import { writeAudit } from '#store/access/audit.ts';
import { lockSettings } from '#store/source/settings.ts';
import { countInScope } from '#store/target/deliveries.ts';
import { askBackfill } from '#store/target/targets.ts';
import { refuseChanged, sendDocument } from './documents.ts';
import { answerInTurn, answerWhileWanted } from './long-work.ts';
import { needApp } from './need-app.ts';
import type { AdminParts } from './parts.ts';
import { checkRemovals, impactOfPush } from './push-impact.ts';
import { actorOf, PageQuery } from './query.ts';
import { streamRoutes } from './stream-routes.ts';
import { auditedStreams, describeApp, readAppSettings, saveStreams, withStreams } from './streams.ts';

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
/** Downstream apps. */
export function appRoutes(parts: AdminParts): Router {
  const { database, authenticator, checkScope } = parts;
  const db = database.knex;
  const admin = requireAdmin();
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
        const app = (await readApp(tx, made.id)) ?? made;
        const hosts = hostsIn([app.push, auditedStreams({ webhook, events })]);
        const detail = { name, ...(hosts.length > 0 && { hosts }) };
        await writeAudit(tx, { actor: actorOf(request), action: 'app.create', object: made.id, detail });
        return (await describeApp(tx, parts, app, shown)).shown;
      });
      wake(parts);
      response.status(201).location(`/api/v1/apps/${app.id}`).json(app);
    })
    .post('/apps/scope/count', requireScope('admin', 'operator'), async (request, response) => {
      const { scope } = parse(ScopeBody, request.body);
      checkScope(scope);
      const reader = `scope ${actorOf(request)}`;
      await answerWhileWanted(response, async (left) => {
        response.json(await countInScope(database, parts.scopeOf(scope), { reader, left }));
      });
    })
    .get('/apps/:id', async (request, response) => {
      const { shown, set } = await describeApp(db, parts, await needApp(db, request));
      sendDocument(response, shown, set);
    })
    .patch('/apps/:id', admin, async (request, response) => {
      const changes = parse(ChangedApp, request.body);
      if (changes.scope !== undefined) checkScope(changes.scope);
      const changed = await db.transaction(async (tx) => {
        await lockSettings(tx);
        const app = await needApp(tx, request);
        await refuseChanged(tx, request, await readAppSettings(tx, app), { action: 'app.change', object: app.id });
        await checkRemovals(parts, tx, app, changes, request.query);
        const scope = changes.scope === undefined ? app.scope : changes.scope;
        const saved = await updateApp(tx, { id: app.id, name: changes.name ?? app.name, scope });
        if (changes.scope !== undefined && app.push !== null) await askBackfill(tx, app.id);
        await savePush(tx, parts, app.id, changes.push);
        const shown = await saveStreams(tx, parts, { id: app.id, scope: scope as AppScope | null }, changes);
        const newest = changes.push === undefined ? saved : await readApp(tx, app.id);
        const pushed = changes.push === undefined ? {} : { push: changes.push !== null };
        const hosts = hostsIn([changes.push == null ? null : newest?.push, auditedStreams(changes)]);
        const detail = { ...changes, ...auditedStreams(changes), ...pushed, ...(hosts.length > 0 && { hosts }) };
        await writeAudit(tx, { actor: actorOf(request), action: 'app.change', object: app.id, detail });
        return describeApp(tx, parts, newest ?? app, shown);
      });
      authenticator.forgetAll();
      wake(parts);
      sendDocument(response, changed.shown, changed.set);
    })
    .post('/apps/:id/push/impact', requireScope('admin', 'operator'), async (request, response) => {
      const intended = parse(Intended, request.body ?? {});
      if (intended.scope !== undefined) checkScope(intended.scope);
      const app = await needApp(db, request);
      await answerInTurn(parts.longWork.looks, { request, response }, async (left) => {
        response.json(await impactOfPush(parts, db, app, intended, left));
      });
    })
    .delete('/apps/:id', admin, async (request, response) => {
      await db.transaction(async (tx) => {
        const app = await needApp(tx, request);
        await deleteApp(tx, app.id);
        await writeAudit(tx, {
          actor: actorOf(request),
          action: 'app.delete',
          object: app.id,
          detail: { name: app.name },
        });
      });
      authenticator.forgetAll();
      response.status(204).end();
    })
    .use(streamRoutes(parts));
}

/** Whoever tells apps of changes, or writes to them, looks at once. */
function wake({ events, dispatcher }: AdminParts): void {
  events?.wake();
  dispatcher?.wake();
}
