import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { generate } from 'selfsigned';
import { systemClock } from '#platform/clock.ts';
import { scimAppKind } from '#targets/scim-app/index.ts';

const WITHOUT_TRACE = { learned: {}, capabilities: undefined, dryRun: false, trace: () => undefined };

describe('a target that asks for a certificate', () => {
  const kind = scimAppKind({ clock: systemClock, outgoing: { allowLoopback: true } });
  const shown: string[] = [];
  let ours: { readonly cert: string; readonly private: string };
  let theirs: typeof ours;
  let server: ReturnType<typeof createServer>;
  let baseUrl: string;

  before(async () => {
    ours = await generate([{ name: 'commonName', value: 'sluice' }]);
    const extensions = [{ name: 'subjectAltName' as const, altNames: [{ type: 7 as const, ip: '127.0.0.1' }] }];
    theirs = await generate([{ name: 'commonName', value: 'target' }], { extensions });
    const options = { cert: theirs.cert, key: theirs.private, ca: ours.cert, requestCert: true };
    server = createServer({ ...options, rejectUnauthorized: true }, ({ socket }, response) => {
      shown.push(String((socket as TLSSocket).getPeerCertificate().subject.CN));
      response.writeHead(200, { 'content-type': 'application/scim+json' }).end('{"totalResults":0,"Resources":[]}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    baseUrl = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());

  async function probe(tls: object | null): Promise<void> {
    const target = kind.open(kind.parseSettings({ baseUrl, auth: { kind: 'none' }, tls }), WITHOUT_TRACE);
    await target.probe(AbortSignal.timeout(120_000)).finally(() => target.close());
  }

  it('is shown ours, and is trusted by the authority that was named for it', async () => {
    await probe({ certificate: ours.cert, key: ours.private, ca: theirs.cert });
    assert.deepEqual(shown, ['sluice']);
    await assert.rejects(probe(null), /not trusted/);
  });

  it('has its key kept secret, and a key of another certificate is refused', () => {
    assert.ok(kind.secretPaths.includes('tls.key'));
    const tls = { certificate: ours.cert, key: theirs.private };
    assert.throws(() => kind.parseSettings({ baseUrl, auth: { kind: 'none' }, tls }), /push\.tls\.key: is not the key/);
  });
});
