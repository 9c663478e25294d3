// The difference of two payloads as PATCH operations (RFC 7644 section 3.5.2), in the dialect of a target.
import { type Difference, differences } from '#core/differences.ts';
import type { Payload } from '#core/target.ts';
import type { ScimSettings } from './settings.ts';

export type Dialect = ScimSettings['dialect'];

export interface Operation {
  readonly op: string;
  readonly path?: string;
  readonly value?: unknown;
}

const PATCH_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

/** The requests that make `before` into `after`: one, or one for each attribute where a target takes no more. */
export function patchRequests(before: Payload, after: Payload, dialect: Dialect): readonly object[] {
  const changes = differences(before, after);
  if (changes.length === 0) return [];
  const operations = dialect.pathless ? pathless(changes) : changes.map(operationOf);
  const spelled = operations.map((operation) => spell(operation, dialect));
  const parts = dialect.onePerRequest ? spelled.map((operation) => [operation]) : [spelled];
  return parts.map(patchBody);
}

export function patchBody(operations: readonly Operation[]): object {
  return { schemas: [PATCH_SCHEMA], Operations: operations };
}

function operationOf({ path, after }: Difference): Operation {
  return isNothing(after) ? { op: 'remove', path } : { op: 'replace', path, value: after };
}

/** What is set goes into one operation without a path; what is taken away needs one each. */
function pathless(changes: readonly Difference[]): readonly Operation[] {
  const set = changes.filter(({ after }) => !isNothing(after));
  const value: Record<string, unknown> = {};
  for (const { path, after } of set) value[path] = after;
  const removed = changes.filter(({ after }) => isNothing(after)).map(operationOf);
  return [...(set.length === 0 ? [] : [{ op: 'replace', value }]), ...removed];
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}

export function spell({ op, ...rest }: Operation, { capitalOps, booleansAsText }: Dialect): Operation {
  const spelled = capitalOps ? op.charAt(0).toUpperCase() + op.slice(1) : op;
  const value = booleansAsText && typeof rest.value === 'boolean' ? (rest.value ? 'True' : 'False') : rest.value;
  return { op: spelled, ...rest, ...(rest.value === undefined ? {} : { value }) };
}

/** Members who come and go, as operations. */
export function memberOperations(
  { add, remove }: { readonly add: readonly object[]; readonly remove: readonly string[] },
  dialect: Dialect,
): readonly Operation[] {
  const removals: readonly Operation[] =
    dialect.removeMembers === 'value'
      ? remove.length === 0
        ? []
        : [{ op: 'remove', path: 'members', value: remove.map((value) => ({ value })) }]
      : remove.map((id) => ({ op: 'remove', path: `members[value eq ${JSON.stringify(id)}]` }));
  const additions: readonly Operation[] = add.length === 0 ? [] : [{ op: 'add', path: 'members', value: add }];
  return [...removals, ...additions].map((operation) => spell(operation, dialect));
}

/** All members in place of those that are there. */
export function wholeMembers(members: readonly object[], dialect: Dialect): Operation {
  return spell({ op: 'replace', path: 'members', value: members }, dialect);
}
