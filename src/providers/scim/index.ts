// Inbound SCIM: an identity provider writes to /scim/v2. Nothing is read from it: its writes are the mirror, and a run
// looks at the mirror again. Here are its settings, its scope and the form of its records; sync/push.ts takes the writes.
import { type Filter, matches } from '#core/filter.ts';
import type { Clause, MappedAttribute, Normalised, ProviderKind, PullProvider } from '#core/provider.ts';
import type { ResourceType } from '#core/resource.ts';
import { type ScimRecord, toResource } from './record.ts';
import { filterOf, parseSettings, type ScimSettings } from './settings.ts';

export const scim: ProviderKind<ScimSettings> = {
  kind: 'scim',
  title: 'Inbound SCIM',
  available: true,
  pushed: true,
  secretPaths: [],
  parseSettings,
  policy: ({ scope, matching, adoptManual }) => ({
    // Every write is looked at by itself, so there is no first run to look at.
    initialRun: 'auto',
    onLeaveScope: scope.onLeaveScope,
    onSourceSoftDelete: 'deactivate',
    onSourceHardDelete: scope.onSourceHardDelete,
    deleteAfterDays: scope.deleteAfterDays,
    matching: { matching, adoptManual },
  }),
  push: ({ appId, adoptManual, removalWindowMinutes }) => ({ appId, adoptManual, removalWindowMinutes }),
  open: (settings) => openProvider(settings) as PullProvider,
  test: async (settings) => [
    {
      name: 'scope',
      ok: true,
      detail:
        settings.scope.filter === '' && settings.scope.groupFilter === ''
          ? 'Everybody that the identity provider writes comes in.'
          : 'The scope filters can be used.',
      remedy: null,
    },
  ],
};

function openProvider({ scope }: ScimSettings): PullProvider<ScimRecord> {
  const filters: Readonly<Record<ResourceType, Filter | undefined>> = {
    User: filterOf(scope.filter),
    Group: filterOf(scope.groupFilter),
  };
  const fits = (record: ScimRecord, type: ResourceType): boolean => {
    const filter = filters[type];
    return filter === undefined || matches(filter, record.document);
  };
  const normalise = (record: ScimRecord, type: ResourceType): Normalised => {
    const mapped = toResource(record, type);
    return 'resource' in mapped && !fits(record, type) ? { skip: 'ScopeFilterFalse' } : mapped;
  };
  return {
    kind: 'scim',
    // biome-ignore lint/correctness/useYield: there is nothing to yield; a run of this kind does not read.
    async *pages() {
      throw new Error('an identity provider that writes to us is not read');
    },
    externalId: ({ id }) => id,
    normalise,
    explain: (record, type) => ({
      clauses: [mappingClause(record, type), ...scopeClauses(record, type, scope, fits)],
      evidence: [],
      attributes: attributesOf(record, type),
    }),
    cost: () => ({ requests: 0, resourceUnits: 0, bytes: 0, throttledMs: 0 }),
  };
}

function mappingClause(record: ScimRecord, type: ResourceType): Clause {
  const mapped = toResource(record, type);
  const failed = 'skip' in mapped ? mapped : undefined;
  return {
    setting: 'mapping',
    demands: 'all that SCIM demands',
    holds: failed === undefined,
    seen: {},
    reason: failed?.skip ?? null,
    detail: failed?.detail ?? null,
  };
}

function scopeClauses(
  record: ScimRecord,
  type: ResourceType,
  scope: ScimSettings['scope'],
  fits: (record: ScimRecord, type: ResourceType) => boolean,
): Clause[] {
  const text = type === 'User' ? scope.filter : scope.groupFilter;
  if (text.trim() === '') return [];
  const holds = 'skip' in toResource(record, type) || fits(record, type);
  return [
    {
      setting: type === 'User' ? 'scope.filter' : 'scope.groupFilter',
      demands: text,
      holds,
      seen: record.document,
      reason: holds ? null : 'ScopeFilterFalse',
      detail: null,
    },
  ];
}

/** Each attribute is what was written under the same name. */
function attributesOf(record: ScimRecord, type: ResourceType): MappedAttribute[] {
  const mapped = toResource(record, type);
  if ('skip' in mapped) return [];
  return Object.entries(mapped.resource)
    .filter(([name]) => name !== 'schemas' && !name.startsWith('urn:'))
    .map(([name, value]) => ({ attribute: name, value, source: { [name]: record.document[name] ?? null } }));
}
