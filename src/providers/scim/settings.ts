import { z } from 'zod';
import { leaveScope, parseKindSettings, runSettings } from '#core/kind-settings.ts';

const { filter, onLeaveScope, onSourceHardDelete, deleteAfterDays } = leaveScope;
const { matching, adoptManual, mapping } = runSettings;

/** openapi.yaml has the same fields. */
export const Settings = z.strictObject({
  appId: z.guid().toLowerCase().nullable().default(null),
  scope: z
    .strictObject({ filter, groupFilter: filter, onLeaveScope, onSourceHardDelete, deleteAfterDays })
    .prefault({}),
  matching,
  adoptManual,
  mapping,
  removalWindowMinutes: z.number().int().min(1).max(1_440).default(60),
});

export type ScimSettings = z.output<typeof Settings>;

/**
 * Whole settings with defaults filled in.
 * @throws {InputError} `settings-invalid` with every problem in `details.problems`
 */
export function parseSettings(value: unknown): ScimSettings {
  return parseKindSettings(Settings, value);
}
