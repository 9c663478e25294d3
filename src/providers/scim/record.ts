import type { Document } from '#core/coerce.ts';
import type { Mapping } from '#core/mapping.ts';
import type { Normalised } from '#core/provider.ts';
import {
  ENTERPRISE_SCHEMA,
  GATEWAY_SCHEMA,
  GROUP_SCHEMA,
  type Resource,
  type ResourceType,
  USER_SCHEMA,
} from '#core/resource.ts';

/** What the mirror keeps of a resource that was written to us. */
export interface ScimRecord {
  /** The anchor: `externalId` where the client gives one, else our own id. */
  readonly id: string;
  /** The anchor of the manager, when the manager was written by the same client. */
  readonly manager?: string;
  /** The resource as the client wrote it, in the spelling of our schemas; ids of others are ours. */
  readonly document: Readonly<Record<string, unknown>>;
}

/** The fields that rules look at: what was written, and the enterprise extension's under their bare names. */
export function fieldsOfRecord({ document }: ScimRecord): Document {
  const enterprise = document?.[ENTERPRISE_SCHEMA];
  return { ...(typeof enterprise === 'object' ? enterprise : {}), ...document };
}

/** A written resource in the form that plans compare: the manager by anchor. Pure, and never throws on odd data. */
export function toResource(record: ScimRecord, type: ResourceType, mapping: Mapping): Normalised {
  const name = record.document?.[type === 'User' ? 'userName' : 'displayName'];
  const field = type === 'User' ? 'userName' : 'displayName';
  if (typeof name !== 'string' || name === '') return { skip: 'MandatoryFieldMissing', detail: field };
  const { schemas: _schemas, [GATEWAY_SCHEMA]: _gateway, [ENTERPRISE_SCHEMA]: company, ...core } = record.document;
  if (type === 'Group') return { resource: { ...core, schemas: [GROUP_SCHEMA] } as unknown as Resource };
  const enterprise = enterpriseOf(company, record.manager);
  const resource = {
    ...core,
    schemas: [USER_SCHEMA, ...(enterprise === undefined ? [] : [ENTERPRISE_SCHEMA]), GATEWAY_SCHEMA],
    active: core['active'] !== false,
    ...(enterprise === undefined ? {} : { [ENTERPRISE_SCHEMA]: enterprise }),
    [GATEWAY_SCHEMA]: { origin: 'scim', source: 'scim' },
  };
  // It was checked against the schemas when it was written.
  const mapped = mapping.apply(resource, fieldsOfRecord(record));
  const mappedName = mapped['userName'];
  if (typeof mappedName !== 'string' || mappedName === '') return { skip: 'MandatoryFieldMissing', detail: 'userName' };
  return { resource: { ...mapped, active: mapped['active'] !== false } as unknown as Resource };
}

function enterpriseOf(written: unknown, manager: string | undefined): object | undefined {
  const { manager: _written, ...rest } = (written ?? {}) as Record<string, unknown>;
  const enterprise = manager === undefined ? rest : { ...rest, manager: { value: manager } };
  return Object.keys(enterprise).length === 0 ? undefined : enterprise;
}
