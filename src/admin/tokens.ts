import { type Request, Router } from 'express';
import { z } from 'zod';
import { NotFoundError } from '#core/errors.ts';
import { principalOf, requireAdmin } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import { hashToken, makeToken, tokenHint } from '#platform/token.ts';
import { writeAudit } from '#store/access/audit.ts';
import { insertToken, listAllTokens, listTokens, revokeToken } from '#store/access/tokens.ts';
import type { Page } from '#store/views/page.ts';
import { needApp } from './need-app.ts';
import type { AdminParts } from './parts.ts';
import { actorOf, instant, PageQuery, uuidParam } from './query.ts';

const ROLES = ['admin', 'operator', 'viewer'] as const;
const SCOPES = ['scim:read', 'scim:write', ...ROLES] as const;
const name = z.string().trim().max(200);
const expiresAt = instant.nullable().default(null);
const NewToken = z
  .strictObject({
    name: name.default(''),
    scopes: z.array(z.enum(SCOPES)).min(1).default(['scim:read']),
    expiresAt,
    userId: z.guid().nullable().default(null),
  })
  .prefault({});
const NewAdminToken = z.strictObject({ name: name.min(1), scopes: z.array(z.enum(ROLES)).min(1), expiresAt });
const TokensQuery = PageQuery.extend({ state: z.enum(['live', 'over']).optional() });

/** Tokens of apps, and those of administrators and their programs, which belong to no app. */
export function tokenRoutes({ database, authenticator }: Pick<AdminParts, 'database' | 'authenticator'>): Router {
  const db = database.knex;
  const admin = requireAdmin();

  /** The token is in the answer, and can be read nowhere else. */
  async function make(
    request: Request,
    app: { readonly id: string; readonly name: string } | undefined,
    wanted: Omit<z.output<typeof NewToken>, 'name'> & { readonly name: string },
  ): Promise<object> {
    const token = makeToken();
    const { scopes, expiresAt: until, userId } = wanted;
    const id = await db.transaction(async (tx) => {
      const made = await insertToken(tx, {
        appId: app?.id ?? null,
        name: wanted.name || (app?.name ?? ''),
        hash: hashToken(token),
        hint: tokenHint(token),
        scopes,
        expiresAt: until,
        userId,
      });
      const detail = app === undefined ? { name: wanted.name, scopes } : { app: app.id, scopes };
      await writeAudit(tx, { actor: actorOf(request), action: 'token.create', object: made, detail });
      return made;
    });
    return { id, token, scopes, expiresAt: until, userId };
  }

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
    .get('/tokens', async (request, response) => {
      response.json(withOwn(request, await listAllTokens(db, parse(TokensQuery, request.query))));
    })
    .post('/tokens', admin, async (request, response) => {
      const wanted = parse(NewAdminToken, request.body);
      response.status(201).json(await make(request, undefined, { ...wanted, userId: null }));
    })
    .delete('/tokens/:id', admin, async (request, response) => {
      await revoke(request, uuidParam(request, 'id'));
      response.status(204).end();
    })
    .get('/apps/:id/tokens', async (request, response) => {
      const { id } = await needApp(db, request);
      response.json(withOwn(request, await listTokens(db, id, parse(PageQuery, request.query))));
    })
    .post('/apps/:id/tokens', admin, async (request, response) => {
      const wanted = parse(NewToken, request.body ?? {});
      response.status(201).json(await make(request, await needApp(db, request), wanted));
    })
    .delete('/apps/:id/tokens/:tokenId', admin, async (request, response) => {
      const { id } = await needApp(db, request);
      await revoke(request, uuidParam(request, 'tokenId'), id);
      response.status(204).end();
    });
}

/** Beside each, whether it is the one that this request, or its session, came with. */
function withOwn<View extends { readonly id: string }>(request: Request, { items, nextCursor }: Page<View>) {
  const { tokenId } = principalOf(request);
  return { items: items.map((token) => ({ ...token, own: token.id === tokenId })), nextCursor };
}
