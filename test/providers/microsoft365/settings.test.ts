import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { generate } from 'selfsigned';
import { InputError } from '#core/errors.ts';
import { providerKinds } from '#providers/index.ts';
import { microsoft365 } from '#providers/microsoft365/index.ts';
import { parseSettings } from '#providers/microsoft365/settings.ts';
import { endpointsOf, tokenScopes } from '#providers/microsoft365/sign-in/endpoints.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';
import { makeTestClock } from './support.ts';

const least = { tenantId: 'contoso.com', clientId: 'app', credential: { kind: 'clientSecret', secret: 's' } };
const certificate = () => generate([{ name: 'commonName', value: 'sluice' }], { algorithm: 'sha256' });

function refusal(changes: object): InputError {
  try {
    parseSettings({ ...least, ...changes });
  } catch (error) {
    assert.ok(error instanceof InputError);
    assert.ok((error.remedy ?? '').length > 0);
    return error;
  }
  assert.fail(`accepted ${JSON.stringify(changes)}`);
}

describe('settings of Microsoft 365', () => {
  it('are filled in with safe defaults', () => {
    assert.deepEqual(parseSettings(least), {
      ...least,
      cloud: 'global',
      scope: {
        mode: 'full',
        groupIds: [],
        nestedGroups: 'include',
        maxDepth: null,
        groupTypes: ['security', 'mailEnabledSecurity', 'distribution'],
        dynamicMembership: 'include',
        filter: '',
        domains: [],
        domainMatch: 'primary',
        excludeOnMicrosoft: false,
        mailboxTypes: ['user'],
        guests: 'include',
        requireLicence: false,
        requireMailbox: false,
        onLeaveScope: 'deactivate',
        onSourceSoftDelete: 'deactivate',
        onSourceHardDelete: 'delete',
        deleteAfterDays: 30,
      },
      pathDisplay: { rootGroupId: null },
      destination: { rules: [], match: 'first', default: null },
      initialRun: 'preview',
      matching: ['externalId', 'anchors', 'userName', 'emails'],
      adoptManual: 'never',
      notifications: { enabled: true, sweepMinutes: 60 },
      mapping: { users: [] },
    });
  });

  it('take the example of the contract as it stands', () => {
    const scope = { filter: "accountEnabled eq true and userType eq 'Member'", mailboxTypes: ['user'] };
    const endpoints = { graph: 'https://graph.example:8443/', login: 'https://login.example' };
    assert.deepEqual(parseSettings({ ...least, scope, endpoints }).endpoints, {
      graph: 'https://graph.example:8443',
      login: 'https://login.example',
    });
  });

  it('are refused with every problem named', () => {
    const error = refusal({ tenantId: 'a b', colour: 'red', scope: { groupTypes: ['secret'], filter: 'nobody eq 1' } });
    assert.equal(error.reason, 'settings-invalid');
    const problems = JSON.stringify(error.details);
    for (const name of ['tenantId', 'colour', 'scope.groupTypes', 'scope.filter'])
      assert.ok(problems.includes(name), name);
    const crossed = refusal({
      clientId: '',
      pathDisplay: { rootGroupId: 'g' },
      scope: { mode: 'groups', filter: '(' },
    });
    assert.deepEqual((crossed.details['problems'] as { path: string }[]).map(({ path }) => path).sort(), [
      'clientId',
      'pathDisplay.rootGroupId',
      'scope.filter',
      'scope.groupIds',
    ]);
  });

  it('send tokens to https origins only', () => {
    for (const graph of [
      'http://graph.example',
      'https://graph.example/v1.0',
      'https://u:p@graph.example',
      'graph',
      'ftp://x',
    ])
      assert.match(refusal({ endpoints: { graph, login: 'https://login.example' } }).message, /endpoints\.graph/);
    assert.match(refusal({ endpoints: { graph: 'https://graph.example' } }).message, /endpoints\.login/);
  });

  it('lead to the hosts of their cloud, for sign-in, consent, tokens and Graph', () => {
    // Source: learn.microsoft.com/graph/deployments.
    const hosts = {
      global: ['graph.microsoft.com', 'login.microsoftonline.com'],
      usgov: ['graph.microsoft.us', 'login.microsoftonline.us'],
      usgovdod: ['dod-graph.microsoft.us', 'login.microsoftonline.us'],
      china: ['microsoftgraph.chinacloudapi.cn', 'login.chinacloudapi.cn'],
    } as const;
    const { connect } = microsoft365({ clock: makeTestClock(), schemas: RESOURCE_SCHEMAS });
    for (const [cloud, [graph, login]] of Object.entries(hosts)) {
      const settings = parseSettings({ ...least, cloud });
      assert.deepEqual(endpointsOf(settings), { graph: `https://${graph}`, login: `https://${login}`, custom: false });
      assert.deepEqual(tokenScopes(settings), [`https://${graph}/.default`]);
      const way = { redirectUri: 'https://gateway.example/connect/microsoft365', state: 's' };
      const consent = new URL(connect?.consentUrl(connect.target(settings, undefined), way) ?? '');
      assert.deepEqual([consent.host, consent.searchParams.get('scope')], [login, `https://${graph}/.default`]);
    }
    const endpoints = { graph: 'https://graph.internal', login: 'https://login.internal' };
    // A host of somebody's own may stand in for a cloud's Graph under that one's name.
    assert.deepEqual(tokenScopes(parseSettings({ ...least, cloud: 'china', endpoints })), [
      'https://graph.internal/.default',
      'https://microsoftgraph.chinacloudapi.cn/.default',
    ]);
  });

  it('name one tenant', () => {
    for (const tenantId of ['common', 'Organizations', 'consumers', '', 'a/b'])
      assert.match(refusal({ tenantId }).message, /tenantId/);
  });

  it('refuse what contradicts itself', () => {
    for (const [changes, field] of [
      [{ scope: { mode: 'groups' } }, 'scope.groupIds'],
      [{ scope: { groupIds: ['g1'] } }, 'scope.groupIds'],
      [{ scope: { mode: 'groups', groupIds: ['g1'] }, pathDisplay: { rootGroupId: 'g1' } }, 'pathDisplay.rootGroupId'],
      [{ pathDisplay: { rootGroupId: ['g1', 'g2'] } }, 'pathDisplay.rootGroupId'],
      [{ scope: { mode: 'groups', groupIds: [' '] } }, 'scope.groupIds'],
      [{ scope: { maxDepth: -1 } }, 'scope.maxDepth'],
    ] as const) {
      const error = refusal(changes);
      assert.equal(error.reason, 'settings-invalid');
      assert.ok(error.message.includes(field), error.message);
    }
  });

  it('take each selected group once, as Entra spells ids', () => {
    const id = '6EA91A8D-E32E-41A1-B7BD-D2D185EED0E0';
    const scope = { mode: 'groups', groupIds: [id, ` ${id.toLowerCase()} `] };
    assert.deepEqual(parseSettings({ ...least, scope }).scope.groupIds, [id.toLowerCase()]);
  });

  it('never repeat a secret in an error', () => {
    const error = refusal({ credential: { kind: 'clientSecret', secret: 'hunter2', extra: 1 } });
    assert.ok(!JSON.stringify([error.message, error.details]).includes('hunter2'));
  });
});

