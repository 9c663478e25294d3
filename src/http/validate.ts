import type { z } from 'zod';
import { InputError } from '#core/errors.ts';
import { checkForm, textOf } from '#core/problems.ts';

/** The value in its schema's form. @throws {InputError} naming every field that is wrong, in `details.problems` */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const checked = checkForm(schema, value);
  if (checked.problems === undefined) return checked.value;
  const { problems } = checked;
  throw new InputError(`The request cannot be used: ${textOf(problems)}.`, {
    remedy: 'Correct the fields named.',
    details: { problems },
  });
}
