import type { Operation } from './bulk-request.ts';

/** The places of operations that are carried out together: one, or several that name each other in a circle. */
export type Step = readonly number[];

/**
 * The order of a Bulk request: as it was sent, except that what an operation names is made before it. These are
 * Tarjan's strongly connected components, which come out with the named first. As deep as there are operations.
 */
export function planBulk(operations: readonly (Operation | undefined)[]): readonly Step[] {
  const names = namesOf(operations);
  const steps: Step[] = [];
  const entered = new Map<number, number>();
  const open: number[] = [];

  /** The earliest operation still open that this one leads to. */
  function visit(place: number): number {
    const mine = entered.size;
    entered.set(place, mine);
    open.push(place);
    let earliest = mine;
    for (const named of names[place] ?? []) {
      if (!entered.has(named)) earliest = Math.min(earliest, visit(named));
      else if (open.includes(named)) earliest = Math.min(earliest, entered.get(named) ?? mine);
    }
    if (earliest === mine) steps.push(open.splice(open.indexOf(place)).sort((left, right) => left - right));
    return earliest;
  }

  for (const place of operations.keys()) if (!entered.has(place)) visit(place);
  return steps;
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** For each operation, the POSTs whose ids it names. */
function namesOf(operations: readonly (Operation | undefined)[]): readonly ReadonlySet<number>[] {
  const posts = new Map<string, number>();
  for (const [place, operation] of operations.entries())
    if (operation?.method === 'POST') posts.set(operation.id, place);
  return operations.map((operation, place) => {
    if (operation === undefined) return new Set<number>();
    const text = `${operation.method === 'POST' ? '' : operation.id} ${JSON.stringify(operation.data ?? null)}`;
    const found = [...text.matchAll(UUID)].flatMap(([id]) => posts.get(id) ?? []);
    return new Set(found.filter((other) => other !== place));
  });
}
