// What an entry means: a person or group in SCIM form, or why not.
import type { ResourceSchemas } from '#core/attributes.ts';
import type { RecordExplanation } from '#core/explanation.ts';
import { type FieldRecords, makeFieldRecords } from '#core/field-records.ts';
import type { Handles, MappingTrace, Normalised } from '#core/provider.ts';
import type { ResourceType } from '#core/resource.ts';
import { MADE, NAMES, PRESETS } from './presets.ts';
import { addressesOf, fieldsOf, type LdapRecord, valuesOf } from './records.ts';
import type { LdapSettings } from './settings.ts';

export interface LdapMapping {
  /** Attributes of a user that rules, filter and handles look at. */
  readonly attributes: readonly string[];
  normalise(record: LdapRecord, type: ResourceType): Normalised;
  explain(record: LdapRecord, type: ResourceType): RecordExplanation;
  handles(record: LdapRecord, type: ResourceType): Handles;
  trace(record: LdapRecord): MappingTrace;
  readonly rules: FieldRecords['rules'];
  readonly keepCreated: FieldRecords['keepCreated'];
}

const ATTRIBUTE = /^[A-Za-z][A-Za-z0-9-]{0,100}$/;

/** @throws {InputError} `settings-invalid`: a rule or the filter cannot be used */
export function makeMapping({ mapping, scope, preset }: LdapSettings, schemas: ResourceSchemas): LdapMapping {
  const fields = makeFieldRecords({
    kind: 'ldap',
    schemas,
    defaults: PRESETS[preset].rules,
    own: mapping.users,
    filter: scope.filter,
    fieldProblem,
  });
  return {
    attributes: attributesFor(fields.reads),
    normalise: (record, type) =>
      type === 'User'
        ? fields.user(record.externalId, fieldsOf(record))
        : fields.group(record.externalId, groupName(record)),
    explain: (record, type) =>
      type === 'User'
        ? fields.explainUser(record.externalId, fieldsOf(record))
        : fields.explainGroup(record.externalId, groupName(record), { dn: record.dn, ...record.attributes }),
    handles: (record, type) => ({
      names: (type === 'User' ? NAMES.slice(0, -2) : ['cn', 'displayName', 'sAMAccountName']).flatMap((name) =>
        valuesOf(record, name),
      ),
      addresses: addressesOf(record).map(({ value }) => value),
    }),
    trace: (record) => fields.trace(record.externalId, fieldsOf(record)),
    rules: fields.rules,
    keepCreated: fields.keepCreated,
  };
}

/** What must be asked for, so that the fields are there. */
function attributesFor(reads: readonly string[]): readonly string[] {
  const asked = reads.flatMap((name) => MADE[name] ?? [name]);
  return [...new Set([...NAMES, 'manager', ...asked])].toSorted();
}

function groupName(record: LdapRecord): string | undefined {
  return valuesOf(record, 'displayName')[0] ?? valuesOf(record, 'cn')[0] ?? valuesOf(record, 'name')[0];
}

/** Any server may have any attribute; only what cannot be one is refused. */
function fieldProblem(name: string): string | undefined {
  if (name in MADE || ATTRIBUTE.test(name)) return undefined;
  return `"${name.slice(0, 60)}" is no name of an attribute.`;
}
