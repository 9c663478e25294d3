/**
 * Attribute mapping: rules that say where each attribute of a resource comes from. It knows nothing of any provider: a
 * kind hands over its records as plain objects, its rules, and which fields there are. Pure.
 */
import type { Attribute, ResourceSchema } from './attributes.ts';
import { coerceValue, type Document } from './coerce.ts';
import { InputError } from './errors.ts';
import { compileExpression } from './expression.ts';
import type { MappingRule } from './mapping-rules.ts';
import { type MappingTarget, resolveTarget } from './mapping-target.ts';

export type SourceRecord = Readonly<Record<string, unknown>>;

export interface MappingOptions {
  readonly schema: ResourceSchema;
  /** Why a record can have no such field, in words; undefined when it can. Absent where nobody knows beforehand. */
  readonly fieldProblem?: (name: string) => string | undefined;
}

/** What one rule makes of one record. */
export interface RuleResult {
  readonly target: string;
  readonly rule: MappingRule;
  /** The fields that the rule looked at. */
  readonly source: Readonly<Record<string, unknown>>;
  /** Null where the attribute stays empty. */
  readonly value: unknown;
  /** Why there is no value although there might be one; the default counts then. */
  readonly problem: string | null;
}

export interface Mapping {
  /** Fields that the rules look at, each once. */
  readonly reads: readonly string[];
  /** Attributes that are set when somebody is created and left alone from then on. */
  readonly onCreate: readonly string[];
  /** The resource with each attribute that a rule names set, or cleared. Others stay. Never throws on odd data. */
  apply(resource: Document, record: SourceRecord): Document;
  /** The same, rule by rule. */
  trace(record: SourceRecord): readonly RuleResult[];
  /** What was mapped for somebody who exists already: attributes that are set only on creation stay as they are. */
  keep(mapped: Document, existing: Document): Document;
}

/** The first required attribute that a mapped resource lacks; undefined when it has them all. */
export function missingAttribute(resource: Document, { core }: ResourceSchema): string | undefined {
  for (const { name, required } of core.attributes.values())
    if (required && (resource[name] === undefined || resource[name] === '')) return name;
  return undefined;
}

interface CompiledRule {
  readonly rule: MappingRule;
  readonly target: MappingTarget;
  readonly reads: readonly string[];
  /** @throws {InputError} an expression fails on this record */
  value(record: SourceRecord): unknown;
}

/** @throws {InputError} `settings-invalid`, with one sentence for each wrong rule in `details.problems` */
export function compileMapping(rules: readonly MappingRule[], options: MappingOptions): Mapping {
  const compiled: CompiledRule[] = [];
  const problems: { path: string; message: string }[] = [];
  const seen = new Map<string, number>();
  for (const [index, rule] of rules.entries())
    try {
      const one = compileRule(rule, options);
      const twin = seen.get(one.target.path);
      if (twin !== undefined) throw new InputError(`Rule ${twin + 1} sets "${one.target.path}" already.`);
      seen.set(one.target.path, index);
      compiled.push(one);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      problems.push({ path: String(index), message: `rule ${index + 1} ("${rule.target}"): ${error.message}` });
    }
  if (problems.length > 0) throw refuse(problems);
  return makeMapping(compiled, options.schema);
}

function makeMapping(rules: readonly CompiledRule[], schema: ResourceSchema): Mapping {
  const onCreate = rules.filter(({ rule }) => rule.apply === 'onCreate').map(({ target }) => target);
  return {
    reads: [...new Set(rules.flatMap(({ reads }) => reads))],
    onCreate: onCreate.map(({ path }) => path),
    apply(resource, record) {
      let document = resource;
      for (const rule of rules) document = rule.target.write(document, evaluate(rule, record).value);
      return rules.length === 0 ? document : withSchemas(document, schema);
    },
    trace: (record) =>
      rules.map((rule) => {
        const { value, problem } = evaluate(rule, record);
        const source = Object.fromEntries(rule.reads.map((name) => [name, fieldOf(record, name) ?? null]));
        return { target: rule.target.path, rule: rule.rule, source, value: value ?? null, problem };
      }),
    keep(mapped, existing) {
      let document = mapped;
      for (const target of onCreate) document = target.write(document, target.read(existing));
      return onCreate.length === 0 ? document : withSchemas(document, schema);
    },
  };
}

/**
 * The rules in force: those of the settings in the place of the defaults that they stand for. A rule for a whole
 * attribute stands for those of its parts too.
 * @throws {InputError} `settings-invalid`: a rule of the settings names no attribute
 */
