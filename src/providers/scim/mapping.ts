// What the settings make of a written user, and who comes in: both held against the schemas when they are saved.
import { type ResourceSchema, type ResourceSchemas, resolveInFilter } from '#core/attributes.ts';
import { InputError } from '#core/errors.ts';
import { type Filter, parseFilter } from '#core/filter.ts';
import { failedDemand } from '#core/filter-text.ts';
import { compileMapping, type Mapping } from '#core/mapping.ts';
import type { MappingRule } from '#core/mapping-rules.ts';
import type { ResourceType } from '#core/resource.ts';
import type { ScimRecord } from './record.ts';
import type { ScimSettings } from './settings.ts';

export interface ScimRules {
  readonly mapping: Mapping;
  readonly rules: readonly MappingRule[];
  /** Undefined where everybody comes in. */
  readonly filters: Readonly<Record<ResourceType, Filter | undefined>>;
}

/** @throws {InputError} `settings-invalid`: a rule or a filter cannot be used */
export function makeRules({ mapping, scope }: ScimSettings, schemas: ResourceSchemas): ScimRules {
  for (const rule of mapping.users) checkRule(rule);
  return {
    mapping: compileMapping(mapping.users, { schema: schemas.User }),
    rules: mapping.users,
    filters: {
      User: filterOf(scope.filter, 'scope.filter', schemas.User),
      Group: filterOf(scope.groupFilter, 'scope.groupFilter', schemas.Group),
    },
  };
}

/** What of the scope somebody fails, as text; undefined for whoever is in. What was written counts, not what the rules make of it. */
export function failedScope({ filters }: ScimRules, record: ScimRecord, type: ResourceType): string | undefined {
  return failedDemand(filters[type], record.document);
}

function checkRule({ target, apply }: MappingRule): void {
  const problem =
    apply === 'onCreate'
      ? 'the identity provider says at each write what counts; leave out "apply"'
      : /(^|:)manager(\.|$)/i.test(target)
        ? 'the manager is as it was written'
        : undefined;
  if (problem !== undefined) throw refused('mapping.users', `the rule of "${target}": ${problem}`);
}

function filterOf(text: string, path: string, schema: ResourceSchema): Filter | undefined {
  if (text.trim() === '') return undefined;
  try {
    const filter = parseFilter(text);
    checkPaths(filter, schema);
    return filter;
  } catch (error) {
    if (error instanceof InputError) throw refused(path, error.message);
    throw error;
  }
}

/** An attribute that no schema declares would keep everybody out. */
function checkPaths(filter: Filter, schema: ResourceSchema): void {
  if ('terms' in filter) for (const term of filter.terms) checkPaths(term, schema);
  else if ('term' in filter) checkPaths(filter.term, schema);
  else resolveInFilter(schema, filter.path);
}

function refused(path: string, message: string): InputError {
  return new InputError(`The settings cannot be used: ${path}: ${message.replace(/\.$/, '')}.`, {
    reason: 'settings-invalid',
    remedy: 'Correct the fields named.',
    details: { problems: [{ path, message }] },
  });
}
