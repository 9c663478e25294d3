import { TooLargeError } from './errors.ts';
import type { Filter } from './filter.ts';

/** Values compared in one PATCH: about half a second, in which nobody else is answered. */
const COMPARED_MAX = 1_000_000;

/** What one PATCH has compared so far: each operation looks at every value that there is, a filter once for each term. */
export class PatchWork {
  private compared = 0;

  /** @throws {TooLargeError} */
  compare(values: number, filter?: Filter): void {
    this.compared += values * (filter === undefined ? 1 : termsOf(filter));
    if (this.compared <= COMPARED_MAX) return;
    throw new TooLargeError(`The operations of this PATCH compare values more than ${COMPARED_MAX} times.`, {
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
