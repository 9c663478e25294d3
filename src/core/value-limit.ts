/** How many values a resource may have: to read, compare and serve them takes as long as there are many. */
import { TooLargeError } from './errors.ts';

/**
 * In all attributes together, without the members of a group: about half a second of reading, in which nobody else is
 * answered.
 */
const VALUES_MAX = 50_000;

export interface ValueCount {
  /** Counts those of one attribute, before they are read. @throws {TooLargeError} there are too many by now */
  add(value: unknown): void;
}

export function countValues(): ValueCount {
  let values = 0;
  return {
    add(value) {
      values += lengthOf(value);
      if (values > VALUES_MAX) throw tooMany();
    },
  };
}

/** Refuses a document that a change made too large. One that was before may become smaller. @throws {TooLargeError} */
export function refuseGrown(before: object, after: object): void {
  const count = valuesIn(after);
  if (count > VALUES_MAX && count > valuesIn(before)) throw tooMany();
}

/** Of the attributes themselves, and of those of extensions. */
function valuesIn(document: object): number {
  let values = 0;
  for (const value of Object.values(document)) {
    const inner = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.values(value) : [value];
    for (const one of inner) values += lengthOf(one);
  }
  return values;
}

function lengthOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}

function tooMany(): TooLargeError {
  return new TooLargeError(`A resource has at most ${VALUES_MAX} values, beside the members of a group.`, {
    remedy: 'Send fewer values.',
  });
}
