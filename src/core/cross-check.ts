/** What settings demand of each other. Pure. */
import { z } from 'zod';

/** One demand on some fields together. */
export interface CrossRule<Settings> {
  /** Paths, with dots, of all that it looks at. While one of them is wrong by itself, the rule says nothing. */
  readonly needs: readonly string[];
  /** The field that is to be corrected. */
  readonly path: string;
  /** Undefined where the settings fulfil it. */
  problem(settings: Settings): string | undefined;
}

/**
 * A check for an object's schema. Unlike a refinement it looks also at settings of which other fields are wrong, so that
 * one message names every problem.
 */
export function crossCheck<Settings extends object>(rules: readonly CrossRule<Settings>[]): z.core.$ZodCheck<Settings> {
  return z.superRefine<Settings>(
    (settings, context) => {
      const wrong = [...context.issues];
      for (const { needs, path, problem } of rules) {
        if (needs.some((need) => wrong.some((issue) => concerns(issue, need)))) continue;
        const message = problem(settings);
        if (message !== undefined) context.addIssue({ code: 'custom', path: path.split('.'), message });
      }
    },
    { when: ({ value }) => typeof value === 'object' && value !== null },
  );
}

/** A name that is not known says nothing about those that are. */
function concerns(issue: z.core.$ZodRawIssue, need: string): boolean {
  if (issue.code === 'unrecognized_keys') return false;
  const at = (issue.path ?? []).join('.');
  return at === '' || at === need || need.startsWith(`${at}.`) || at.startsWith(`${need}.`);
}
