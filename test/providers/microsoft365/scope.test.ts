import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GraphGroup, GraphUser } from '#providers/microsoft365/map/records.ts';
import { groupType, makeScope } from '#providers/microsoft365/scope/scope.ts';
import { parseSettings } from '#providers/microsoft365/settings.ts';

const scopeOf = (scope: object) =>
  makeScope(parseSettings({ tenantId: 't', clientId: 'c', credential: { kind: 'clientSecret', secret: 's' }, scope }));
const user = (properties: Partial<GraphUser> = {}): GraphUser => ({
  id: 'u1',
  userPrincipalName: 'ada@contoso.com',
  accountEnabled: true,
  userType: 'Member',
  mail: 'ada@contoso.com',
  proxyAddresses: ['SMTP:ada@contoso.com'],
  ...properties,
});
const group = (properties: Partial<GraphGroup>): GraphGroup => ({ id: 'g1', ...properties });

describe('who is in scope', () => {
  it('takes everybody by default: guests, disabled accounts, people without mail', () => {
    const scope = scopeOf({});
    for (const odd of [{}, { userType: 'Guest' }, { accountEnabled: false }, { mail: null, proxyAddresses: [] }])
      assert.equal(scope.user(user(odd)), undefined);
  });

  it('names the clause of the filter that fails', () => {
    const scope = scopeOf({ filter: "accountEnabled eq true and userType eq 'Member'" });
    assert.equal(scope.user(user()), undefined);
    assert.deepEqual(scope.user(user({ userType: 'Guest' })), {
      reason: 'ScopeFilterFalse',
      detail: 'userType eq "Member"',
    });
    assert.deepEqual(scope.user(user({ accountEnabled: false })), {
      reason: 'ScopeFilterFalse',
      detail: 'accountEnabled eq true',
    });
  });

  it('leaves out whoever has only an onmicrosoft address', () => {
    const scope = scopeOf({ excludeOnMicrosoft: true });
    const only = { mail: 'a@contoso.onmicrosoft.com', proxyAddresses: ['SMTP:a@contoso.onmicrosoft.com'] };
    assert.deepEqual(scope.user(user(only)), { reason: 'OnMicrosoftDomain' });
    assert.equal(scope.user(user({ ...only, proxyAddresses: ['smtp:a@contoso.com'] })), undefined);
    const bare = { mail: null, proxyAddresses: null };
    assert.deepEqual(scope.user(user({ ...bare, userPrincipalName: 'a@contoso.onmicrosoft.com' })), {
      reason: 'OnMicrosoftDomain',
    });
    assert.equal(scope.user(user(bare)), undefined);
    assert.equal(scope.user(user({ mail: 'a@notonmicrosoft.com', proxyAddresses: [] })), undefined);
  });

  it('accepts domains by the primary address, whatever its case, or by any address when told to', () => {
    const scope = scopeOf({ domains: ['@Contoso.com'] });
    assert.equal(scope.user(user({ mail: 'Ada@CONTOSO.com' })), undefined);
    assert.deepEqual(scope.user(user({ mail: 'ada@sub.contoso.com' })), {
      reason: 'DomainNotAccepted',
      detail: 'sub.contoso.com',
    });
    assert.deepEqual(scope.user(user({ mail: null, proxyAddresses: [] })), { reason: 'MailNotProvisioned' });
    const alias = user({ mail: 'ada@other.com', proxyAddresses: ['SMTP:ada@other.com', 'smtp:ada@contoso.COM'] });
    assert.equal(scope.user(alias)?.detail, 'other.com', 'an alias does not count');
    const any = scopeOf({ domains: ['contoso.com'], domainMatch: 'any' });
    assert.equal(any.user(alias), undefined);
    assert.deepEqual(any.user(user({ mail: 'ada@other.com', proxyAddresses: [] })), {
      reason: 'DomainNotAccepted',
      detail: 'other.com',
    });
    assert.deepEqual(any.user(user({ mail: null, proxyAddresses: [] })), { reason: 'MailNotProvisioned' });
  });

  it('asks for a licence or a mailbox', () => {
    const licensed = { assignedPlans: [{ service: 'exchange', capabilityStatus: 'Enabled' }] };
    assert.deepEqual(scopeOf({ requireLicence: true }).user(user()), { reason: 'Unlicensed' });
    assert.equal(scopeOf({ requireLicence: true }).user(user(licensed)), undefined);
    const mailbox = scopeOf({ requireMailbox: true });
    assert.equal(mailbox.user(user()), undefined, 'a shared mailbox needs no licence');
    assert.equal(mailbox.user(user({ ...licensed, proxyAddresses: [] })), undefined);
    for (const none of [{ proxyAddresses: [] }, { userType: 'Guest' }])
      assert.deepEqual(mailbox.user(user(none)), { reason: 'MailNotProvisioned', detail: 'mailbox' });
    const both = scopeOf({ requireMailbox: true, domains: ['contoso.com'] });
    const bare = { mail: null, proxyAddresses: [] };
    assert.equal(both.user(user(bare))?.detail, 'mailbox', 'who lost the mailbox mostly lost the address, too');
    assert.equal(both.user(user({ ...bare, ...licensed }))?.detail, undefined, 'the mailbox is there');
  });
});

describe('which groups are in scope', () => {
  const types: readonly (readonly [Partial<GraphGroup>, string | undefined])[] = [
    [{ groupTypes: ['Unified'], mailEnabled: true, securityEnabled: true }, 'microsoft365'],
    [{ groupTypes: ['DynamicMembership', 'Unified'], mailEnabled: true, securityEnabled: false }, 'microsoft365'],
    [{ groupTypes: [], mailEnabled: false, securityEnabled: true }, 'security'],
    [{ groupTypes: null, securityEnabled: true }, 'security'],
    [{ groupTypes: [], mailEnabled: true, securityEnabled: true }, 'mailEnabledSecurity'],
    [{ groupTypes: [], mailEnabled: true, securityEnabled: false }, 'distribution'],
    [{}, undefined],
  ];

  it('tells the types by three properties', () => {
    for (const [properties, type] of types) assert.equal(groupType(group(properties)), type);
  });

  it('excludes Microsoft 365 groups by default, and unknown types always', () => {
    const scope = scopeOf({});
    for (const [properties, type] of types) {
      const expected = type === 'microsoft365' || type === undefined;
      assert.equal(scope.group(group(properties))?.reason === 'GroupTypeExcluded', expected);
    }
  });

  it('excludes dynamic membership when told to', () => {
    const dynamic = group({ groupTypes: ['DynamicMembership'], securityEnabled: true });
    assert.equal(scopeOf({}).group(dynamic), undefined);
    assert.deepEqual(scopeOf({ dynamicMembership: 'exclude' }).group(dynamic), { reason: 'DynamicMembershipExcluded' });
  });
});
