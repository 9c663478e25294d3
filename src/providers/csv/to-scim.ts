// What a line means: a person or group in SCIM form, or why not.
import type { ResourceSchemas } from '#core/attributes.ts';
import type { Clause, RecordExplanation } from '#core/explanation.ts';
import { type FieldRecords, makeFieldRecords } from '#core/field-records.ts';
import type { MappingTrace, Normalised } from '#core/provider.ts';
import type { ResourceType } from '#core/resource.ts';
import { DEFAULT_RULES, flagOf, nameOfHeading } from './columns.ts';
import type { CsvRecord } from './records.ts';
import type { CsvSettings } from './settings.ts';

export interface CsvMapping {
  normalise(record: CsvRecord, type: ResourceType): Normalised;
  explain(record: CsvRecord, type: ResourceType): RecordExplanation;
  trace(record: CsvRecord): MappingTrace;
  readonly rules: FieldRecords['rules'];
  readonly keepCreated: FieldRecords['keepCreated'];
}

/** Whether the column `active` says who is active, and no rule of the settings. */
export function readsFlag({ mapping }: CsvSettings): boolean {
  return !mapping.users.some(({ target }) => target.toLowerCase() === 'active');
}

/** @throws {InputError} `settings-invalid`: a rule or the filter cannot be used */
export function makeMapping(settings: CsvSettings, schemas: ResourceSchemas): CsvMapping {
  const { mapping, scope, columns } = settings;
  const own = mapping.users.map((rule) =>
    rule.source === undefined ? rule : { ...rule, source: nameOfHeading(rule.source) },
  );
  const fields = makeFieldRecords({ kind: 'csv', schemas, defaults: DEFAULT_RULES, own, filter: scope.filter });
  const byFlag = readsFlag(settings);
  const groupName = nameOfHeading(columns.groupName);
  const nameOf = (record: CsvRecord): string | undefined => given(record)[groupName] ?? given(record)['displayName'];
  return {
    normalise(record, type) {
      if (record.problem !== undefined) return { skip: record.problem.reason, detail: record.problem.detail };
      if (type === 'Group') return fields.group(record.externalId, nameOf(record));
      if (byFlag && !hasKnownFlag(record)) return { skip: 'SchemaViolation', detail: 'active' };
      return fields.user(record.externalId, withFlag(record, byFlag));
    },
    explain(record, type) {
      if (record.problem !== undefined) return unreadable(record.problem);
      if (type === 'Group') return fields.explainGroup(record.externalId, nameOf(record), given(record));
      const explained = fields.explainUser(record.externalId, withFlag(record, byFlag));
      return byFlag && !hasKnownFlag(record)
        ? { ...explained, clauses: [flagClause(record), ...explained.clauses], attributes: [] }
        : explained;
    },
    trace: (record) => fields.trace(record.externalId, withFlag(record, byFlag)),
    rules: fields.rules,
    keepCreated: fields.keepCreated,
  };
}

function given({ fields }: CsvRecord): Readonly<Record<string, string>> {
  return typeof fields === 'object' && fields !== null ? fields : {};
}

function hasKnownFlag(record: CsvRecord): boolean {
  const word: unknown = given(record)['active'];
  return word === undefined || (typeof word === 'string' && flagOf(word) !== undefined);
}

function withFlag(record: CsvRecord, readsFlag: boolean): Readonly<Record<string, unknown>> {
  const { active, ...rest } = given(record);
  if (!readsFlag || typeof active !== 'string') return given(record);
  return { ...rest, active: flagOf(active) };
}

function flagClause(record: CsvRecord): Clause {
  return {
    setting: 'mapping',
    demands: 'a word in the column "active" that means yes or no',
    holds: false,
    seen: { active: given(record)['active'] ?? null },
    reason: 'SchemaViolation',
    detail: 'active',
  };
}

function unreadable({ reason, detail }: NonNullable<CsvRecord['problem']>): RecordExplanation {
  return {
    clauses: [{ setting: 'format', demands: 'a line that can be read', holds: false, seen: {}, reason, detail }],
    evidence: [],
    attributes: [],
  };
}
