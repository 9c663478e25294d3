import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { it } from 'node:test';
import { makeAuthenticator } from '#http/auth.ts';
import { hashToken } from '#platform/token.ts';

const request = { headers: { authorization: 'Bearer sluice_token' } } as IncomingMessage;
const TOKEN = { id: '1', app_id: null, name: '', scopes: [], expires_at: null, scope: null, user_id: null };

it('forgets a token that was revoked on another replica within five seconds, also when the clock is set back', async () => {
  let isRevoked = false;
  let wall = Date.parse('2027-01-01T12:00Z');
  let elapsed = 0;
  const authenticator = makeAuthenticator({
    find: async () => (isRevoked ? undefined : TOKEN),
    touch: async () => undefined,
    now: () => wall,
    elapsed: () => elapsed,
  });
  await authenticator.authenticate(request);
  isRevoked = true;
  wall -= 3_600_000;
  elapsed += 4_999;
  assert.equal(authenticator.recall(request)?.tokenId, '1');
  elapsed += 1;
  await assert.rejects(authenticator.authenticate(request));
});

it('does not keep what it asked for before a token was revoked here', async () => {
  let isRevoked = false;
  const asked = Promise.withResolvers<void>();
  const authenticator = makeAuthenticator({
    async find() {
      const found = isRevoked ? undefined : TOKEN;
      await asked.promise;
      return found;
    },
    touch: async () => undefined,
    now: () => 0,
    elapsed: () => 0,
  });
  const under = authenticator.authenticate(request);
  isRevoked = true;
  authenticator.forget(hashToken('sluice_token'));
  asked.resolve();
  await under;
  assert.equal(authenticator.recall(request), undefined);
  await assert.rejects(authenticator.authenticate(request));
  assert.equal(await authenticator.isStillGood(request), false);
});

it('keeps no header that is longer than any token: it would keep as many as there are', async () => {
  let asked = 0;
  const authenticator = makeAuthenticator({
    find: async () => {
      asked += 1;
      return TOKEN;
    },
    touch: async () => undefined,
    now: () => 0,
    elapsed: () => 0,
  });
  const padded = { headers: { authorization: `Bearer ${' '.repeat(600)}sluice_token` } } as IncomingMessage;
  for (const one of [padded, padded, request, request]) await authenticator.authenticate(one);
  assert.equal(asked, 3);
});

it('does not take a token that has expired, although it was good a moment ago', async () => {
  let wall = Date.parse('2027-01-01T12:00Z');
  const authenticator = makeAuthenticator({
    find: async () => ({ ...TOKEN, expires_at: new Date(wall + 1_000) }),
    touch: async () => undefined,
    now: () => wall,
    elapsed: () => 0,
  });
  await authenticator.authenticate(request);
  wall += 1_000;
  assert.equal(authenticator.recall(request), undefined);
});
