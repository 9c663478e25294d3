import { Router } from 'express';
import { z } from 'zod';
import { requireAdmin } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import { rotateKey } from '#outbound/event/set-signer.ts';
import { writeAudit } from '#store/access/audit.ts';
import { listSigningKeys } from '#store/event/signing-keys.ts';
import type { AdminParts } from './parts.ts';
import { actorOf } from './query.ts';

const RotateBody = z.strictObject({ atOnce: z.boolean().default(false) }).prefault({});
/** Well below the hour for which a new key is shown before it signs. */
const CACHE_SECONDS = 300;

/** The keys that sign security event tokens. */
export function signingKeyRoutes({ database, seal, clock }: AdminParts): Router {
  const db = database.knex;
  const list = async () => {
    const keys = await listSigningKeys(db, clock.now());
    return {
      items: keys.map(({ kid, algorithm, active_at, expires_at }) => ({
        ...{ kid, algorithm, activeAt: active_at, expiresAt: expires_at },
      })),
      nextCursor: null,
    };
  };
  return Router()
    .get('/signing-keys', async (_request, response) => {
      response.json(await list());
    })
    .post('/signing-keys/rotate', requireAdmin(), async (request, response) => {
      const { atOnce } = parse(RotateBody, request.body ?? {});
      await db.transaction(async (tx) => {
        const { kid } = await rotateKey(tx, seal, { now: clock.now(), atOnce });
        await writeAudit(tx, {
          actor: actorOf(request),
          action: 'signing-key.rotate',
          object: kid,
          detail: { atOnce },
        });
      });
      response.json(await list());
    });
}

/** For everybody: what tokens are checked with (RFC 7517). The first look makes the first key. */
export function jwksRoute({ database, clock, signer }: AdminParts): Router {
  return Router().get('/.well-known/jwks.json', async (_request, response) => {
    const now = clock.now();
    await signer.prepare(now);
    const keys = await listSigningKeys(database.knex, now);
    response.setHeader('cache-control', `public, max-age=${CACHE_SECONDS}`);
    response.type('application/jwk-set+json').send(JSON.stringify({ keys: keys.map(({ public_jwk }) => public_jwk) }));
  });
}
