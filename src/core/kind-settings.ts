/** What the settings of kinds of provider have in common, so that an administrator meets the same words everywhere. */
import { z } from 'zod';
import { InputError } from './errors.ts';
import { mappingRules } from './mapping-rules.ts';
import { DEFAULT_MATCHING, MATCH_ATTRIBUTES } from './match.ts';
import type { RunPolicy } from './policy.ts';
import { checkForm, textOf } from './problems.ts';

const leavePolicy = z.enum(['deactivate', 'delete', 'keep']);

/** Who comes in, by a SCIM filter over the fields of a record, and what becomes of those who leave. */
export const leaveScope = {
  filter: z.string().max(10_000).default(''),
  onLeaveScope: leavePolicy.default('deactivate'),
  onSourceSoftDelete: leavePolicy.default('deactivate'),
  onSourceHardDelete: leavePolicy.default('delete'),
  deleteAfterDays: z.number().int().min(0).max(3650).nullable().default(30),
};

/** Anchors are of Microsoft 365. */
const PLAIN_MATCHING = z.enum(MATCH_ATTRIBUTES).exclude(['anchors']);

/** What stands beside the scope in the settings of every kind that is read. */
export const runSettings = {
  initialRun: z.enum(['auto', 'preview', 'manual']).default('preview'),
  matching: z
    .array(PLAIN_MATCHING)
    .max(PLAIN_MATCHING.options.length)
    .default([...DEFAULT_MATCHING.matching]),
  adoptManual: z.enum(['never', 'ask', 'onMatch']).default(DEFAULT_MATCHING.adoptManual),
  mapping: z.strictObject({ users: mappingRules }).prefault({}),
};

const Shape = z.object({ ...runSettings, scope: z.object(leaveScope) });

export function policyOf(settings: z.output<typeof Shape>): RunPolicy {
  const { initialRun, scope, matching, adoptManual } = settings;
  return {
    initialRun,
    onLeaveScope: scope.onLeaveScope,
    onSourceSoftDelete: scope.onSourceSoftDelete,
    onSourceHardDelete: scope.onSourceHardDelete,
    deleteAfterDays: scope.deleteAfterDays,
    matching: { matching, adoptManual },
  };
}

/**
 * Whole settings with defaults filled in.
 * @throws {InputError} `settings-invalid` with every problem in `details.problems`
 */
export function parseKindSettings<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const checked = checkForm(schema, value);
  if (checked.problems === undefined) return checked.value;
  const { problems } = checked;
  throw new InputError(`The settings cannot be used: ${textOf(problems).replace(/\.$/, '')}.`, {
    reason: 'settings-invalid',
    remedy: 'Correct the fields named.',
    details: { problems },
  });
}
