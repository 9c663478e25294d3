import type { z } from 'zod';
import { InputError } from '#core/errors.ts';

/** The value in its schema's form. @throws {InputError} naming every field that is wrong, in `details.problems` */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  const text = problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  throw new InputError(`The request cannot be used: ${text}.`, {
    remedy: 'Correct the fields named.',
    details: { problems },
  });
}
