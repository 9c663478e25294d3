import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InputError } from '#core/errors.ts';
import { ENTERPRISE_SCHEMA, GATEWAY_SCHEMA, USER_SCHEMA, type UserResource } from '#core/resource.ts';
import { scim } from '#providers/scim/index.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';
import { checkNormalised, describeOddRecords } from '../../contract/provider.ts';

const kind = scim({ schemas: RESOURCE_SCHEMAS });
const open = (settings: object) => kind.open(kind.parseSettings(settings));

const ADA = {
  id: 'ada',
  manager: 'charles',
  document: {
    schemas: [USER_SCHEMA, ENTERPRISE_SCHEMA],
    externalId: 'ada',
    userName: 'ada@example.org',
    active: true,
    title: 'Countess',
    name: { givenName: 'Ada', familyName: 'Lovelace' },
    emails: [{ value: 'ada@example.org', type: 'work', primary: true }],
    [ENTERPRISE_SCHEMA]: { department: 'Engines', manager: { value: '7c7c4c39-1c3b-4f1c-9f36-6f2e4f6a1e11' } },
  },
};
const CLUB = { id: 'club', document: { externalId: 'club', displayName: 'Club' } };

describeOddRecords('inbound SCIM', () => open({}));

describe('inbound SCIM', () => {
  it('turns what was written into a canonical resource of the same external id, or says why not', () => {
    for (const settings of [
      {},
      { scope: { filter: 'title eq "x"', groupFilter: 'displayName sw "Z"' } },
      { mapping: { users: [{ target: 'userName', source: 'nothing' }] } },
    ]) {
      checkNormalised(open(settings), ADA, 'User');
      checkNormalised(open(settings), CLUB, 'Group');
    }
  });

  it('never throws on odd documents', () => {
    const provider = open({
      scope: { filter: 'emails.value ew "x"' },
      mapping: { users: [{ target: 'title', expression: 'name.givenName' }] },
    });
    for (const odd of [null, undefined, '', 0, {}, [], [null], [{}], 7, true])
      for (const document of [
        odd,
        { userName: odd, displayName: odd },
        { userName: 'x', displayName: 'x', emails: odd, name: odd, [ENTERPRISE_SCHEMA]: odd },
      ])
        for (const type of ['User', 'Group'] as const) provider.normalise({ id: 'odd', document }, type);
  });

  it('names the manager by anchor, and leaves out one whom the client did not write', () => {
    const managerOf = (record: unknown) => {
      const result = open({}).normalise(record, 'User');
      assert.ok('resource' in result);
      return (result.resource as UserResource)[ENTERPRISE_SCHEMA];
    };
    assert.deepEqual(managerOf(ADA), { department: 'Engines', manager: { value: 'charles' } });
    const { manager: _manager, ...alone } = ADA;
    assert.deepEqual(managerOf(alone), { department: 'Engines' });
  });

  it('maps by rules, over extension attributes by their bare names too', () => {
    const result = open({
      mapping: {
        users: [
          { target: 'displayName', expression: 'name.givenName + " of " + department' },
          { target: 'title', constant: null },
        ],
      },
    }).normalise(ADA, 'User');
    assert.ok('resource' in result);
    const { displayName, title, [GATEWAY_SCHEMA]: gateway } = result.resource as UserResource;
    assert.deepEqual([displayName, title, gateway?.origin], ['Ada of Engines', undefined, 'scim']);
  });

  it('looks at what was written for the scope', () => {
    const clause = `${ENTERPRISE_SCHEMA}:department ne "engines"`;
    const provider = open({ scope: { filter: `userName pr and ${clause}` } });
    assert.deepEqual(provider.normalise(ADA, 'User'), { skip: 'ScopeFilterFalse', detail: clause });
    const { clauses = [] } = provider.explain?.(ADA, 'User') ?? {};
    assert.deepEqual(clauses.map(({ demands, holds }) => [demands, holds]).slice(1), [
      ['userName pr', true],
      [clause, false],
    ]);
  });

  it('refuses settings that would keep everybody out, or that it cannot honour, and names the field', () => {
    const refusals: [object, RegExp][] = [
      [{ scope: { filter: 'colour eq "red"' } }, /scope\.filter/],
      [{ scope: { groupFilter: 'userName pr' } }, /scope\.groupFilter/],
      [{ scope: { filter: 'title eq' } }, /scope\.filter/],
      [{ mapping: { users: [{ target: 'title', source: 'title', apply: 'onCreate' }] } }, /at each write/],
      [{ mapping: { users: [{ target: `${ENTERPRISE_SCHEMA}:manager`, source: 'x' }] } }, /manager/],
      [{ removalWindowMinutes: 0 }, /removalWindowMinutes/],
      [{ appId: 'x' }, /appId/],
    ];
    for (const [settings, message] of refusals)
      assert.throws(
        () => kind.parseSettings(settings),
        (error) => error instanceof InputError && error.reason === 'settings-invalid' && message.test(error.message),
      );
  });
});
