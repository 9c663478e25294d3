// Why a written resource is in scope or out, and what its attributes were made of: by what decides at a write.
import type { Clause, MappedAttribute, RecordExplanation } from '#core/explanation.ts';
import { matches } from '#core/filter.ts';
import { demandsOf, describeFilter } from '#core/filter-text.ts';
import type { Resource, ResourceType } from '#core/resource.ts';
import type { ScimRules } from './mapping.ts';
import { fieldsOfRecord, type ScimRecord, toResource } from './record.ts';

export function explainRecord(record: ScimRecord, type: ResourceType, rules: ScimRules): RecordExplanation {
  const mapped = toResource(record, type, rules.mapping);
  const failed = 'skip' in mapped ? mapped : undefined;
  const mapping: Clause = {
    setting: 'mapping',
    demands: 'all that SCIM demands',
    holds: failed === undefined,
    seen: {},
    reason: failed?.skip ?? null,
    detail: failed?.detail ?? null,
  };
  const setting = type === 'User' ? 'scope.filter' : 'scope.groupFilter';
  const filters = demandsOf(rules.filters[type]).map((term): Clause => {
    const demands = describeFilter(term);
    const holds = failed !== undefined || matches(term, record.document);
    return {
      ...{ setting, demands, holds, seen: record.document },
      ...{ reason: holds ? null : 'ScopeFilterFalse', detail: holds ? null : demands },
    };
  });
  return {
    clauses: [mapping, ...filters],
    evidence: [],
    attributes: 'resource' in mapped ? attributesOf(mapped.resource, record, rules) : [],
  };
}

/** What no rule names is what was written under the same name. */
function attributesOf(resource: Resource, record: ScimRecord, { mapping }: ScimRules): MappedAttribute[] {
  const traced = new Map(mapping.trace(fieldsOfRecord(record)).map((result) => [result.target, result]));
  return Object.entries(resource)
    .filter(([name]) => name !== 'schemas' && !name.startsWith('urn:'))
    .map(([name, value]) => {
      const made = [...traced.values()].filter(
        ({ target }) => target === name || (/^[.[]/.test(target.slice(name.length)) && target.startsWith(name)),
      );
      if (made.length === 0) return { attribute: name, value, source: { [name]: record.document[name] ?? null } };
      return {
        attribute: name,
        value,
        source: Object.assign({}, ...made.map(({ source }) => source)),
        rules: made.map(({ rule }) => rule),
      };
    });
}
