// Why a written resource is in scope or out, and what its attributes were made of: by what decides at a write.
import type { Clause, MappedAttribute, RecordExplanation } from '#core/explanation.ts';
import type { Resource, ResourceType } from '#core/resource.ts';
import { fits, type ScimRules } from './mapping.ts';
import { fieldsOfRecord, type ScimRecord, toResource } from './record.ts';
import type { ScimSettings } from './settings.ts';

interface Explaining {
  readonly scope: ScimSettings['scope'];
  readonly rules: ScimRules;
}

export function explainRecord(record: ScimRecord, type: ResourceType, { scope, rules }: Explaining): RecordExplanation {
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
  const text = type === 'User' ? scope.filter : scope.groupFilter;
  const inScope = failed !== undefined || fits(rules, record, type);
  const filter: Clause = {
    setting: type === 'User' ? 'scope.filter' : 'scope.groupFilter',
    demands: text,
    holds: inScope,
    seen: record.document,
    reason: inScope ? null : 'ScopeFilterFalse',
    detail: null,
  };
  return {
    clauses: text.trim() === '' ? [mapping] : [mapping, filter],
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
