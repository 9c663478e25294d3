import type { Operation } from './bulk-request.ts';

/** The places of operations that are carried out together: one, or several that name each other in a circle. */
export type Step = readonly number[];

/**
 * The order of a Bulk request: as it was sent, except that what an operation names is made before it. Tarjan's
 * strongly connected components, which come out with the named first, walked without recursion.
 */
export function planBulk(operations: readonly (Operation | undefined)[]): readonly Step[] {
  const names = namesOf(operations);
  const steps: Step[] = [];
  const index = new Map<number, number>();
  const low = new Map<number, number>();
  const stack: number[] = [];
  const onStack = new Set<number>();
  for (const start of operations.keys()) {
    const path = index.has(start) ? [] : [enter(start)];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.named.next();
      if (!next.done) {
        const place = next.value;
        if (!index.has(place)) path.push(enter(place));
        else if (onStack.has(place)) lower(top.place, index.get(place));
        continue;
      }
      path.pop();
      const above = path.at(-1);
      if (above !== undefined) lower(above.place, low.get(top.place));
      if (low.get(top.place) === index.get(top.place)) steps.push(leave(top.place));
    }
  }
  return steps;

  function enter(place: number): { place: number; named: Iterator<number> } {
    index.set(place, index.size);
    low.set(place, index.size - 1);
    stack.push(place);
    onStack.add(place);
    return { place, named: (names[place] ?? new Set<number>())[Symbol.iterator]() };
  }

  function lower(place: number, to = 0): void {
    low.set(place, Math.min(low.get(place) ?? 0, to));
  }

  function leave(root: number): Step {
    const step: number[] = [];
    for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
      onStack.delete(place);
      step.push(place);
      if (place === root) break;
    }
    return step.sort((left, right) => left - right);
  }
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
