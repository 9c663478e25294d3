import { TooLargeError } from './errors.ts';
import type { Filter } from './filter.ts';

/** Values compared and written in one PATCH: about half a second, in which nobody else is answered. */
const COMPARED_MAX = 1_000_000;
/** A longer text that is written into many values counts as many times: or a few of them would fill the memory. */
const TEXT_LENGTH = 100;
/** To compare each so many characters of a value takes as long as to compare so many short ones. */
const LONG = { characters: 500, worth: 20 };
/** To find out what a name means takes as long as to compare so many values. */
const NAME_WORTH = 10;
/** To read a value as long as to compare so many. */
const READ_WORTH = 15;

/** What one PATCH has read and compared so far: each operation looks at every value that there is, a filter once for each term. */
export class PatchWork {
  private compared = 0;

  /**
   * @param written into each of the values; absent where nothing is
   * @throws {TooLargeError}
   */
  compare(values: readonly object[], filter?: Filter, written?: unknown): void {
    const length = written === undefined ? 0 : JSON.stringify(written).length;
    const terms = filter === undefined ? 1 : termsOf(filter);
    const long = values.reduce((sum, value) => sum + Math.floor(charactersIn(value) / LONG.characters), 0);
    this.add(values.length * (terms + Math.floor(length / TEXT_LENGTH)) + long * terms * LONG.worth);
  }

  /** The names that a value gives, of which each is looked up. @throws {TooLargeError} */
  lookUp(names: number): void {
    this.add(names * NAME_WORTH);
  }

  /** Values that are given, of which each is held against the schema. @throws {TooLargeError} */
  read(given: unknown): void {
    if (Array.isArray(given)) this.add(given.length * READ_WORTH);
  }

  private add(work: number): void {
    this.compared += work;
    if (this.compared <= COMPARED_MAX) return;
    throw new TooLargeError(`The operations of this PATCH read, compare or write more than ${COMPARED_MAX} values.`, {
      remedy: 'Send fewer operations at a time, or replace all values at once.',
    });
  }
}

/** Of the texts in a value. What lies deeper is short. */
function charactersIn(value: object): number {
  return Object.values(value).reduce((sum, inner) => sum + (typeof inner === 'string' ? inner.length : 0), 0);
}

function termsOf(filter: Filter): number {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.terms.reduce((sum, term) => sum + termsOf(term), 0);
    case 'not':
      return termsOf(filter.term);
    case 'element':
      return termsOf(filter.filter);
    default:
      return 1;
  }
}
