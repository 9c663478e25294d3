// A directory of 20,000 people whose server dies while it is read.
import assert from 'node:assert/strict';
import net, { type AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { person, settingsFor, uuidOf } from '../providers/ldap/support.ts';
import { approve, freshStorage, startGateway, sync, type TestGateway } from '../support/gateway.ts';
import { type Slapd, SUFFIX, slapdMissing, startSlapd } from '../support/slapd.ts';

const PEOPLE = 20_000;
const MEMBERS = 5_000;
/** Somewhere in the middle of the people, after all names were read. */
const CUT_AFTER_BYTES = 6_000_000;

/** Everything that goes to the server and back; `cutAfter` bytes from the server, it is told, once. */
async function startRelay(port: number) {
  let passed = 0;
  let cut: { readonly after: number; readonly then: () => Promise<void> } | undefined;
  const server = net.createServer((client) => {
    const upstream = net.connect(port, '127.0.0.1');
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
    upstream.on('close', () => client.destroy());
    client.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => {
      passed += chunk.length;
      if (cut === undefined || passed < cut.after) return void client.write(chunk);
      const { then } = cut;
      cut = undefined;
      void then();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    passed: () => passed,
    cutAfter(bytes: number, then: () => Promise<void>) {
      passed = 0;
      cut = { after: bytes, then };
    },
    close: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  };
}

describe('a large directory', { skip: slapdMissing }, () => {
  let slapd: Slapd;
  let relay: Awaited<ReturnType<typeof startRelay>>;
  let api: TestGateway;
  before(async () => {
    const people = Array.from({ length: PEOPLE }, (_, index) => person(`u${index}`, `entryUUID: ${uuidOf(index)}`));
    const members = Array.from({ length: MEMBERS }, (_, index) => `member: uid=u${index},ou=People,${SUFFIX}`);
    const group = `dn: cn=large,ou=Groups,${SUFFIX}\nobjectClass: groupOfNames\ncn: large\n${members.join('\n')}\n`;
    slapd = await startSlapd(`${people.join('\n')}\n${group}`);
    relay = await startRelay(Number(new URL(slapd.secureUrl.replace('ldaps:', 'https:')).port));
    api = await startGateway(await freshStorage('embedded'));
    const settings = settingsFor(slapd, { url: `ldaps://127.0.0.1:${relay.port}`, limits: { pageSize: 1000 } });
    await api.call('PUT', '/api/v1/providers/ldap', { ...settings, initialRun: 'manual' });
    await api.call('POST', '/api/v1/providers/ldap/activate', {});
  });
  after(async () => {
    await api.close();
    await relay.close();
    await slapd.close();
  });

  const active = async () => {
    const { body } = await api.call<{ totalResults: number }>('GET', '/scim/v2/Users?filter=active eq true&count=0');
    return body.totalResults;
  };
  const members = async () => {
    const { body } = await api.call<{ Resources: { members: unknown[] }[] }>('GET', '/scim/v2/Groups');
    return body.Resources.map((group) => group.members.length);
  };

  it('is read whole, and nobody is removed when the server dies in the middle', async () => {
    const first = await sync(api);
    assert.equal((await approve(api, first.planId)).status, 'succeeded');
    assert.deepEqual([await active(), await members()], [PEOPLE, [MEMBERS]]);
    assert.ok(relay.passed() > CUT_AFTER_BYTES, `a whole read is ${relay.passed()} bytes`);

    relay.cutAfter(CUT_AFTER_BYTES, () => slapd.kill());
    const cut = await sync(api, { mode: 'full' });
    assert.equal(cut.status, 'incomplete');
    assert.equal(cut.error?.failure, 'network');
    assert.deepEqual([await active(), await members()], [PEOPLE, [MEMBERS]]);

    const down = await sync(api, { mode: 'full' });
    assert.deepEqual([down.status, down.error?.code], ['failed', 'unreachable']);
    assert.deepEqual([await active(), await members()], [PEOPLE, [MEMBERS]]);

    await slapd.start();
    const again = await sync(api, { mode: 'full' });
    assert.deepEqual([again.status, again.counts['applied'] ?? 0], ['succeeded', 0]);
  });
});
