// Attribute mapping of a target: rules that are evaluated on one resource, in their order, over what is sent anyway.
import { type Filter, matches, type PatchPath, parsePath } from './filter.ts';

/** One rule. Exactly one of `from`, `value` and `template` says what is sent at `to`. */
export interface MappingRule {
  readonly to: string;
  /** Path in our resource. */
  readonly from?: string | undefined;
  readonly value?: string | number | boolean | undefined;
  /** Text with paths in braces: `{name.givenName} {name.familyName}`; `{userName|lower}` and `|upper` change the case. */
  readonly template?: string | undefined;
  /** When it is sent at all. */
  readonly when: 'always' | 'create' | 'update';
  /** An object without a value there is not sent, and is a dead letter that says so. */
  readonly required: boolean;
}

export type Fields = Record<string, unknown>;

/** Applies rules to `target`, reading from `source`. Answers the paths of required rules that came to nothing. */
export function applyMapping(
  rules: readonly MappingRule[],
  source: Readonly<Fields>,
  target: Fields,
  occasion: 'create' | 'update',
): readonly string[] {
  const missing: string[] = [];
  for (const rule of rules) {
    if (rule.when !== 'always' && rule.when !== occasion) continue;
    const value = mappedValue(rule, source);
    const isEmpty = value === undefined || value === null || value === '';
    if (isEmpty && rule.required) missing.push(rule.to);
    writeAt(target, parsePath(rule.to), isEmpty ? undefined : value);
  }
  return missing;
}

function mappedValue({ from, value, template }: MappingRule, source: Readonly<Fields>): unknown {
  if (from !== undefined) return readAt(source, parsePath(from));
  if (template === undefined) return value;
  let isEmpty = true;
  const text = template.replaceAll(/\{([^{}|]+)(?:\|(lower|upper))?\}/g, (_, path: string, form?: string) => {
    const found = readAt(source, parsePath(path.trim()));
    const word = found === undefined || found === null || typeof found === 'object' ? '' : String(found);
    if (word !== '') isEmpty = false;
    return form === 'lower' ? word.toLowerCase() : form === 'upper' ? word.toUpperCase() : word;
  });
  return isEmpty && template.includes('{') ? undefined : text.trim();
}

/** The value at a path; of a multi-valued attribute without a filter the primary one's, else the first's. */
export function readAt(resource: Readonly<Fields>, { schema, attribute, filter, sub }: PatchPath): unknown {
  const holder = schema === undefined ? resource : (resource[schema] ?? resource);
  const value = isFields(holder) ? holder[attribute] : undefined;
  if (filter === undefined && sub === undefined) return value;
  const one = Array.isArray(value) ? chosen(value, attribute, filter) : value;
  if (sub === undefined) return one;
  return isFields(one) ? one[sub] : undefined;
}

function chosen(values: readonly unknown[], name: string, filter: Filter | undefined): unknown {
  if (filter !== undefined) return values.find((value) => matches(filter, value, name));
  return values.find((value) => isFields(value) && value['primary'] === true) ?? values[0];
}

/** Puts a value at a path, and makes what is on the way; undefined takes it away. */
export function writeAt(resource: Fields, { schema, attribute, filter, sub }: PatchPath, value: unknown): void {
  const core = schema === undefined || schema.includes(':core:');
  const holder = core ? resource : fieldsAt(resource, schema);
  if (filter !== undefined) writeElement(holder, attribute, filter, sub, value);
  else if (sub !== undefined) {
    const inner = fieldsAt(holder, attribute);
    put(inner, sub, value);
    if (Object.keys(inner).length === 0) delete holder[attribute];
  } else put(holder, attribute, value);
  if (!core && Object.keys(holder).length === 0) delete resource[schema];
}

function writeElement(holder: Fields, name: string, filter: Filter, sub: string | undefined, value: unknown): void {
  const values = Array.isArray(holder[name]) ? [...(holder[name] as unknown[])] : [];
  const index = values.findIndex((item) => matches(filter, item, name));
  if (value === undefined) {
    if (index >= 0) values.splice(index, 1);
  } else {
    const given = sub === undefined ? (isFields(value) ? value : { value }) : { [sub]: value };
    const before = index < 0 ? elementOf(filter) : values[index];
    values.splice(index < 0 ? values.length : index, 1, { ...(isFields(before) ? before : {}), ...given });
  }
  put(holder, name, values.length === 0 ? undefined : values);
}

/** What `type eq "work"` says of an element that is made for it. */
function elementOf(filter: Filter): Fields {
  if (filter.kind === 'and') return Object.assign({}, ...filter.terms.map(elementOf));
  if (filter.kind !== 'compare' || filter.operator !== 'eq') return {};
  return { [filter.path.attribute]: filter.value };
}

function fieldsAt(holder: Fields, name: string): Fields {
  const present = holder[name];
  const made = isFields(present) ? { ...present } : {};
  holder[name] = made;
  return made;
}

function put(holder: Fields, name: string, value: unknown): void {
  if (value === undefined) delete holder[name];
  else holder[name] = value;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
