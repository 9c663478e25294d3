// Where the values of an attribute lie in `search`.
import type { Attribute, Resolved } from '#core/attributes.ts';
import type { Literal } from '#core/filter.ts';

/** The way down to a value, name by name. */
export function keys({
  extension,
  attribute,
  sub,
}: Pick<Resolved, 'extension' | 'attribute'> & { sub?: Attribute | undefined }): string[] {
  return [...(extension === undefined ? [] : [extension]), attribute.name, ...(sub === undefined ? [] : [sub.name])];
}

/** SQL text for the value; names come from the schemas, never from the caller. */
export function jsonPath({ extension, attribute }: Resolved): string {
  return `r.search${extension === undefined ? '' : ` -> '${extension}'`} -> '${attribute.name}'`;
}

/** The values of an array as rows, none where there is no array. */
export function elements(source: string, alias: string): string {
  return `jsonb_array_elements(case when jsonb_typeof(${source}) = 'array' then ${source} else '[]'::jsonb end) as ${alias}(${alias})`;
}

/** What `search` holds when the attribute has this value. */
export function nest({ extension, attribute }: Resolved, value: unknown): object {
  const inner = { [attribute.name]: value };
  return extension === undefined ? inner : { [extension]: inner };
}

/** What `search` contains when the attribute, or its sub-attribute `leaf`, has this value. */
export function containment(resolved: Resolved, leaf: string, literal: Literal): object {
  const { attribute, sub } = resolved;
  const complex = attribute.type === 'complex' || sub !== undefined;
  const value = complex ? { [leaf]: literal } : literal;
  return nest(resolved, attribute.multiValued ? [value] : value);
}
