// The only file that imports scimmy. It declares schemas and resource types and serves their discovery documents; no
// text from outside reaches its filter, its constructors or its PATCH (all three were found unsafe).
import SCIMMY from 'scimmy';
import type { Attribute, AttributeType, ResourceSchema, Schema } from '#core/attributes.ts';
import { isKey } from '#core/keys.ts';
import { GATEWAY_SCHEMA, type ResourceType } from '#core/resource.ts';
import { foldCase } from '#core/search.ts';

const { Resources, Schemas, Types } = SCIMMY;

export interface DescribedAttribute {
  readonly name: string;
  readonly type: string;
  readonly multiValued: boolean;
  readonly caseExact?: boolean;
  readonly required?: boolean;
  readonly returned?: string;
  readonly mutability?: string;
  readonly subAttributes?: readonly DescribedAttribute[];
}

interface DescribedSchema {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly attributes: readonly DescribedAttribute[];
}

const readOnlyText = (name: string, description: string) =>
  new Types.Attribute('string', name, { mutable: false, description });
const readOnlyFlag = (name: string, description: string) =>
  new Types.Attribute('boolean', name, { mutable: false, description });

/** What SCIM core has no word for. Its URN is set afterwards: scimmy's constructor takes only the IETF's own. */
const gateway = new Types.SchemaDefinition(
  'GatewayUser',
  'urn:ietf:params:scim:schemas:extension:gateway:2.0:User',
  'Where a user comes from',
  [
    readOnlyText('origin', 'Who owns the user: manual, or the kind of the inbound provider.'),
    readOnlyText('affiliationPath', 'Groups from the path-display reference group down to the user.'),
    readOnlyText('mailboxType', 'Kind of the mailbox: user, shared, room, equipment, linked, others.'),
    readOnlyFlag('licensed', 'Whether a licence is assigned.'),
    readOnlyFlag('billable', 'Whether the account counts as a paying one.'),
    readOnlyText('source', 'Kind of the inbound provider that shows the user.'),
  ],
);
gateway.id = GATEWAY_SCHEMA;

// Passwords are not provisioned here, so the schema must not say that they could be.
Schemas.User.definition.truncate('password');
// What a member is called is the member's own: filters find it, and nobody writes it. It is not served: a row of members
// has no name, and a large group would look up one for each.
const memberDisplay = Schemas.Group.definition.attribute('members.display');
if (memberDisplay instanceof Types.Attribute) Object.assign(memberDisplay.config, { mutable: false, returned: false });
// Where a manager is found follows from `value`. What a manager is called would cost every page a look at every manager.
const managerPlace = Schemas.EnterpriseUser.definition.attribute('manager.$ref');
if (managerPlace instanceof Types.Attribute) managerPlace.config.mutable = false;
Schemas.EnterpriseUser.definition.truncate('manager.displayName');
Resources.declare(Resources.User, { extensions: [{ schema: Schemas.EnterpriseUser, required: false }] });
Resources.declare(Resources.Group);

/** As plain JSON: scimmy's attributes carry their facts in `toJSON`. */
const describe = (definition: { describe(): unknown }): DescribedSchema =>
  JSON.parse(JSON.stringify(definition.describe()));

const described = {
  User: describe(Schemas.User.definition),
  Group: describe(Schemas.Group.definition),
  Enterprise: describe(Schemas.EnterpriseUser.definition),
  Gateway: describe(gateway),
};

/** The schema documents, without `meta` (RFC 7643 section 7). */
export const SCHEMA_DOCUMENTS: readonly DescribedSchema[] = Object.values(described).map(
  ({ id, name, description, attributes }) => ({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:Schema'],
    id,
    name,
    description,
    attributes,
  }),
);

/** The resource type documents, without `meta` (RFC 7643 section 6). */
export const RESOURCE_TYPE_DOCUMENTS = [
  {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
    id: 'User',
    name: 'User',
    endpoint: '/Users',
    description: 'User Account',
    schema: described.User.id,
    schemaExtensions: [
      { schema: described.Enterprise.id, required: false },
      { schema: described.Gateway.id, required: false },
    ],
  },
  {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
    id: 'Group',
    name: 'Group',
    endpoint: '/Groups',
    description: 'Group',
    schema: described.Group.id,
  },
] as const;

const text = (name: string, options: Partial<DescribedAttribute> = {}): DescribedAttribute => ({
  name,
  type: 'string',
  multiValued: false,
  caseExact: true,
  ...options,
});

/** Attributes that every resource has and no schema lists (RFC 7643 section 3.1). */
const COMMON: readonly DescribedAttribute[] = [
  text('id', { returned: 'always', mutability: 'readOnly' }),
  text('externalId'),
  text('schemas', { type: 'reference', multiValued: true, returned: 'always', caseExact: false }),
  {
    name: 'meta',
    type: 'complex',
    multiValued: false,
    mutability: 'readOnly',
    subAttributes: [
      text('resourceType', { mutability: 'readOnly' }),
      text('created', { type: 'dateTime', mutability: 'readOnly' }),
      text('lastModified', { type: 'dateTime', mutability: 'readOnly' }),
      text('location', { type: 'reference', mutability: 'readOnly' }),
      text('version', { mutability: 'readOnly' }),
    ],
  },
];

function compileAttributes(attributes: readonly DescribedAttribute[], within = ''): ReadonlyMap<string, Attribute> {
  return new Map(attributes.map((attribute) => [foldCase(attribute.name), compileAttribute(attribute, within)]));
}

function compileAttribute(attribute: DescribedAttribute, within: string): Attribute {
  const path = `${within}${attribute.name}`;
  return {
    name: attribute.name,
    type: attribute.type as AttributeType,
    multiValued: attribute.multiValued,
    caseExact: attribute.caseExact ?? false,
    required: attribute.required ?? false,
    returned: (attribute.returned ?? 'default') as Attribute['returned'],
    mutability: (attribute.mutability ?? 'readWrite') as Attribute['mutability'],
    sub: compileAttributes(attribute.subAttributes ?? [], `${path}.`),
    ...(isKey(path) ? { isKey: true } : {}),
  };
}

function compileSchema({ id, attributes }: DescribedSchema, common: readonly DescribedAttribute[] = []): Schema {
  return { id, attributes: compileAttributes([...common, ...attributes]) };
}

/** The attribute tables that filters and projections work by, compiled once from what scimmy declares. */
export const RESOURCE_SCHEMAS: Readonly<Record<ResourceType, ResourceSchema>> = {
  User: {
    resourceType: 'User',
    core: compileSchema(described.User, COMMON),
    extensions: [compileSchema(described.Enterprise), compileSchema(described.Gateway)],
  },
  Group: { resourceType: 'Group', core: compileSchema(described.Group, COMMON), extensions: [] },
};
