// What rules and filters may name: the attributes that a client can write.
import type { Attribute, ResourceSchema } from '#core/attributes.ts';
import { type FieldType, fieldsFrom, OPERATORS_OF, type SourceField } from '#core/source.ts';

/** By path; of an extension behind its URN. */
export function findFields(schema: ResourceSchema, prefix: string): readonly SourceField[] {
  const core = fieldsOf(schema.core.attributes.values(), '');
  const more = schema.extensions.flatMap(({ id, attributes }) => fieldsOf(attributes.values(), `${id}:`));
  return fieldsFrom([...core, ...more], prefix);
}

function fieldsOf(attributes: Iterable<Attribute>, before: string): SourceField[] {
  return [...attributes].filter(isWritten).flatMap((attribute): SourceField[] => {
    const name = `${before}${attribute.name}`;
    if (attribute.type !== 'complex') return [fieldOf(name, typeOf(attribute, attribute.multiValued))];
    return [...attribute.sub.values()]
      .filter((sub) => isWritten(sub) && sub.type !== 'complex')
      .map((sub) => fieldOf(`${name}.${sub.name}`, typeOf(sub, attribute.multiValued)));
  });
}

/** What a client cannot set, or we do not keep, no record has. `schemas` says nothing about anybody. */
function isWritten({ name, mutability, returned }: Attribute): boolean {
  return mutability !== 'readOnly' && returned !== 'never' && name !== 'schemas';
}

function typeOf({ type }: Attribute, many: boolean): FieldType {
  if (type === 'boolean' || type === 'dateTime') return type;
  return many ? 'strings' : 'string';
}

function fieldOf(name: string, type: FieldType): SourceField {
  const value = type === 'boolean' ? 'true' : type === 'dateTime' ? '"2026-01-31T00:00:00Z"' : '"…"';
  return {
    name,
    type,
    operators: OPERATORS_OF[type],
    example: `${name} ${type === 'dateTime' ? 'ge' : 'eq'} ${value}`,
  };
}
