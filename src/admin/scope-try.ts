// How many a scope lets in, told while it is entered.
import { Router } from 'express';
import { requireScope } from '#http/auth.ts';
import { tryScope } from '#sync/scope/try-scope.ts';
import { answerInTurn } from './long-work.ts';
import type { AdminParts } from './parts.ts';
import { kindParam, settingsToTry } from './providers.ts';

/** Nothing is saved, and the source is not asked. */
export function scopeTryRoute(parts: AdminParts): Router {
  return Router().post('/providers/:kind/scope/try', requireScope('admin', 'operator'), async (request, response) => {
    const kind = kindParam(parts, request);
    const settings = await settingsToTry(parts, kind, request);
    await answerInTurn(parts.longWork.looks, { request, response }, async (left) => {
      response.json(await tryScope(parts.database.knex, kind.open(settings), left));
    });
  });
}
