// LDAP directories and Active Directory. It only reads and yields; what becomes of it is decided elsewhere. README.md
// beside this file has the quirks.
import type { ResourceSchemas } from '#core/attributes.ts';
import { policyOf } from '#core/kind-settings.ts';
import type { Page, ReadMemory } from '#core/pages.ts';
import type { ProviderKind, PullProvider, Trace } from '#core/provider.ts';
import { changesOf, latestMark, makeCheckpoint, type WithReading } from './changes.ts';
import { checkConnection } from './checks.ts';
import { type Connection, connect } from './connection.ts';
import { findEverybody, type Reading } from './everybody.ts';
import { readAll } from './read.ts';
import type { LdapRecord } from './records.ts';
import { wholeResolver } from './resolver.ts';
import { secondLook, type Whole } from './second-look.ts';
import { destinationOf, type LdapSettings, type Plan, parseSettings, planOf, SECRET_PATHS } from './settings.ts';
import { findFields, findGroups, findPerson, membersBelow, reviewAccess } from './source.ts';
import { makeMapping } from './to-scim.ts';

interface Parts {
  /** What mapping rules are held against. */
  readonly schemas: ResourceSchemas;
}

export function ldap({ schemas }: Parts): ProviderKind<LdapSettings> {
  return {
    kind: 'ldap',
    title: 'LDAP and Active Directory',
    available: true,
    secretPaths: SECRET_PATHS,
    parseSettings(value) {
      const settings = parseSettings(value);
      makeMapping(settings, schemas);
      return settings;
    },
    destination: destinationOf,
    policy: policyOf,
    // Who is no longer read for another base or filter of the server, only the next read tells.
    scopeOf: ({ scope }) => scope.filter,
    open: (settings, trace, memory) => openProvider(settings, schemas, { trace, memory }) as PullProvider,
    test: checkConnection,
    mapping: {
      rules: (settings) => makeMapping(settings, schemas).rules,
      trace: (settings, record) => makeMapping(settings, schemas).trace(record as LdapRecord),
      person: (settings, name, signal) => findPerson(settings, schemas, name, signal),
    },
    source: {
      groups: findGroups,
      members: membersBelow,
      fields: async (prefix) => findFields(prefix),
      permissions: reviewAccess,
    },
  };
}

function openProvider(
  settings: LdapSettings,
  schemas: ResourceSchemas,
  { trace, memory }: { readonly trace: Trace | undefined; readonly memory: ReadMemory | undefined },
): PullProvider<LdapRecord> {
  const mapping = makeMapping(settings, schemas);
  const { keepCreated } = mapping;
  const plan = planOf(settings);
  let opened: Connection | undefined;
  let whole: Whole | undefined;
  const withReading: WithReading = async function* (signal, work) {
    const connection = await connect(settings, signal, trace);
    opened = connection;
    try {
      yield* work({ connection, settings, plan, wanted: mapping.attributes, memory, trace, signal });
      if (connection.referrals() > 0) trace?.('ldap referrals not followed', { count: connection.referrals() });
    } finally {
      whole = undefined;
      await connection.close();
    }
  };
  async function* fullRead(reading: Reading): AsyncGenerator<Page<LdapRecord>> {
    const mark = settings.incremental === 'off' ? undefined : await latestMark(reading);
    const directory = await findEverybody(reading);
    const first = wholeResolver(directory, reading, 'unknown');
    whole = { reading, first, resolver: wholeResolver(directory, reading, 'everybody') };
    // Another one: what all names were while managers were read may be old when a group is read for the second time.
    yield* readAll(reading, { managers: wholeResolver(directory, reading, 'everybody'), members: first });
    yield { type: 'end', ...(mark === undefined ? {} : { checkpoint: makeCheckpoint(mark) }) };
  }
  return {
    kind: 'ldap',
    pages: (signal) => withReading(signal, fullRead),
    ...(settings.incremental === 'off' ? {} : { changes: changesOf(withReading, memory) }),
    secondLook: secondLook(() => whole),
    externalId: ({ externalId }) => externalId,
    normalise: mapping.normalise,
    explain: mapping.explain,
    handles: mapping.handles,
    ...(keepCreated === undefined ? {} : { keepCreated }),
    asks: asksOf(settings, plan, mapping.attributes),
    cost: () => opened?.cost() ?? { requests: 0, resourceUnits: 0, bytes: 0, throttledMs: 0 },
  };
}

/** Which entries are read, and what of each. */
function asksOf({ users, groups }: LdapSettings, plan: Plan, attributes: readonly string[]): string {
  const places = [users, groups].map((where) => (where === null ? null : [where.base, where.scope]));
  return JSON.stringify([places, plan, attributes]);
}
