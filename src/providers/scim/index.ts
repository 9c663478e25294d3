// Inbound SCIM: an identity provider writes to /scim/v2. Nothing is read from it: its writes are the mirror, and a run
// looks at the mirror again. Here are its settings, its scope and the form of its records; sync/push/push.ts takes the writes.
import type { ResourceSchemas } from '#core/attributes.ts';
import { resolveTarget } from '#core/mapping-target.ts';
import type { Normalised, ProviderKind, PullProvider } from '#core/provider.ts';
import type { ResourceType } from '#core/resource.ts';
import { explainRecord } from './explain.ts';
import { findFields } from './fields.ts';
import { failedScope, makeRules, type ScimRules } from './mapping.ts';
import { fieldsOfRecord, type ScimRecord, toResource } from './record.ts';
import { parseSettings, type ScimSettings } from './settings.ts';

export function scim({ schemas }: { readonly schemas: ResourceSchemas }): ProviderKind<ScimSettings> {
  return {
    kind: 'scim',
    title: 'Inbound SCIM',
    available: true,
    pushed: true,
    secretPaths: [],
    parseSettings(value) {
      const settings = parseSettings(value);
      makeRules(settings, schemas);
      return settings;
    },
    policy: ({ scope, matching, adoptManual }) => ({
      // Every write is looked at by itself, so there is no first run to look at.
      initialRun: 'auto',
      onLeaveScope: scope.onLeaveScope,
      onSourceSoftDelete: 'deactivate',
      onSourceHardDelete: scope.onSourceHardDelete,
      deleteAfterDays: scope.deleteAfterDays,
      matching: { matching, adoptManual },
    }),
    scopeOf: ({ scope }) => [scope.filter, scope.groupFilter],
    push: ({ appId, adoptManual, removalWindowMinutes }) => ({ appId, adoptManual, removalWindowMinutes }),
    open: (settings) => openProvider(makeRules(settings, schemas)) as PullProvider,
    async test({ scope, mapping }) {
      const everybody = scope.filter === '' && scope.groupFilter === '';
      const who = everybody ? 'Everybody that the identity provider writes comes in' : 'The scope filters can be used';
      const how = mapping.users.length === 0 ? 'as it was written' : `${mapping.users.length} rule(s) map users`;
      return [{ name: 'scope', ok: true, detail: `${who}; ${how}.`, remedy: null }];
    },
    mapping: {
      rules: (settings) =>
        makeRules(settings, schemas).rules.map((rule) => {
          const { attribute } = resolveTarget(rule.target, schemas.User);
          return { ...rule, byDefault: false, type: attribute.type, multiValued: attribute.multiValued };
        }),
      trace(settings, record) {
        const rules = makeRules(settings, schemas);
        const results = rules.mapping.trace(fieldsOfRecord(record as ScimRecord));
        return {
          results: results.map((result) => ({ ...result, byDefault: false })),
          outcome: normalise(rules, record as ScimRecord, 'User'),
        };
      },
    },
    source: { fields: async (prefix) => findFields(schemas.User, prefix) },
  };
}

function normalise(rules: ScimRules, record: ScimRecord, type: ResourceType): Normalised {
  const mapped = toResource(record, type, rules.mapping);
  const failed = 'resource' in mapped ? failedScope(rules, record, type) : undefined;
  return failed === undefined ? mapped : { skip: 'ScopeFilterFalse', detail: failed };
}

function openProvider(rules: ScimRules): PullProvider<ScimRecord> {
  return {
    kind: 'scim',
    // biome-ignore lint/correctness/useYield: there is nothing to yield; a run of this kind does not read.
    async *pages() {
      throw new Error('an identity provider that writes to us is not read');
    },
    externalId: ({ id }) => id,
    normalise: (record, type) => normalise(rules, record, type),
    explain: (record, type) => explainRecord(record, type, rules),
    cost: () => ({ requests: 0, resourceUnits: 0, bytes: 0, throttledMs: 0 }),
  };
}
