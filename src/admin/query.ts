import type { Request } from 'express';
import { z } from 'zod';
import { NotFoundError } from '#core/errors.ts';
import { principalOf } from '#http/auth.ts';

/** `?limit=&cursor=` of every list. */
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z
    .string()
    .regex(/^\d{1,18}$/, 'expected the nextCursor of an earlier answer')
    .optional(),
});

/** An instant, in any offset; as we say all of them, in UTC. There is no year 0, and none that takes a sign. */
export const instant = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text).toISOString())
  .refine((text) => /^(?!0000)\d{4}-/.test(text), 'expected a year from 1 to 9999');

/** Who did it, for the audit log. */
export function actorOf(request: Request): string {
  const { tokenId, actor } = principalOf(request);
  return actor ?? `token:${tokenId}`;
}

/** @throws {NotFoundError} the id in the path is none: so there is nothing by that id */
export function uuidParam(request: Request, name: string): string {
  const value = String(request.params[name] ?? '');
  if (!z.guid().safeParse(value).success)
    throw new NotFoundError(`There is nothing with the id "${value.slice(0, 64)}".`);
  return value.toLowerCase();
}
