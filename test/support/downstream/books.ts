// What a downstream service writes down about its client: everything that a well-behaved one would not do.
import { startGrace } from '../grace.ts';
import type { Doc } from './schema.ts';

export interface Books {
  readonly violations: readonly string[];
  violation(text: string): void;
  /** Something was asked for while the service had said not to. */
  restUntil(at: number): void;
  arrived(method: string, path: string): void;
  /** A write to a resource begins; call what is answered when its answer is out. */
  writing(place: string): () => void;
  /** The client cannot know what became of this write. */
  unknown(place: string, keys: readonly string[]): void;
  /** Somebody was looked for: by one value, or by reading everybody. */
  lookedFor(value: string | undefined): void;
  creating(keys: readonly string[]): void;
  /** What a write came to. */
  changed(place: string, before: Doc, after: Doc, how: string): void;
  /** Writes since this was last called. */
  takeWrites(): readonly string[];
  wrote(text: string): void;
}

/** Requests that were on their way when the service asked for rest. */
const GRACE_MS = 150;
/** A tick of the clock, by which a timer may be early. */
const TICK_MS = 20;

export function keepBooks(): Books {
  const violations: string[] = [];
  const open = new Set<string>();
  /** Creations of which the client does not know, and has not looked since. */
  const unsureCreations = new Set<string>();
  const lookedFor = new Set<string>();
  const unsure = new Set<string>();
  const counts = new Map<string, number>();
  let hasReadAll = false;
  let writes: string[] = [];
  let isGraceOver = (): boolean => true;
  let restEnd = 0;
  const violation = (text: string): void => {
    if (violations.length < 50) violations.push(text);
  };

  return {
    violations,
    violation,
    restUntil(at) {
      if (restEnd <= Date.now()) isGraceOver = startGrace(GRACE_MS);
      restEnd = at;
    },
    arrived(method, path) {
      const now = Date.now();
      if (now < restEnd - TICK_MS && isGraceOver()) violation(`${method} ${path} ${restEnd - now} ms too early`);
    },
    writing(place) {
      if (open.has(place)) violation(`two writes to ${place} at once`);
      open.add(place);
      return () => void open.delete(place);
    },
    unknown(place, keys) {
      unsure.add(place);
      for (const key of keys) {
        unsureCreations.add(key);
        lookedFor.delete(key);
      }
      hasReadAll = false;
    },
    lookedFor(value) {
      if (value === undefined) {
        hasReadAll = true;
        unsureCreations.clear();
      } else {
        lookedFor.add(value.toLowerCase());
        unsureCreations.delete(value.toLowerCase());
      }
    },
    creating(keys) {
      if (keys.length > 0 && keys.every((key) => unsureCreations.has(key)))
        violation(`POST of ${keys} repeated blindly`);
      if (!hasReadAll && !keys.some((key) => lookedFor.has(key))) violation(`POST of ${keys}, who was not looked for`);
    },
    changed(place, before, after, how) {
      const isSame = canonical(before) === canonical(after);
      if (isSame && !unsure.has(place)) violation(`${how} ${place} changes nothing`);
      unsure.delete(place);
      for (const name of ['title', 'displayName']) inOrder(`${place} ${name}`, after[name]);
    },
    takeWrites() {
      const taken = writes;
      writes = [];
      return taken;
    },
    wrote(text) {
      writes.push(text);
    },
  };

  /** The tests give every value a number, and never go back. */
  function inOrder(place: string, value: unknown): void {
    const number = Number(/(\d+)$/.exec(String(value ?? ''))?.[1] ?? Number.NaN);
    if (Number.isNaN(number)) return;
    const before = counts.get(place) ?? 0;
    if (number < before) violation(`${place} became ${number} after ${before}`);
    counts.set(place, number);
  }
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item) => {
    if (Array.isArray(item)) return [...item].map((one) => canonical(one)).sort();
    if (typeof item !== 'object' || item === null) return item;
    return Object.fromEntries(Object.entries(item).sort(([one], [other]) => (one < other ? -1 : 1)));
  });
}
