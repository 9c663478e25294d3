/**
 * For kinds of provider whose records are named fields, such as the columns of a file or the attributes of an LDAP
 * entry: scope filter, mapping rules, and the same again step by step for an explanation. Pure.
 */
import type { ResourceSchema, ResourceSchemas } from './attributes.ts';
import { InputError } from './errors.ts';
import type { Clause, MappedAttribute, RecordExplanation } from './explanation.ts';
import { type Filter, matches, parseFilter } from './filter.ts';
import { demandsOf, describeFilter, failedDemand } from './filter-text.ts';
import { isTooLongForKey } from './keys.ts';
import { compileMapping, type Mapping, mergeRules, missingAttribute, type SourceRecord } from './mapping.ts';
import type { MappingRule } from './mapping-rules.ts';
import { resolveTarget } from './mapping-target.ts';
import type { EffectiveRule, MappingTrace, Normalised } from './provider.ts';
import {
  GATEWAY_SCHEMA,
  GROUP_SCHEMA,
  type ProviderKindName,
  type Resource,
  USER_SCHEMA,
  type UserResource,
} from './resource.ts';

export interface FieldRecordOptions {
  readonly kind: ProviderKindName;
  readonly schemas: ResourceSchemas;
  readonly defaults: readonly MappingRule[];
  readonly own: readonly MappingRule[];
  /** A SCIM filter over the fields; empty for everybody. */
  readonly filter: string;
  /** Why there is no such field, in words. */
  readonly fieldProblem?: (name: string) => string | undefined;
}

export interface FieldRecords {
  /** Fields that rules and filter look at, each once. */
  readonly reads: readonly string[];
  user(externalId: string, fields: SourceRecord): Normalised;
  group(externalId: string, displayName: string | undefined): Normalised;
  explainUser(externalId: string, fields: SourceRecord): RecordExplanation;
  explainGroup(externalId: string, displayName: string | undefined, source: SourceRecord): RecordExplanation;
  readonly rules: readonly EffectiveRule[];
  trace(externalId: string, fields: SourceRecord): MappingTrace;
  /** Undefined where no rule is for the creation only. */
  readonly keepCreated: ((mapped: Resource, existing: Resource) => Resource) | undefined;
}

/** @throws {InputError} `settings-invalid`: a rule or the filter cannot be used */
export function makeFieldRecords(options: FieldRecordOptions): FieldRecords {
  const { User: schema } = options.schemas;
  const filter = parseScopeFilter(options.filter);
  const held = { schema, ...(options.fieldProblem === undefined ? {} : { fieldProblem: options.fieldProblem }) };
  const merged = mergeRules(options.defaults, options.own, held);
  const mapping = compileMapping(
    merged.map(({ byDefault: _default, ...rule }) => rule),
    held,
  );
  const map = (externalId: string, fields: SourceRecord): Normalised => mapUser(externalId, fields, mapping, options);
  const user = (externalId: string, fields: SourceRecord): Normalised => {
    const failed = failedDemand(filter, fields);
    return failed === undefined ? map(externalId, fields) : { skip: 'ScopeFilterFalse', detail: failed };
  };
  return {
    reads: [...new Set([...mapping.reads, ...(filter === undefined ? [] : namesIn(filter))])],
    user,
    group: mapGroup,
    explainUser: (externalId, fields) => ({
      clauses: [...filterClauses(filter, fields), mappingClause(map(externalId, fields), fields)],
      evidence: [],
      attributes: attributesOf(map(externalId, fields), externalId, mapping, fields, schema),
    }),
    explainGroup(externalId, displayName, source) {
      const mapped = mapGroup(externalId, displayName);
      const values = 'resource' in mapped ? mapped.resource : undefined;
      const attributes = values === undefined ? [] : Object.entries(values).filter(([name]) => name !== 'schemas');
      return {
        clauses: [mappingClause(mapped, source)],
        evidence: [],
        attributes: attributes.map(([attribute, value]) => ({ attribute, value, source })),
      };
    },
    rules: merged.map((rule) => {
      const { path, attribute } = resolveTarget(rule.target, schema);
      return { ...rule, target: path, type: attribute.type, multiValued: attribute.multiValued };
    }),
    trace: (externalId, fields) => ({
      results: mapping
        .trace(fields)
        .map((result, index) => ({ ...result, byDefault: merged[index]?.byDefault === true })),
      outcome: user(externalId, fields),
      lacks: [],
    }),
    keepCreated:
      mapping.onCreate.length === 0
        ? undefined
        : (now, existing) =>
            'userName' in now ? (mapping.keep({ ...now }, { ...existing }) as unknown as Resource) : now,
  };
}

