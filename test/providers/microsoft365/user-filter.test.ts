import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeFilter } from '#core/filter-text.ts';
import type { GraphUser } from '#providers/microsoft365/map/records.ts';
import { makeScope } from '#providers/microsoft365/scope/scope.ts';
import { filterProblem, findFields, parseUserFilter, propertiesOf } from '#providers/microsoft365/scope/user-filter.ts';
import { parseSettings } from '#providers/microsoft365/settings.ts';

const credential = { kind: 'clientSecret', secret: 's' };
function isIn(filter: string, user: Record<string, unknown>): boolean {
  const settings = parseSettings({ tenantId: 't', clientId: 'c', credential, scope: { filter } });
  return makeScope(settings).user({ id: 'u1', ...user } as GraphUser) === undefined;
}

describe('the scope filter', () => {
  it('reads every field that a record has, and what is worked out of several', () => {
    for (const [filter, user] of [
      ['accountEnabled eq true', { accountEnabled: true }],
      ['assignedLicenses.skuId eq "sku"', { assignedLicenses: [{ skuId: 'sku' }] }],
      ['assignedLicenses eq "sku"', { assignedLicenses: [{ skuId: 'sku' }] }],
      ['companyName eq "contoso"', { companyName: 'Contoso' }],
      ['displayName sw "Ada"', { displayName: 'Ada Lovelace' }],
      ['givenName co "d"', { givenName: 'Ada' }],
      ['mail ew "@contoso.com"', { mail: 'ada@contoso.com' }],
      ['mailEnabled eq true', { mail: 'ada@contoso.com' }],
      ['userType eq "Member"', { userType: 'Member' }],
      ['surname pr', { surname: 'Lovelace' }],
      ['proxyAddress co "countess@"', { proxyAddresses: ['SMTP:ada@contoso.com', 'smtp:countess@contoso.com'] }],
      ['proxyAddresses sw "SMTP:ada"', { proxyAddresses: ['SMTP:ada@contoso.com'] }],
      ['userPrincipalName co "+"', { userPrincipalName: 'a+b@contoso.com' }],
      ['id eq "u1"', {}],
      ['jobTitle ne "Analyst"', {}],
      ['department eq "R&D" or country eq "DE"', { country: 'DE' }],
      ['not (employeeType eq "Vendor")', { employeeType: 'Employee' }],
      ['onPremisesSyncEnabled eq true', { onPremisesSyncEnabled: true }],
      ['extensionAttribute7 eq "x"', { onPremisesExtensionAttributes: { extensionAttribute7: 'x' } }],
      ['createdDateTime ge "2026-01-01T00:00:00Z"', { createdDateTime: '2026-02-01T00:00:00Z' }],
      [
        'assignedPlans[service eq "exchange" and capabilityStatus eq "Enabled"]',
        { assignedPlans: [{ service: 'exchange', capabilityStatus: 'Enabled' }] },
      ],
      ['createdDateTime ge "2026-01-01"', { createdDateTime: '2026-02-01T00:00:00Z' }],
      ['licensed eq true', { assignedLicenses: [{ skuId: 'sku' }] }],
    ] as const) {
      assert.equal(isIn(filter, user), true, filter);
      assert.equal(isIn(`not (${filter})`, user), false, filter);
    }
  });

  it('takes values in single quotes as OData writes them', () => {
    assert.equal(isIn("surname eq 'O''Neil'", { surname: "O'Neil" }), true);
    assert.equal(isIn(`surname eq "O'Neil" and givenName eq 'Q"u'`, { surname: "O'Neil", givenName: 'Q"u' }), true);
  });

  it('says what is wrong instead of putting everybody out of scope', () => {
    for (const [filter, problem] of [
      ['acountEnabled eq true', /no property "acountEnabled"/],
      ['memberOf.id eq "x"', /no part "id"/],
      ['memberOf[value eq "x"]', /no part/],
      ['memberOf gt "x"', /no order/],
      ['memberOf eq null', /compared with an id/],
      [Array.from({ length: 9 }, (_, index) => `memberOf eq "${index}"`).join(' or '), /more than 8 groups/],
      ['accountEnabled eq "true"', /without quotes/],
      ['department eq 7', /needs quotes/],
      ['accountEnabled gt true', /takes eq, ne, pr/],
      ['createdDateTime co "2026"', /takes eq, ne, gt/],
      ['createdDateTime gt "yesterday"', /is a time/],
      ['createdDateTime lt "2026-02-30T99:00:00Z"', /is a time/],
      ['employeeOrgData eq "EMEA"', /employeeOrgData\.division/],
      ['mail.value eq "x"', /no part "value"/],
      ['urn:x:y:mail eq "x"', /no property/],
      ['mail eq', /./],
      ['mail eq "x" and', /./],
      ["mail eq 'x", /./],
    ] as const)
      assert.match(filterProblem(filter) ?? '', problem, filter);
    assert.equal(filterProblem('  '), undefined);
  });

  it('asks Graph only for what it names', () => {
    const read = (text: string) => propertiesOf(parseUserFilter(text) ?? assert.fail());
    assert.deepEqual(read('proxyAddress pr or mailEnabled eq true'), ['proxyAddresses', 'mail']);
    assert.deepEqual(read('extensionAttribute1 pr and extensionAttribute2 pr'), ['onPremisesExtensionAttributes']);
  });

  it('can be written down again', () => {
    for (const text of [
      'accountEnabled eq true and (mail pr or not (mail ew "x"))',
      'assignedPlans[service eq "exchange" and capabilityStatus eq "Enabled"]',
    ]) {
      const filter = parseUserFilter(text) ?? assert.fail();
      assert.equal(describeFilter(filter), text);
    }
  });
});

describe('fields for a filter', () => {
  it('lists those that begin with a text, each with an example that is a filter', () => {
    assert.deepEqual(
      findFields('PROXY').map(({ name }) => name),
      ['proxyAddress', 'proxyAddresses'],
    );
    for (const { name, example, operators } of findFields('')) {
      assert.equal(filterProblem(example), undefined, name);
      assert.ok(operators.length > 0);
    }
  });
});
