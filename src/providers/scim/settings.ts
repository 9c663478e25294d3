import { z } from 'zod';
import { InputError } from '#core/errors.ts';
import { type Filter, parseFilter } from '#core/filter.ts';
import { DEFAULT_MATCHING, MATCH_ATTRIBUTES } from '#core/match.ts';

const leavePolicy = z.enum(['deactivate', 'delete', 'keep']);

const filter = z
  .string()
  .max(4_000)
  .default('')
  .superRefine((text, context) => {
    const problem = filterProblem(text);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });

const Scope = z.strictObject({
  filter,
  groupFilter: filter,
  onLeaveScope: leavePolicy.default('deactivate'),
  onSourceHardDelete: leavePolicy.default('delete'),
  deleteAfterDays: z.number().int().min(0).max(3650).nullable().default(30),
});

const Settings = z.strictObject({
  appId: z.guid().toLowerCase().nullable().default(null),
  scope: Scope.prefault({}),
  matching: z
    .array(z.enum(MATCH_ATTRIBUTES))
    .max(MATCH_ATTRIBUTES.length)
    .default([...DEFAULT_MATCHING.matching]),
  adoptManual: z.enum(['never', 'ask', 'onMatch']).default(DEFAULT_MATCHING.adoptManual),
  removalWindowMinutes: z.number().int().min(1).max(1_440).default(60),
});

export type ScimSettings = z.output<typeof Settings>;

/**
 * Whole settings with defaults filled in.
 * @throws {InputError} `settings-invalid` with every problem in `details.problems`
 */
export function parseSettings(value: unknown): ScimSettings {
  const result = Settings.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  const text = problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  throw new InputError(`The settings cannot be used: ${text.replace(/\.$/, '')}.`, {
    reason: 'settings-invalid',
    remedy: 'Correct the fields named.',
    details: { problems },
  });
}

/** Undefined for an empty text, which everybody fulfils. */
export function filterOf(text: string): Filter | undefined {
  return text.trim() === '' ? undefined : parseFilter(text);
}

function filterProblem(text: string): string | undefined {
  try {
    filterOf(text);
    return undefined;
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}
