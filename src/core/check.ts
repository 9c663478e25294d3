import { GatewayError } from './errors.ts';

/** One line of a connection test, in words an administrator can act on. */
export interface Check {
  /** Stable kebab-case name: `token`, `read-users`. */
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly remedy: string | null;
}

/** What a check found: what is well, in one sentence, or a problem and what to do about it. */
export type Finding = string | { readonly problem: string; readonly remedy: string };

/** One line of a connection test. What the step throws is what is wrong. Never throws itself. */
export async function check(name: string, step: () => Finding | Promise<Finding>): Promise<Check> {
  try {
    const finding = await step();
    if (typeof finding === 'string') return { name, ok: true, detail: finding, remedy: null };
    return { name, ok: false, detail: finding.problem, remedy: finding.remedy };
  } catch (error) {
    if (error instanceof GatewayError) return { name, ok: false, detail: error.message, remedy: error.remedy ?? null };
    return {
      name,
      ok: false,
      detail: isTimeout(error) ? 'There was no answer in time.' : 'The check failed for a reason that is not known.',
      remedy: 'Check the network and the settings, then try again.',
    };
  }
}

/** True of what a time limit throws, and of what is thrown because nobody waits any more. */
export function isTimeout(error: unknown): boolean {
  return error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError');
}
