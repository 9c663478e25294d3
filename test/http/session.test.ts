import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import express from 'express';
import request from 'supertest';
import { ForbiddenError } from '#core/errors.ts';
import { type Authenticator, requireAdmin, requireScope } from '#http/auth.ts';
import { keepSignIn, keptSignIn, requireIdentity, type Session } from '#http/session.ts';

const NOW = Date.parse('2026-11-26T12:00:00Z');
const MINUTE_MS = 60_000;

function appFor(signedInMinutesAgo: number, isSecure = false, guard = requireScope('admin', 'operator')) {
  const session: Session = {
    id: 's',
    token_id: 't',
    subject: null,
    name: 'Hana',
    role: 'admin',
    method: 'token',
    signed_in_at: new Date(NOW - signedInMinutesAgo * MINUTE_MS),
    expires_at: new Date(NOW + MINUTE_MS),
  };
  const touched: string[] = [];
  const lookup = {
    find: async () => session,
    touch: async (id: string) => {
      touched.push(id);
    },
    now: () => NOW,
    isSecure: () => isSecure,
  };
  const app = express();
  app.use(requireIdentity({} as Authenticator, lookup), guard, (_request, response) => {
    response.json({});
  });
  const refuse: express.ErrorRequestHandler = (error, _request, response, _next) => {
    response.status(error instanceof ForbiddenError ? 403 : 500).json({ code: error.reason ?? String(error) });
  };
  app.use(refuse);
  return { app, touched };
}

const OURS = { cookie: 'sluice=x', 'sec-fetch-site': 'same-origin', 'x-requested-with': 'console' };

describe('the cookie of a session', () => {
  it('is bound to this host where we are reached by https: another host of the domain can set any other', async () => {
    const { app } = appFor(1, true);
    assert.equal(
      (
        await request(app)
          .get('/x')
          .set({ ...OURS, cookie: '__Host-sluice=x' })
      ).status,
      200,
    );
    assert.notEqual((await request(app).get('/x').set(OURS)).status, 200);
  });
});

describe('the cookie of a sign-in under way', () => {
  it('is bound to this host as that of a session is, and no other is taken', async () => {
    for (const [secure, cookie] of [
      [true, '__Host-sluice-sign-in=kept; Max-Age=600; Path=/; Expires=…; HttpOnly; Secure; SameSite=Lax'],
      [false, 'sluice-sign-in=kept; Max-Age=600; Path=/api/v1/sign-in; Expires=…; HttpOnly; SameSite=Lax'],
    ] as const) {
      const app = express()
        .get('/start', (_request, response) => {
          keepSignIn(response, 'kept', secure);
          response.end();
        })
        .get('/finish', (asked, response) => {
          response.json({ kept: keptSignIn(asked, secure) ?? null });
        });
      const { headers } = await request(app).get('/start');
      assert.equal(String(headers['set-cookie']).replace(/Expires=[^;]+/, 'Expires=…'), cookie);
      const taken = async (name: string): Promise<unknown> =>
        (
          await request(app)
            .get('/finish')
            .set({ cookie: `${name}=kept` })
        ).body.kept;
      assert.equal(await taken('__Host-sluice-sign-in'), secure ? 'kept' : null);
      assert.equal(await taken('sluice-sign-in'), secure ? null : 'kept');
    }
  });
});

describe('a change of administrators', () => {
  const CHANGES = [
    ['put', '/providers/microsoft365'],
    ['delete', '/providers/microsoft365'],
    ['post', '/providers/csv/activate'],
    ['put', '/guard'],
    ['post', '/apps/a/tokens'],
    ['put', '/GUARD/'],
    // Routes decode what they are asked for.
    ['put', '/providers/microsoft36%35'],
    ['post', '/providers/c%73v/activate'],
    ['put', '/%67uard'],
    ['patch', '/apps/a'],
  ] as const;

  for (const [method, path] of CHANGES)
    it(`is refused 15 minutes after the sign-in, and not before: ${method} ${path}`, async () => {
      assert.equal(
        (
          await request(appFor(15, false, requireAdmin()).app)
            [method](path)
            .set(OURS)
        ).status,
        200,
      );
      const late = await request(appFor(16, false, requireAdmin()).app)
        [method](path)
        .set(OURS);
      assert.deepEqual([late.status, late.body.code], [403, 'step-up-required']);
    });

  it('is no change of others, and no reading', async () => {
    const admin = appFor(100, false, requireAdmin()).app;
    for (const method of ['get', 'head'] as const)
      assert.equal((await request(admin)[method]('/providers/microsoft365').set(OURS)).status, 200);
    assert.equal((await request(appFor(100).app).post('/sync-runs').set(OURS)).status, 200);
    const looks = appFor(100, false, requireAdmin({ changes: false })).app;
    assert.equal((await request(looks).post('/diagnostics').set(OURS)).status, 200);
  });
});

describe('the idle time of a session', () => {
  it('begins anew with what a person does, and not with an open stream', async () => {
    const { app, touched } = appFor(1);
    await request(app).get('/events').set(OURS);
    assert.deepEqual(touched, []);
    await request(app).get('/apps').set(OURS);
    assert.deepEqual(touched, ['s']);
  });
});