export function mergeRules(
  defaults: readonly MappingRule[],
  own: readonly MappingRule[],
  options: MappingOptions,
): readonly (MappingRule & { readonly byDefault: boolean })[] {
  compileMapping(own, options);
  const targets = own.map(({ target }) => resolveTarget(target, options.schema));
  const replaced = new Set(targets.map(({ path }) => path));
  const kept = defaults.filter(({ target }) => {
    const { path, whole } = resolveTarget(target, options.schema);
    return !replaced.has(path) && !replaced.has(whole);
  });
  return [...kept.map((rule) => ({ ...rule, byDefault: true })), ...own.map((rule) => ({ ...rule, byDefault: false }))];
}

/** A part of a record: own fields only, with dots. */
export function fieldOf(record: SourceRecord, path: string): unknown {
  if (Object.hasOwn(record, path)) return record[path];
  let place: unknown = record;
  for (const name of path.split('.')) {
    if (typeof place !== 'object' || place === null || !Object.hasOwn(place, name)) return undefined;
    place = (place as SourceRecord)[name];
  }
  return place;
}

function compileRule(rule: MappingRule, { schema, fieldProblem }: MappingOptions): CompiledRule {
  const target = resolveTarget(rule.target, schema);
  const { reads, value } = sourceOf(rule);
  for (const name of reads) {
    const problem = fieldProblem?.(name);
    if (problem !== undefined) throw new InputError(problem);
  }
  // A value that is the same for everybody is held against the schema at once.
  for (const fixed of [rule.constant, rule.defaultIfEmpty])
    coerceValue(target.attribute, shaped(target.attribute, fixed));
  if (target.attribute.required && target.path === target.whole && rule.constant !== undefined)
    throw new InputError(`"${target.path}" cannot be the same for everybody.`);
  if (target.attribute.name === 'manager' && rule.apply === 'onCreate')
    throw new InputError('The manager is always followed; leave out "apply".');
  return { rule, target, reads, value };
}

function sourceOf({ source, constant, expression }: MappingRule): Pick<CompiledRule, 'reads' | 'value'> {
  if (expression !== undefined) {
    const { reads, evaluate } = compileExpression(expression);
    return { reads, value: evaluate };
  }
  if (source !== undefined) return { reads: [source], value: (record) => fieldOf(record, source) };
  return { reads: [], value: () => constant };
}

/** The value that the attribute gets; undefined for none. Data that cannot be carried is no value, and said. */
function evaluate(one: CompiledRule, record: SourceRecord): { value: unknown; problem: string | null } {
  const { attribute } = one.target;
  const fallback = one.rule.defaultIfEmpty;
  try {
    const value = coerceValue(attribute, shaped(attribute, one.value(record)));
    return { value: value ?? coerceValue(attribute, shaped(attribute, fallback)), problem: null };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { value: coerceValue(attribute, shaped(attribute, fallback)), problem: error.message };
  }
}

/** A value in the shape of its attribute, where that takes no guess: one of a list, a number as text, text as a number. */
function shaped(attribute: Attribute, value: unknown): unknown {
  if (Array.isArray(value) && !attribute.multiValued)
    return shaped(
      attribute,
      value.find((item) => item !== null && item !== ''),
    );
  if (typeof value === 'string') return fromText(attribute, cleaned(value));
  if (typeof value === 'number' || typeof value === 'boolean') return isText(attribute) ? String(value) : value;
  if (Array.isArray(value)) return value.map((item) => (typeof item === 'string' ? cleaned(item) : item));
  return value;
}

function fromText({ type, multiValued, sub }: Attribute, text: string): unknown {
  if (multiValued && type === 'complex' && sub.has('value') && text !== '') return [{ value: text }];
  if ((type === 'integer' || type === 'decimal') && text.trim() !== '') return Number(text);
  if (type === 'boolean') return text.trim();
  return text;
}

function isText({ type }: Attribute): boolean {
  return type === 'string' || type === 'reference';
}

/** What PostgreSQL and JSON can carry; a text with nothing to read in it is none. */
function cleaned(text: string): string {
  const clean = text.toWellFormed().replaceAll('\0', '');
  return clean.trim() === '' ? '' : clean;
}

function withSchemas(document: Document, { core, extensions }: ResourceSchema): Document {
  const present = extensions.filter(({ id }) => document[id] !== undefined).map(({ id }) => id);
  return { ...document, schemas: [core.id, ...present] };
}

function refuse(problems: readonly { path: string; message: string }[]): InputError {
  const text = problems.map(({ message }) => message.replace(/\.$/, '')).join('; ');
  return new InputError(`The mapping cannot be used: ${text}.`, {
    reason: 'settings-invalid',
    remedy: 'Correct the rules named.',
    details: { problems },
  });
}
