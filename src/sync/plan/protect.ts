import type { ResourceSchema, ResourceSchemas } from '#core/attributes.ts';
import { InputError } from '#core/errors.ts';
import { type Filter, parseFilter } from '#core/filter.ts';
import type { ResourceType } from '#core/resource.ts';
import { compileFilter } from '#store/filter/filter.ts';
import type { Where } from '#store/statement.ts';

export type { ResourceSchemas };

/**
 * The guard's `protect` as a clause for each type that it may name. Of alternatives joined by `or`, each type takes
 * those whose attributes it has, so that one filter may name people and groups.
 * @throws {InputError} `invalid-filter`: not a filter, or an alternative that neither users nor groups can fulfil
 */
export function compileProtect(text: string, schemas: ResourceSchemas): ReadonlyMap<ResourceType, Where> {
  const filter = parseFilter(text);
  const alternatives = filter.kind === 'or' ? filter.terms : [filter];
  const fitting: Record<ResourceType, Filter[]> = { User: [], Group: [] };
  for (const term of alternatives) {
    const problems = (['User', 'Group'] as const).map((type) => {
      const problem = problemOf(term, schemas[type]);
      if (problem === undefined) fitting[type].push(term);
      return problem;
    });
    if (problems.every((problem) => problem !== undefined)) throw problems[0];
  }
  const clauses = new Map<ResourceType, Where>();
  for (const type of ['User', 'Group'] as const)
    if (fitting[type].length > 0) clauses.set(type, compileFilter({ kind: 'or', terms: fitting[type] }, schemas[type]));
  return clauses;
}

function problemOf(term: Filter, schema: ResourceSchema): InputError | undefined {
  try {
    compileFilter(term, schema);
    return undefined;
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}
