import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { makeAttempts } from '#http/attempts.ts';
import { giveContext } from '#http/context.ts';
import { makeLog } from '#platform/log.ts';
import { hashToken } from '#platform/token.ts';
import { ADMIN_TOKEN, freshStorage, startGateway, type TestGateway } from '../support/gateway.ts';

describe('wrong tokens', () => {
  let api: TestGateway;
  before(async () => {
    api = await startGateway({ ...(await freshStorage('embedded')), TRUSTED_PROXIES: '127.0.0.1' });
  });
  after(() => api?.close());

  const ask = (path: string, token: string, client: string): Promise<Response> =>
    fetch(`${api.base}${path}`, { headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': client } });
  const guess = async (path: string, times: number, client: string, token?: string): Promise<Response[]> => {
    const answers: Response[] = [];
    for (let count = 0; count < times; count += 1) answers.push(await ask(path, token ?? `guess-${count}`, client));
    return answers;
  };

  for (const [path, type] of [
    ['/api/v1/apps', 'application/problem+json'],
    ['/scim/v2/Users', 'application/scim+json'],
  ] as const)
    it(`are refused with a time to wait after twenty in a minute (${path}), and good ones never`, async () => {
      const client = `198.51.100.${path.length}`;
      const answers = await guess(path, 21, client);
      assert.deepEqual(new Set(answers.slice(0, 20).map(({ status }) => status)), new Set([401]));
      const last = answers[20] as Response;
      assert.equal(last.status, 429);
      assert.ok(Number(last.headers.get('retry-after')) >= 1);
      assert.match(last.headers.get('content-type') ?? '', new RegExp(type.replace('+', '\\+')));
      assert.equal((await ask(path, ADMIN_TOKEN, client)).status, 200);
      assert.equal((await fetch(`${api.base}${path}`)).status, 401, 'no token is no guess');
      assert.equal((await ask(path, 'guess', '198.51.100.200')).status, 401, 'others are not punished');
    });

  it('that are the same one again weigh little: an app with a revoked token is no attacker', async () => {
    const answers = await guess('/scim/v2/Users', 195, '198.51.100.77', 'revoked');
    assert.equal(
      answers.findIndex(({ status }) => status === 429),
      191,
    );
  });

  it('count together when they come from one network of IPv6', async () => {
    const statuses: number[] = [];
    for (let count = 0; count < 21; count += 1)
      statuses.push((await ask('/api/v1/apps', `guess-${count}`, `2001:db8::${count}`)).status);
    assert.deepEqual([statuses.indexOf(429), statuses.lastIndexOf(401)], [20, 19]);
  });

  it('count together when the proxy names a port beside the address, another for each connection', async () => {
    for (const client of ['198.51.100.90', '[2001:db8:90::1]']) {
      const statuses: number[] = [];
      for (let count = 0; count < 21; count += 1)
        statuses.push((await ask('/api/v1/apps', `guess-${count}`, `${client}:${40_000 + count}`)).status);
      assert.deepEqual([statuses.indexOf(429), statuses.lastIndexOf(401)], [20, 19], client);
    }
  });

  it('are counted by the peer where no proxy is trusted: nobody escapes by a header', async () => {
    const bare = await startGateway(await freshStorage('embedded'));
    try {
      const statuses: number[] = [];
      for (let count = 0; count < 21; count += 1) {
        const headers = { authorization: `Bearer guess-${count}`, 'x-forwarded-for': `198.51.100.${count}` };
        statuses.push((await fetch(`${bare.base}/api/v1/apps`, { headers })).status);
      }
      assert.equal(statuses.at(-1), 429);
    } finally {
      await bare.close();
    }
  });
});

describe('the count of wrong tokens', () => {
  const log = makeLog('silent');
  const from = (ip: string): never => {
    const request = { ip, headers: {} } as never;
    giveContext(log, request);
    return request;
  };
  const lock = (attempts: ReturnType<typeof makeAttempts>, ip: string): void => {
    for (let count = 0; count < 20; count += 1) attempts.note(from(ip), hashToken(`${count}`));
    assert.throws(() => attempts.note(from(ip), hashToken('x')), { reason: 'too-many-tries', retryAfterMs: 60_000 });
  };

  it('begins anew after the minute', () => {
    let now = 0;
    const attempts = makeAttempts(() => now);
    lock(attempts, '192.0.2.1');
    now = 59_999;
    assert.throws(() => attempts.note(from('192.0.2.1'), hashToken('x')), { retryAfterMs: 1 });
    now = 60_000;
    attempts.note(from('192.0.2.1'), hashToken('x'));
  });

  it('forgets the oldest of ten thousand addresses, and no newer one', () => {
    const attempts = makeAttempts(() => 0);
    lock(attempts, '192.0.2.1');
    lock(attempts, '192.0.2.2');
    for (let count = 0; count < 9_999; count += 1)
      attempts.note(from(`10.1.${count >> 8}.${count & 255}`), hashToken('x'));
    assert.throws(() => attempts.note(from('::ffff:192.0.2.2'), hashToken('x')), { reason: 'too-many-tries' });
    attempts.note(from('192.0.2.1'), hashToken('x'));
  });
});
