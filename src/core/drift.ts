// What differs at a target from what it was sent, and what of that it does not keep: written once, told of from then on.
import type { Difference } from './differences.ts';

/** One thing that differs: an attribute, or somebody's membership. */
export interface Differing {
  readonly path: string;
  readonly theirs: unknown;
  readonly ours: unknown;
}

/** What is remembered of one resource. */
export interface Drift {
  /** Is to be mended by the next delivery, which reads back what became of it. */
  readonly asked: readonly Differing[];
  /** Was the same again when it was read back. */
  readonly unkept: readonly Differing[];
  /** When it was last written: whoever was changed there since may be taken in now. */
  readonly at: string;
}

/** More of one resource is mended each time, and not remembered. */
const KEPT_MOST = 1_000;

export function differingOf({ path, before, after }: Difference): Differing {
  return { path, theirs: before, ours: after };
}

const MEMBER = 'members ';

/** Who is a member on one side only, by the ids there. */
export function memberDrift(there: ReadonlySet<string>, wanted: ReadonlySet<string>): readonly Differing[] {
  const of = (ids: Iterable<string>, others: ReadonlySet<string>, theirs: boolean): Differing[] =>
    [...ids].filter((id) => !others.has(id)).map((id) => ({ path: `${MEMBER}${id}`, theirs, ours: !theirs }));
  return [...of(there, wanted, true), ...of(wanted, there, false)];
}

/** Whose membership differs. */
export function memberOf({ path }: Differing): string {
  return path.slice(MEMBER.length);
}

/** Of what differs, what is to be mended and what the target is known not to keep. */
export function splitDrift(
  differing: readonly Differing[],
  known: Drift | null,
): { readonly mend: readonly Differing[]; readonly unkept: readonly Differing[] } {
  const texts = new Set((known?.unkept ?? []).map(textOf));
  const isKnown = (one: Differing): boolean => texts.has(textOf(one));
  return { mend: differing.filter((one) => !isKnown(one)), unkept: differing.filter(isKnown) };
}

/** What is remembered after a write, by what was read back; null when that is nothing. */
export function driftAfter({ asked, unkept }: Drift, still: readonly Differing[], now: Date): Drift | null {
  const texts = new Set(still.map(textOf));
  const left = asked.filter((one) => texts.has(textOf(one)));
  return rememberedDrift([], [...unkept, ...left], now.toISOString());
}

export function rememberedDrift(asked: readonly Differing[], unkept: readonly Differing[], at: string): Drift | null {
  if (asked.length + unkept.length === 0) return null;
  return { asked: asked.slice(0, KEPT_MOST), unkept: unkept.slice(0, KEPT_MOST), at };
}

export function isSameDrift(one: Drift | null, other: Drift | null): boolean {
  const text = (drift: Drift | null): string =>
    drift === null ? '' : [...drift.asked.map(textOf), '', ...drift.unkept.map(textOf)].join('\n');
  return text(one) === text(other);
}

/** The same for both, whatever the database does to the order of keys. */
function textOf({ path, theirs, ours }: Differing): string {
  return JSON.stringify([path, sorted(theirs), sorted(ours)]);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value ?? null;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
}
