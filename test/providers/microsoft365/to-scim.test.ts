import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonical } from '#core/canonical.ts';
import { ENTERPRISE_SCHEMA, GATEWAY_SCHEMA, USER_SCHEMA, type UserResource } from '#core/resource.ts';
import { type GraphUser, USER_SELECT } from '#providers/microsoft365/map/records.ts';
import { toScimGroup, toScimUser } from '#providers/microsoft365/map/to-scim.ts';

const ID = '6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0';
const ada: GraphUser = { id: ID, userPrincipalName: 'ada@contoso.com' };

function map(user: Partial<GraphUser>, dropOnMicrosoft = false): UserResource {
  const result = toScimUser({ ...ada, ...user }, { dropOnMicrosoft });
  assert.ok('resource' in result && 'userName' in result.resource);
  return result.resource;
}

describe('a Graph user as a SCIM user', () => {
  it('carries everything that SCIM has a place for', () => {
    const resource = map({
      displayName: 'Ada Lovelace',
      givenName: 'Ada',
      surname: 'Lovelace',
      accountEnabled: true,
      userType: 'Member',
      mail: 'ada@contoso.com',
      proxyAddresses: ['SMTP:ada@contoso.com', 'smtp:countess@contoso.com', 'X500:/o=c', 'SIP:ada@contoso.com'],
      businessPhones: ['+44 20 1'],
      mobilePhone: '+44 7700 1',
      faxNumber: '+44 20 2',
      jobTitle: 'Analyst',
      department: 'Engines',
      companyName: 'Contoso',
      employeeId: '1042',
      employeeOrgData: { division: 'EMEA', costCenter: 'CC-1' },
      preferredLanguage: 'en-GB',
      streetAddress: '12 St James Square',
      city: 'London',
      state: 'England',
      postalCode: 'SW1Y',
      country: 'gb',
      assignedLicenses: [{ skuId: 'sku' }],
      assignedPlans: [{ service: 'exchange', capabilityStatus: 'Enabled' }],
      manager: { id: 'boss' },
    });
    assert.deepEqual(resource, {
      schemas: [USER_SCHEMA, ENTERPRISE_SCHEMA, GATEWAY_SCHEMA],
      externalId: ID,
      userName: 'ada@contoso.com',
      active: true,
      name: { formatted: 'Ada Lovelace', givenName: 'Ada', familyName: 'Lovelace' },
      displayName: 'Ada Lovelace',
      title: 'Analyst',
      userType: 'Member',
      preferredLanguage: 'en-GB',
      locale: 'en-GB',
      emails: [
        { value: 'ada@contoso.com', type: 'work', primary: true },
        { value: 'countess@contoso.com', type: 'other' },
      ],
      phoneNumbers: [
        { value: '+44 20 1', type: 'work', primary: true },
        { value: '+44 7700 1', type: 'mobile' },
        { value: '+44 20 2', type: 'fax' },
      ],
      addresses: [
        {
          type: 'work',
          streetAddress: '12 St James Square',
          locality: 'London',
          region: 'England',
          postalCode: 'SW1Y',
          country: 'GB',
          primary: true,
        },
      ],
      [ENTERPRISE_SCHEMA]: {
        employeeNumber: '1042',
        costCenter: 'CC-1',
        organization: 'Contoso',
        division: 'EMEA',
        department: 'Engines',
        manager: { value: 'boss' },
      },
      [GATEWAY_SCHEMA]: {
        origin: 'microsoft365',
        source: 'microsoft365',
        licensed: true,
        mailboxType: 'user',
        billable: true,
      },
    });
  });

  it('needs nothing but an id and a sign-in name', () => {
    assert.deepEqual(map({}), {
      schemas: [USER_SCHEMA, GATEWAY_SCHEMA],
      externalId: ID,
      userName: 'ada@contoso.com',
      active: true,
      [GATEWAY_SCHEMA]: { origin: 'microsoft365', source: 'microsoft365' },
    });
  });

  it('leaves out whoever has no sign-in name, or one that cannot be carried, and says which field', () => {
    for (const userPrincipalName of [null, '', ' '])
      assert.deepEqual(toScimUser({ ...ada, userPrincipalName }, { dropOnMicrosoft: false }), {
        skip: 'MandatoryFieldMissing',
        detail: 'userPrincipalName',
      });
    for (const userPrincipalName of ['a\0b@contoso.com', 'a\ud800@contoso.com'])
      assert.deepEqual(toScimUser({ ...ada, userPrincipalName }, { dropOnMicrosoft: false }), {
        skip: 'SchemaViolation',
        detail: 'userPrincipalName',
      });
  });

  it('keeps awkward names as they are', () => {
    for (const name of [
      '김민준 (金民俊) 👩‍💻',
      'محمد العربي',
      `"Quo\\te" O'Neil`,
      ' Ada ',
      '%_',
      '=1+1',
      '<b>',
      'İ'.repeat(256),
    ])
      assert.equal(map({ displayName: name }).displayName, name);
    const guest = 'guest_gmail.com#EXT#@contoso.onmicrosoft.com';
    assert.equal(map({ userPrincipalName: guest }).userName, guest);
    assert.equal(map({ userPrincipalName: "$o'neil+1@Contoso.com" }).userName, "$o'neil+1@Contoso.com");
  });

  it('cleans what JSON and PostgreSQL cannot carry', () => {
    assert.equal(map({ displayName: 'a\0b' }).displayName, 'ab');
    assert.equal(map({ displayName: 'a\ud800' }).displayName, 'a\ufffd');
    assert.equal(map({ jobTitle: '\0' }).title, undefined);
  });

  it('has at most one primary address, and each address once whatever its case', () => {
    const addresses = Array.from({ length: 20 }, (_, index) => `smtp:a${index}@contoso.com`);
    const emails = map({
      mail: 'Ada@contoso.com',
      proxyAddresses: ['SMTP:ada@CONTOSO.com', ...addresses, 'smtp:A1@contoso.com'],
    }).emails;
    assert.equal(emails?.length, 21);
    assert.deepEqual(emails?.[0], { value: 'Ada@contoso.com', type: 'work', primary: true });
    assert.equal(emails?.filter(({ primary }) => primary === true).length, 1);
  });

  it('takes the SMTP: address for primary when there is no mail, and none when there are only aliases', () => {
    assert.deepEqual(map({ proxyAddresses: ['smtp:b@c.com', 'SMTP:a@c.com'] }).emails, [
      { value: 'a@c.com', type: 'work', primary: true },
      { value: 'b@c.com', type: 'other' },
    ]);
    assert.deepEqual(map({ proxyAddresses: ['smtp:b@c.com'] }).emails, [{ value: 'b@c.com', type: 'other' }]);
  });

  it('drops onmicrosoft addresses when told to, and lets the next one be the primary', () => {
    const user = { mail: 'ada@contoso.onmicrosoft.com', proxyAddresses: ['smtp:ada@contoso.com'] };
    assert.equal(map(user).emails?.length, 2);
    assert.deepEqual(map(user, true).emails, [{ value: 'ada@contoso.com', type: 'work', primary: true }]);
  });

  it('says licensed by the Exchange plan, by licences while no plan is listed, and nothing when neither is known', () => {
    const licensed = (user: Partial<GraphUser>) => map(user)[GATEWAY_SCHEMA]?.licensed;
    assert.equal(licensed({ assignedPlans: [{ service: 'exchange', capabilityStatus: 'Enabled' }] }), true);
    assert.equal(licensed({ assignedPlans: [{ service: 'exchange', capabilityStatus: 'Deleted' }] }), false);
    assert.equal(licensed({ assignedPlans: [{ service: 'SharePoint', capabilityStatus: 'Enabled' }] }), false);
    assert.equal(licensed({ assignedLicenses: [{ skuId: 'x' }], assignedPlans: [] }), true);
    assert.equal(licensed({ assignedLicenses: [] }), false);
    assert.equal(licensed({ assignedPlans: null }), undefined);
  });

  it('is inactive only when the account is disabled', () => {
    assert.equal(map({ accountEnabled: false }).active, false);
    assert.equal(map({ accountEnabled: null }).active, true);
  });

  it('has no locale without a region', () => {
    assert.equal(map({ preferredLanguage: 'ko' }).locale, undefined);
    assert.equal(map({ preferredLanguage: 'ko-KR' }).locale, 'ko-KR');
  });

  it('never throws, and what it gives is canonical, whatever Graph sends', () => {
    const odd = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constant('a\ud800b'),
      fc.jsonValue(),
      fc.constant(undefined),
    );
    const record = fc.record(Object.fromEntries([...USER_SELECT, 'manager'].map((name) => [name, odd])));
    fc.assert(
      fc.property(record, fc.boolean(), (properties, dropOnMicrosoft) => {
        const user = { ...properties, id: ID } as unknown as GraphUser;
        const result = toScimUser(user, { dropOnMicrosoft });
        if ('skip' in result) return;
        const text = canonical(result.resource);
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(result.resource)));
        assert.ok(text.isWellFormed() && !text.includes('\\u0000') && !/\\ud[89a-f]/i.test(text));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a Graph group as a SCIM group', () => {
  it('goes by its display name, its mail name, its address, at last its id', () => {
    const name = (group: object) => {
      const result = toScimGroup({ id: 'g1', ...group });
      return 'resource' in result && result.resource.displayName;
    };
    assert.equal(name({ displayName: 'Sales', mailNickname: 'sales' }), 'Sales');
    assert.equal(name({ displayName: ' ', mailNickname: 'sales' }), 'sales');
    assert.equal(name({ displayName: null, mail: 'sales@contoso.com' }), 'sales@contoso.com');
    assert.equal(name({}), 'g1');
  });
});
