// Somebody who is moved to another place of the tree while it is read, and is shown by no page of it.
import assert from 'node:assert/strict';
import net, { type AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { person, settingsFor, uuidOf } from '../providers/ldap/support.ts';
import { approve, freshStorage, startGateway, sync, type TestGateway } from '../support/gateway.ts';
import { type Slapd, SUFFIX, slapdMissing, startSlapd } from '../support/slapd.ts';

const AWAY = `ou=Away,${SUFFIX}`;
const PEOPLE = `ou=People,${SUFFIX}`;
const move = (from: string, to: string): string =>
  `dn: uid=cho,${from}\nchangetype: modrdn\nnewrdn: uid=cho\ndeleteoldrdn: 0\nnewsuperior: ${to}\n`;

/** Everything that goes to the server and back; whoever looks sees each request before the server does. */
async function startRelay(port: number, look: () => (request: Buffer) => void) {
  const server = net.createServer((client) => {
    const upstream = net.connect(port, '127.0.0.1');
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
    upstream.pipe(client);
    client.on('data', (request: Buffer) => {
      look()(request);
      upstream.write(request);
    });
    client.on('end', () => upstream.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

describe('somebody who is moved while a directory is read', { skip: slapdMissing }, () => {
  let slapd: Slapd;
  let relay: Awaited<ReturnType<typeof startRelay>>;
  let api: TestGateway;
  let look = (_request: Buffer): void => undefined;
  before(async () => {
    const people = ['ann', 'bob', 'cho', 'dan'].map((uid, index) => person(uid, `entryUUID: ${uuidOf(index + 1)}`));
    slapd = await startSlapd([...people, `dn: ${AWAY}\nobjectClass: organizationalUnit\nou: Away\n`].join('\n'));
    relay = await startRelay(slapd.port, () => look);
    api = await startGateway(await freshStorage('embedded'));
    const url = { url: `ldap://127.0.0.1:${relay.port}`, allowPlaintext: true };
    await api.call('PUT', '/api/v1/providers/ldap', { ...settingsFor(slapd, url), initialRun: 'manual' });
    await api.call('POST', '/api/v1/providers/ldap/activate', {});
    await api.call('PUT', '/api/v1/guard', { enabled: false });
  });
  after(async () => {
    await api?.close();
    relay?.close();
    await slapd?.close();
  });

  const active = async (): Promise<readonly string[]> => {
    type Listed = { Resources: { userName: string }[] };
    const { body } = await api.call<Listed>('GET', '/scim/v2/Users?filter=active eq true&sortBy=userName');
    return body.Resources.map(({ userName }) => userName);
  };

  it('does not count as gone, and the next read finds everybody', async () => {
    const first = await sync(api, { mode: 'full' });
    assert.equal((await approve(api, first.planId)).status, 'succeeded');
    let pages = 0;
    look = (request) => {
      // Of all searches that of the users alone asks for so much.
      const isOfUsers = request.includes('telephoneNumber');
      if (isOfUsers) pages += 1;
      if (isOfUsers && pages === 2) slapd.modify(move(PEOPLE, AWAY));
      if (isOfUsers || pages < 2) return;
      look = () => undefined;
      slapd.modify(move(AWAY, PEOPLE));
    };
    const moved = await sync(api, { mode: 'full' });
    assert.deepEqual([moved.status, moved.error?.code], ['incomplete', 'list-short']);
    assert.deepEqual(await active(), ['ann', 'bob', 'cho', 'dan']);
    const again = await sync(api, { mode: 'full' });
    assert.deepEqual([again.status, again.counts['applied'] ?? 0], ['succeeded', 0]);
  });

  it('counts as gone when nobody finds them any more', async () => {
    slapd.modify(move(PEOPLE, AWAY));
    assert.equal((await sync(api, { mode: 'full' })).status, 'succeeded');
    assert.deepEqual(await active(), ['ann', 'bob', 'dan']);
  });
});