describe('a certificate', () => {
  let one: Awaited<ReturnType<typeof certificate>>;
  let other: Awaited<ReturnType<typeof certificate>>;
  before(async () => {
    [one, other] = await Promise.all([certificate(), certificate()]);
  });

  it('is accepted with its own key', () => {
    const credential = { kind: 'certificate', certificate: one.cert, privateKey: one.private };
    assert.deepEqual(parseSettings({ ...least, credential }).credential, credential);
  });

  it('is refused with the key of another, or when either is no PEM', () => {
    for (const [pem, key, problem] of [
      [one.cert, other.private, /privateKey: does not belong/],
      [one.cert, 'no key', /privateKey: expected/],
      ['no certificate', one.private, /certificate: expected/],
    ] as const)
      assert.match(
        refusal({ credential: { kind: 'certificate', certificate: pem, privateKey: key } }).message,
        problem,
      );
  });
});

describe('the kinds of provider', () => {
  it('are four, and each can be configured', () => {
    const uploads = { latest: async () => undefined, async *read() {} };
    const parts = { outgoing: { allowLoopback: false }, uploads, inboundDir: '/nowhere' };
    const kinds = providerKinds({ clock: makeTestClock(), schemas: RESOURCE_SCHEMAS, ...parts });
    assert.deepEqual([...kinds.keys()], ['microsoft365', 'scim', 'ldap', 'csv']);
    for (const { available } of kinds.values()) assert.equal(available, true);
  });
});
