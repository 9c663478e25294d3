import type { Request } from 'express';
import { NotFoundError } from '#core/errors.ts';
import { type AppView, readApp } from '#store/access/apps.ts';
import type { Db } from '#store/database.ts';
import { uuidParam } from './query.ts';

/** The app in the path. @throws {NotFoundError} `app-not-found` */
export async function needApp(db: Db, request: Request): Promise<AppView> {
  const id = uuidParam(request, 'id');
  const app = await readApp(db, id);
  if (app === undefined) throw new NotFoundError(`There is no app "${id}".`, { reason: 'app-not-found' });
  return app;
}
