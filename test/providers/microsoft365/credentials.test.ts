import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { GatewayError } from '#core/errors.ts';
import { type Asked, openProvider, type ScriptedGraph, settingsFor, startScripted } from './support.ts';

const TENANT = '0c0c0c0c-1111-4222-8333-444444444444';
const never = new AbortController().signal;

/** A token of another identity provider, for this audience. */
function tokenFor(aud: unknown, jti = '1'): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256' })}.${part({ aud, jti, sub: 'system:serviceaccount:sluice:gateway' })}.c2ln`;
}

describe('credentials that are no secret of ours', () => {
  let graph: ScriptedGraph;
  let signIns: Asked[] = [];
  let machine: Server;
  let machineAsked: { url: string; header: string | undefined }[] = [];
  let machineSays: { status: number; body: object } = { status: 200, body: {} };
  const folder = mkdtempSync(join(tmpdir(), 'sluice-token-'));
  const tokenFile = join(folder, 'token');

  before(async () => {
    graph = await startScripted(
      () => ({ body: { value: [{ id: TENANT }] } }),
      (asked) => {
        if (asked.url.includes('/token')) signIns.push(asked);
        return undefined;
      },
    );
    machine = createServer((request, response) => {
      machineAsked.push({ url: request.url ?? '', header: String(request.headers['x-identity-header']) });
      response.writeHead(machineSays.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(machineSays.body));
    });
    await new Promise<void>((resolve) => machine.listen(0, '127.0.0.1', resolve));
  });
  after(async () => {
    delete process.env['IDENTITY_ENDPOINT'];
    delete process.env['IDENTITY_HEADER'];
    rmSync(folder, { recursive: true, force: true });
    machine?.close();
    await graph?.close();
  });

  const identityWith = (credential: object): Promise<string | undefined> => {
    const { provider } = openProvider(settingsFor(graph, TENANT, { credential }));
    assert.ok(provider.identity !== undefined);
    return provider.identity(never);
  };

  const refusal = async (credential: object): Promise<GatewayError> => {
    try {
      await identityWith(credential);
    } catch (error) {
      assert.ok(error instanceof GatewayError, String(error));
      return error;
    }
    return assert.fail('it was taken');
  };

  it('sends the token of a file as it is at that moment', async () => {
    for (const jti of ['first', 'second']) {
      signIns = [];
      const token = tokenFor('api://AzureADTokenExchange', jti);
      writeFileSync(tokenFile, `${token}\n`);
      assert.equal(await identityWith({ kind: 'federated', tokenFile }), TENANT);
      const form = new URLSearchParams(signIns[0]?.body);
      assert.equal(form.get('client_assertion'), token);
      assert.equal(form.get('client_assertion_type'), 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    }
  });

  it('sends no file that is not such a token, whatever an administrator names', async () => {
    signIns = [];
    for (const content of ['root:x:0:0', tokenFor('kubernetes.default.svc'), tokenFor(undefined), 'a.b.c', '']) {
      writeFileSync(tokenFile, content);
      assert.equal((await refusal({ kind: 'federated', tokenFile })).reason, 'token-file-wrong');
    }
    const missing = await refusal({ kind: 'federated', tokenFile: join(folder, 'none') });
    assert.equal(missing.reason, 'token-file-unreadable');
    assert.deepEqual(signIns, []);
  });

  it('takes the identity of the machine, for the resource of the cloud', async () => {
    // As on Azure, where the address is link-local, this is one that is refused to everything else.
    process.env['IDENTITY_ENDPOINT'] = `http://0.0.0.0:${(machine.address() as AddressInfo).port}/msi/token`;
    process.env['IDENTITY_HEADER'] = 'header-of-this-machine';
    const expires = Math.floor(Date.now() / 1_000) + 3_600;
    machineSays = { status: 200, body: { access_token: 'machine-token', expires_on: expires, token_type: 'Bearer' } };
    graph.asked.length = 0;
    assert.equal(await identityWith({ kind: 'managedIdentity' }), TENANT);
    assert.equal(graph.asked.at(-1)?.token, 'machine-token');
    const asked = new URL(machineAsked[0]?.url ?? '', 'http://localhost').searchParams;
    assert.equal(asked.get('resource'), graph.origin);
    assert.equal(asked.get('client_id'), null);
    assert.equal(machineAsked[0]?.header, 'header-of-this-machine');
    machineAsked = [];
    await identityWith({ kind: 'managedIdentity', clientId: 'user-assigned-1' });
    const second = new URL(machineAsked[0]?.url ?? '', 'http://localhost').searchParams;
    assert.equal(second.get('client_id'), 'user-assigned-1');
  });

  it('says in words that the machine has no identity', async () => {
    machineSays = { status: 400, body: { statusCode: 400, message: 'No managed identity found' } };
    const error = await refusal({ kind: 'managedIdentity', clientId: 'another' });
    assert.equal(error.reason, 'managed-identity-missing');
    assert.match(error.remedy ?? '', /Azure/);
  });
});
