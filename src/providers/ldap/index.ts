// LDAP directories and Active Directory. It only reads and yields; what becomes of it is decided elsewhere. README.md
// beside this file has the quirks.
import type { ResourceSchemas } from '#core/attributes.ts';
import { policyOf } from '#core/kind-settings.ts';
import type { Page, ProviderKind, PullProvider, Trace } from '#core/provider.ts';
import { checkConnection } from './checks.ts';
import { type Connection, connect } from './connection.ts';
import { readAll } from './read.ts';
import type { LdapRecord } from './records.ts';
import { type LdapSettings, parseSettings, planOf, SECRET_PATHS } from './settings.ts';
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
    policy: policyOf,
    open: (settings, trace) => openProvider(settings, schemas, trace) as PullProvider,
    test: checkConnection,
    mapping: {
      rules: (settings) => makeMapping(settings, schemas).rules,
      trace: (settings, record) => makeMapping(settings, schemas).trace(record as LdapRecord),
      person: (settings, name, signal) => findPerson(settings, schemas, name, signal),
    },
    source: { groups: findGroups, members: membersBelow, fields: findFields, permissions: reviewAccess },
  };
}

function openProvider(settings: LdapSettings, schemas: ResourceSchemas, trace?: Trace): PullProvider<LdapRecord> {
  const mapping = makeMapping(settings, schemas);
  const { keepCreated } = mapping;
  const plan = planOf(settings);
  const reading = (connection: Connection, signal: AbortSignal) => ({
    connection,
    settings,
    plan,
    wanted: mapping.attributes,
    signal,
  });
  let opened: Connection | undefined;
  return {
    kind: 'ldap',
    async *pages(signal): AsyncGenerator<Page<LdapRecord>> {
      const connection = await connect(settings, signal, trace);
      opened = connection;
      try {
        yield* readAll(reading(connection, signal));
        if (connection.referrals() > 0) trace?.('ldap referrals not followed', { count: connection.referrals() });
        yield { type: 'end' };
      } finally {
        await connection.close();
      }
    },
    externalId: ({ externalId }) => externalId,
    normalise: mapping.normalise,
    explain: mapping.explain,
    handles: mapping.handles,
    ...(keepCreated === undefined ? {} : { keepCreated }),
    asks: [plan.anchor, ...mapping.attributes].join(),
    cost: () => opened?.cost() ?? { requests: 0, resourceUnits: 0, bytes: 0, throttledMs: 0 },
  };
}