function mapUser(
  externalId: string,
  fields: SourceRecord,
  mapping: Mapping,
  { kind, schemas: { User: schema } }: FieldRecordOptions,
): Normalised {
  const base: Omit<UserResource, 'userName'> = {
    schemas: [USER_SCHEMA],
    externalId,
    active: true,
    [GATEWAY_SCHEMA]: { origin: kind, source: kind },
  };
  const mapped = mapping.apply({ ...base }, fields);
  const missing = missingAttribute(mapped, schema);
  if (missing !== undefined) return { skip: 'MandatoryFieldMissing', detail: missing };
  if (mapped['active'] === undefined) return { skip: 'SchemaViolation', detail: 'active' };
  return { resource: mapped as unknown as Resource };
}

/** A group without a name goes by its id; one by whose name it could not be found stays out. */
function mapGroup(externalId: string, displayName: string | undefined): Normalised {
  const text = displayName?.toWellFormed().replaceAll('\0', '') ?? '';
  if (isTooLongForKey(text)) return { skip: 'SchemaViolation', detail: 'displayName' };
  return { resource: { schemas: [GROUP_SCHEMA], externalId, displayName: text.trim() === '' ? externalId : text } };
}

/** One clause for each term of the filter that must be true by itself. */
function filterClauses(filter: Filter | undefined, fields: SourceRecord): Clause[] {
  return demandsOf(filter).map((term) => {
    const demands = describeFilter(term);
    const holds = matches(term, fields);
    return {
      setting: 'scope.filter',
      demands,
      holds,
      seen: valuesOf(fields, namesIn(term)),
      reason: holds ? null : 'ScopeFilterFalse',
      detail: holds ? null : demands,
    };
  });
}

export function mappingClause(mapped: Normalised, fields: SourceRecord): Clause {
  const failure = 'skip' in mapped ? mapped : undefined;
  return {
    setting: 'mapping',
    demands: 'all that SCIM demands, in text that it can carry',
    holds: failure === undefined,
    seen: failure?.detail === undefined ? {} : valuesOf(fields, [failure.detail]),
    reason: failure?.skip ?? null,
    detail: failure?.detail ?? null,
  };
}

/** Each attribute that has a value, with the fields and the rules that it was made of. */
function attributesOf(
  mapped: Normalised,
  externalId: string,
  mapping: Mapping,
  fields: SourceRecord,
  schema: ResourceSchema,
): MappedAttribute[] {
  if ('skip' in mapped) return [];
  const found = new Map<string, MappedAttribute>([
    ['externalId', { attribute: 'externalId', value: externalId, source: {} }],
  ]);
  for (const { rule, source } of mapping.trace(fields)) {
    const { whole } = resolveTarget(rule.target, schema);
    const value = valueAt(mapped.resource, whole);
    if (value === undefined) continue;
    const before = found.get(whole);
    const rules = [...(before?.rules ?? []), rule];
    found.set(whole, { attribute: whole, value, source: { ...before?.source, ...source }, rules });
  }
  return [...found.values()];
}

/** `title`, or `urn:…:User:department`. */
function valueAt(resource: Resource, whole: string): unknown {
  const document = resource as unknown as Readonly<Record<string, unknown>>;
  if (whole in document) return document[whole];
  const cut = whole.lastIndexOf(':');
  const extension = document[whole.slice(0, cut)] as Readonly<Record<string, unknown>> | undefined;
  return extension?.[whole.slice(cut + 1)];
}

function valuesOf(fields: SourceRecord, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, fields[name] ?? null]));
}

/** @throws {InputError} `settings-invalid` */
function parseScopeFilter(text: string): Filter | undefined {
  if (text.trim() === '') return undefined;
  try {
    return parseFilter(text);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`scope.filter: ${error.message}`, {
      reason: 'settings-invalid',
      remedy: 'Write a SCIM filter over the fields of a record, such as department eq "Sales".',
      details: { problems: [{ path: 'scope.filter', message: error.message }] },
    });
  }
}

function namesIn(filter: Filter): string[] {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return [...new Set(filter.terms.flatMap(namesIn))];
    case 'not':
      return namesIn(filter.term);
    default:
      return [filter.path.attribute];
  }
}
