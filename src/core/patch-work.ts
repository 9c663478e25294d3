import { TooLargeError } from './errors.ts';
import type { Filter } from './filter.ts';

/** Values compared and written in one PATCH: about half a second, in which nobody else is answered. */
const COMPARED_MAX = 1_000_000;
/** A longer text that is written into many values counts as many times: or a few of them would fill the memory. */
const TEXT_LENGTH = 100;

/** What one PATCH has compared so far: each operation looks at every value that there is, a filter once for each term. */
export class PatchWork {
  private compared = 0;

  /**
   * @param written into each of the values; absent where nothing is
   * @throws {TooLargeError}
   */
  compare(values: number, filter?: Filter, written?: unknown): void {
    const length = written === undefined ? 0 : JSON.stringify(written).length;
    this.compared += values * ((filter === undefined ? 1 : termsOf(filter)) + Math.floor(length / TEXT_LENGTH));
    if (this.compared <= COMPARED_MAX) return;
    throw new TooLargeError(`The operations of this PATCH compare or write more than ${COMPARED_MAX} values.`, {
      remedy: 'Send fewer operations at a time, or replace all values at once.',
    });
  }
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
