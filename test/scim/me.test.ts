import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, it } from 'node:test';
import { eachDatabase } from '../support/database.ts';
import {
  groupBody,
  patchBody,
  type ScimError,
  type ScimResource,
  type ScimServer,
  startScim,
  userBody,
} from '../support/scim.ts';

eachDatabase('SCIM /Me', (open) => {
  let scim: ScimServer;
  let me: ScimResource;
  let mine: string;
  before(async () => {
    scim = await startScim(await open());
    const { id } = await scim.create('/Users', userBody({ title: 'Dr' }));
    await scim.create('/Groups', groupBody('Mine', [id]));
    me = (await scim.call('GET', `/Users/${id}`)).body;
    mine = await scim.makeToken({ scopes: ['scim:write'], userId: id });
  });
  after(() => scim?.close());

  const title = (value: string): object => patchBody({ op: 'replace', path: 'title', value });

  it('is 501 with the reason for a token that stands for nobody', async () => {
    for (const [method, body] of [
      ['GET'],
      ['PUT', userBody()],
      ['PATCH', title('x')],
      ['DELETE'],
      ['POST', userBody()],
    ] as const) {
      const answer = await scim.call<ScimError>(method, '/Me', body);
      assert.deepEqual([answer.status, answer.body.status], [501, '501'], method);
      assert.match(answer.body.detail, /stands for no user/);
    }
  });

  it('is the user that the token stands for, found where that user is', async () => {
    const answer = await scim.call('GET', '/Me', undefined, { token: mine });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body, me);
    assert.equal(answer.headers.get('etag'), me.meta.version);
    assert.equal(answer.headers.get('location'), me.meta.location);
    const cut = await scim.call('GET', '/Me?attributes=groups.display', undefined, { token: mine });
    assert.deepEqual(cut.body.groups, [{ display: 'Mine' }]);
    const known = await fetch(`${scim.base}/Me`, {
      headers: { authorization: `Bearer ${mine}`, 'if-none-match': me.meta.version },
    });
    assert.equal(known.status, 304);
  });

  it('is changed as that user is', async () => {
    const patched = await scim.call('PATCH', '/Me', title('Sir'), { token: mine });
    assert.deepEqual([patched.status, patched.body['title'], patched.body.id], [200, 'Sir', me.id]);
    const stale = await scim.call('PATCH', '/Me', title('x'), {
      token: mine,
      headers: { 'if-match': me.meta.version },
    });
    assert.equal(stale.status, 412);
    const put = await scim.call('PUT', '/Me', userBody({ userName: me.userName }), { token: mine });
    assert.deepEqual([put.status, put.body['title']], [200, undefined]);
    assert.deepEqual((await scim.call('GET', `/Users/${me.id}`)).body, put.body);
    const made = await scim.call('POST', '/Me', userBody(), { token: mine });
    assert.deepEqual([made.status, made.headers.get('allow')], [405, 'GET, HEAD, PUT, PATCH, DELETE']);
  });

  it('may only be read by a token that may only read, and not at all out of its scope', async () => {
    const readOnly = await scim.makeToken({ userId: me.id });
    assert.equal((await scim.call('GET', '/Me', undefined, { token: readOnly })).status, 200);
    assert.equal((await scim.call('PATCH', '/Me', title('x'), { token: readOnly })).status, 403);
    const elsewhere = await scim.makeToken({ userId: me.id, scope: { userFilter: 'userName eq "nobody"' } });
    assert.equal((await scim.call('GET', '/Me', undefined, { token: elsewhere })).status, 404);
  });

  it('is gone with the user', async () => {
    const nobody = await scim.makeToken({ scopes: ['scim:write'], userId: randomUUID() });
    assert.equal((await scim.call('GET', '/Me', undefined, { token: nobody })).status, 404);
    assert.equal((await scim.call('DELETE', '/Me', undefined, { token: mine })).status, 204);
    assert.equal((await scim.call('GET', '/Me', undefined, { token: mine })).status, 404);
    assert.equal((await scim.call('GET', `/Users/${me.id}`)).status, 404);
  });
});
