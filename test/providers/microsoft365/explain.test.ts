import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { makeTenant, makeUser } from '#demo/tenant.ts';
import { SOURCES } from '#providers/microsoft365/explain.ts';
import { openProvider, settingsFor } from './support.ts';

const anyScope = fc.record({
  filter: fc.constantFrom(
    '',
    "accountEnabled eq true and userType eq 'Member'",
    'department eq "Sales" or city co "e"',
    'licensed eq true and proxyAddresses pr and not (jobTitle eq "Manager")',
  ),
  domains: fc.constantFrom([], ['contoso.example'], ['elsewhere.example', 'gmail.com']),
  excludeOnMicrosoft: fc.boolean(),
  requireLicence: fc.boolean(),
  requireMailbox: fc.boolean(),
  dynamicMembership: fc.constantFrom('include', 'exclude'),
  groupTypes: fc.subarray(['security', 'mailEnabledSecurity', 'distribution', 'microsoft365'], { minLength: 1 }),
});

const withScope = (scope: object) =>
  openProvider(settingsFor({ origin: 'https://127.0.0.1:1' }, 'contoso.example', { scope })).provider;

describe('the explanation of a record', () => {
  it('says what a run does, whatever the scope: the first clause that does not hold is the reason', () => {
    const tenant = makeTenant({ users: 400, groups: 30 });
    const records = [
      ...[...tenant.users.values()].map((record) => ({ record, type: 'User' as const })),
      ...[...tenant.groups.values()].map((record) => ({ record, type: 'Group' as const })),
      { record: { id: 'nameless' }, type: 'User' as const },
      { record: { id: 'odd', userPrincipalName: 'a\0b' }, type: 'User' as const },
    ];
    fc.assert(
      fc.property(anyScope, (scope) => {
        const { normalise, explain } = withScope(scope);
        for (const { record, type } of records) {
          const result = normalise(record, type);
          const explained = explain?.(record, type) ?? assert.fail();
          const failed = explained.clauses.find(({ holds }) => !holds);
          if ('skip' in result)
            assert.deepEqual([failed?.reason, failed?.detail ?? undefined], [result.skip, result.detail]);
          else assert.equal(failed, undefined);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('shows the values that each clause has looked at', () => {
    const mailboxTypes = ['user', 'linked', 'shared', 'room', 'equipment', 'others'];
    const { explain } = withScope({ filter: "userType eq 'Member'", domains: ['contoso.example'], mailboxTypes });
    const { proxyAddresses, ...someone }: Record<string, unknown> = makeUser('guest', 1);
    const guest = { ...someone, proxyAddresses, userType: 'Guest', mail: 'ada@gmail.com' };
    const explained = explain?.(guest, 'User') ?? assert.fail();
    assert.deepEqual(
      explained.clauses.map(({ setting, holds, seen }) => [setting, holds, seen]),
      [
        ['scope.filter', false, { userType: 'Guest' }],
        ['scope.domains', false, { mail: 'ada@gmail.com', proxyAddresses }],
        ['mapping', true, {}],
      ],
    );
    assert.deepEqual(
      explained.evidence.map(({ name, value }) => [name, value]),
      [
        ['domain', 'gmail.com'],
        ['licence', true],
        ['mailbox', 'user'],
      ],
    );
  });

  it('names for each attribute exactly the properties that it is made of', () => {
    const { explain } = withScope({});
    const whole = {
      ...makeUser('source', 4),
      ...{ faxNumber: '+1', mobilePhone: '+2', manager: { id: 'boss' } },
      ...{ accountEnabled: false, mailboxSettings: { userPurpose: 'user' } },
    };
    const attributesOf = (record: object) =>
      new Map((explain?.(record, 'User').attributes ?? []).map(({ attribute, value }) => [attribute, value]));
    const before = attributesOf(whole);
    assert.deepEqual([...before.keys()].sort(), Object.keys(SOURCES.User).sort());
    const other = (value: unknown, property: string): unknown => {
      if (property === 'assignedPlans') return [{ service: 'exchange', capabilityStatus: 'Deleted' }];
      if (typeof value === 'boolean') return !value;
      if (typeof value === 'string') return `${value}x`;
      return Array.isArray(value) ? [] : { division: 'other', costCenter: 'other', id: 'other', userPurpose: 'shared' };
    };
    for (const [property, value] of Object.entries(whole)) {
      const after = attributesOf({ ...whole, [property]: other(value, property) });
      const changed = [...before].filter(([name, text]) => JSON.stringify(text) !== JSON.stringify(after.get(name)));
      const named = Object.entries(SOURCES.User).filter(([, properties]) => properties.includes(property));
      // A licence counts only while no plan is listed.
      const expected = named.map(([name]) => name).filter(() => property !== 'assignedLicenses');
      assert.deepEqual(changed.map(([name]) => name).sort(), expected.sort(), property);
    }
  });
});
