import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { canonical } from '#core/canonical.ts';
import { InputError } from '#core/errors.ts';
import { compileMapping } from '#core/mapping.ts';
import { ENTERPRISE_SCHEMA, GATEWAY_SCHEMA, type UserResource } from '#core/resource.ts';
import { makeTenant } from '#demo/tenant.ts';
import { DEFAULT_RULES, recordOf } from '#providers/microsoft365/map/mapping.ts';
import type { GraphUser } from '#providers/microsoft365/map/records.ts';
import { toScimUser } from '#providers/microsoft365/map/to-scim.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';
import { openProvider, settingsFor } from './support.ts';

const schema = RESOURCE_SCHEMAS.User;
const EXTENSION = `extension_${'0a'.repeat(16)}_badge`;
const ada = {
  id: '6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0',
  userPrincipalName: 'ada@contoso.com',
  displayName: 'Ada Lovelace',
  givenName: 'Ada',
  mail: 'ada@contoso.com',
  onPremisesExtensionAttributes: { extensionAttribute1: 'E1', extensionAttribute15: null },
  [EXTENSION]: 'B-7',
} as GraphUser;

const withRules = (users: readonly object[], changes: object = {}) =>
  openProvider(settingsFor({ origin: 'https://127.0.0.1:1' }, 'contoso.example', { mapping: { users }, ...changes }));

function mapped(users: readonly object[], user: GraphUser = ada): UserResource {
  const result = withRules(users).provider.normalise(user, 'User');
  assert.ok('resource' in result && 'userName' in result.resource, JSON.stringify(result));
  return result.resource;
}

describe('the attribute mapping of Microsoft 365', () => {
  it('shows defaults that make exactly what is made without rules', () => {
    const defaults = compileMapping(DEFAULT_RULES, { schema });
    const users = [...makeTenant({ users: 300, groups: 1 }).users.values()] as unknown as GraphUser[];
    for (const dropOnMicrosoft of [false, true])
      for (const user of [ada, ...users]) {
        const usual = toScimUser(user, { dropOnMicrosoft });
        assert.ok('resource' in usual);
        const { externalId, [GATEWAY_SCHEMA]: gateway } = usual.resource as UserResource;
        const base = { externalId, [GATEWAY_SCHEMA]: gateway };
        const byRules = defaults.apply(base, recordOf(user, usual.resource));
        assert.equal(canonical(byRules), canonical(usual.resource));
      }
  });

  it('takes attributes of Exchange and directory extensions, and asks Graph for them', () => {
    const rules = [
      { target: `${ENTERPRISE_SCHEMA}:costCenter`, source: 'extensionAttribute1', defaultIfEmpty: 'none' },
      { target: 'nickName', source: EXTENSION },
      { target: 'title', expression: 'upper(givenName)' },
    ];
    const resource = mapped(rules);
    assert.equal(resource[ENTERPRISE_SCHEMA]?.costCenter, 'E1');
    assert.equal(resource.nickName, 'B-7');
    assert.equal(resource.title, 'ADA');
    assert.equal(mapped([{ ...rules[0], source: 'extensionAttribute15' }])[ENTERPRISE_SCHEMA]?.costCenter, 'none');
    const asks = withRules(rules).provider.asks ?? '';
    for (const name of ['onPremisesExtensionAttributes', EXTENSION]) assert.ok(asks.includes(`"${name}"`), name);
    assert.equal(withRules([]).provider.asks, withRules([{ target: 'title', source: 'givenName' }]).provider.asks);
  });

  it('leaves out whom a rule leaves without a user name, and says so', () => {
    const { provider } = withRules([{ target: 'userName', source: 'mailNickname' }]);
    assert.deepEqual(provider.normalise(ada, 'User'), { skip: 'MandatoryFieldMissing', detail: 'userName' });
    const explained = provider.explain?.(ada, 'User') ?? assert.fail();
    assert.deepEqual(
      explained.clauses.map(({ setting, holds, reason }) => [setting, holds, reason]),
      [
        ['scope.mailboxTypes', true, null],
        ['mapping', false, 'MandatoryFieldMissing'],
      ],
    );
  });

  it('explains each attribute with its rule and the values that the rule saw', () => {
    const rules = [{ target: 'title', expression: 'joined([givenName, surname], " ")' }];
    const explained = withRules(rules).provider.explain?.(ada, 'User') ?? assert.fail();
    const title = explained.attributes.find(({ attribute }) => attribute === 'title');
    assert.deepEqual(title?.source, { givenName: 'Ada', surname: null });
    assert.deepEqual(
      title?.rules?.map(({ expression }) => expression),
      [rules[0]?.expression],
    );
    const emails = explained.attributes.find(({ attribute }) => attribute === 'emails');
    assert.deepEqual(emails?.source, { mail: 'ada@contoso.com', proxyAddresses: null });
    assert.deepEqual(
      emails?.rules?.map(({ source }) => source),
      ['emails'],
    );
  });

  it('refuses rules that cannot be, each in a sentence', () => {
    const rules = [
      { target: 'title', source: 'jobtitle' },
      { target: 'nickName', source: 'nick' },
      { target: 'colour', source: 'jobTitle' },
      { target: 'displayName', source: 'manager.name' },
    ];
    assert.throws(
      () => withRules(rules),
      (error) => {
        assert.ok(error instanceof InputError && error.reason === 'settings-invalid');
        for (const pattern of [
          /"jobTitle" is spelled so/,
          /no field "nick"/,
          /no attribute "colour"/,
          /no part "name"/,
        ])
          assert.match(error.message, pattern);
        return true;
      },
    );
  });
});
