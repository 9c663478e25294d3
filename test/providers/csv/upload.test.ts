// Files that are uploaded through the API, from the bytes to what SCIM serves.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { checkedCall, listAll } from '../../support/checked.ts';
import { postgresMissing } from '../../support/database.ts';
import {
  ADMIN_TOKEN,
  approve,
  freshStorage,
  type RunBody,
  startGateway,
  sync,
  type TestGateway,
  untilOver,
} from '../../support/gateway.ts';
import { problemsOf } from '../../support/openapi.ts';

for (const kind of ['embedded', 'postgres'] as const)
  describe(`an upload on ${kind}`, { skip: kind === 'postgres' && postgresMissing }, () => {
    let gateway: TestGateway;
    const call = checkedCall(() => gateway);
    before(async () => {
      gateway = await startGateway(await freshStorage(kind));
    });
    after(() => gateway.close());

    const send = async (body: RequestInit['body'], headers: Record<string, string> = {}, query = '') => {
      const response = await fetch(`${gateway.base}/api/v1/providers/csv/upload${query}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...headers },
        body: body ?? null,
      });
      const answer = (await response.json()) as { id?: string; code?: string; runId?: string | null };
      assert.deepEqual(problemsOf('POST', '/providers/csv/upload', response.status, answer), []);
      return { status: response.status, ...answer };
    };
    const CSV = { 'content-type': 'text/csv' };
    const names = async () => {
      const { body } = await gateway.call<{ Resources: { userName: string; active: boolean }[] }>(
        'GET',
        '/scim/v2/Users?sortBy=userName',
      );
      return body.Resources.map(({ userName, active }) => `${userName}${active ? '' : ' (inactive)'}`);
    };

    it('can be looked at before anything is saved', async () => {
      assert.equal((await call<{ id: null }>('GET', '/providers/csv/upload', 200)).id, null);
      assert.equal((await send('id,userName,Abteilung\nu1,kim,Sales\nu2,lee\n', CSV)).status, 201);
      const preview = await call<{ files: Record<string, unknown>[]; resources: { outcome: object }[] }>(
        'POST',
        '/providers/csv/preview?rows=2',
        200,
        { source: { kind: 'upload' } },
      );
      assert.deepEqual(preview.files[0]?.['columns'], [
        { heading: 'id', name: 'id' },
        { heading: 'userName', name: 'userName' },
        { heading: 'Abteilung', name: 'department' },
      ]);
      assert.deepEqual(preview.files[0]?.['rows'], [
        { line: 2, cells: ['u1', 'kim', 'Sales'], problem: null },
        { line: 3, cells: ['u2', 'lee'], problem: '2 cells where the header has 3' },
      ]);
      assert.equal('skip' in (preview.resources[1]?.outcome ?? {}), true);
    });

    it('is read whole, in all its files', async () => {
      const form = new FormData();
      form.set('users', new Blob(['id,userName,Rang,Rolle im Team\nu1,kim,1,a\nu2,lee,2,b\n']), 'people.csv');
      form.set('groups', new Blob(['id,displayName\ng1,Sales\n']), 'groups.csv');
      form.set('memberships', new Blob(['group,member\ng1,u1\n']), 'members.csv');
      assert.equal((await send(form)).status, 201);
      await call('PUT', '/providers/csv', 200, { initialRun: 'manual' });
      const fields = async (prefix: string) => {
        const path = `/providers/csv/source/fields?prefix=${prefix}`;
        const { items } = await call<{ items: { name: string; operators: string[] }[] }>('GET', path, 200);
        return items.map(({ name, operators }) => `${name} ${operators.length > 0}`);
      };
      assert.deepEqual(await fields('r'), ['region true', 'Rang true', 'Rolle im Team false']);
      await call('POST', '/providers/csv/activate', 200, {});
      const checks = await call<{ ok: boolean; checks: { detail: string }[] }>('POST', '/providers/csv/test', 200);
      assert.equal(checks.ok, true, JSON.stringify(checks));
      let run = await sync(gateway);
      if (run.status === 'held') run = await approve(gateway, run.planId);
      assert.equal(run.status, 'succeeded');
      assert.deepEqual(await names(), ['kim', 'lee']);
      const { body } = await gateway.call<{ Resources: { displayName: string; members: { display: string }[] }[] }>(
        'GET',
        '/scim/v2/Groups',
      );
      assert.deepEqual(
        body.Resources.map(({ displayName, members }) => [displayName, members.length]),
        [['Sales', 1]],
      );
    });

    it('with a bad line lists it, brings what it can, and removes nobody', async () => {
      await send('id,userName\nu3,cho\n"u4"\n', CSV);
      const run = await sync(gateway);
      assert.equal(run.status, 'incomplete');
      assert.equal(run.error?.code, 'bad-lines');
      assert.deepEqual(await names(), ['cho', 'kim', 'lee']);
      const changes = await listAll<{ reason: string; detail: string | null }>(
        call,
        `/sync-runs/${run.id}/changes?outcome=skipped`,
      );
      assert.ok(
        changes.some(({ reason, detail }) => reason === 'BadLine' && /users.csv, line 3: 1 cells/.test(detail ?? '')),
        JSON.stringify(changes),
      );
    });

    it('starts a run of itself when it is told to, and who is gone leaves', async () => {
      const { runId } = await send('id,userName\nu1,kim\nu3,cho\n', CSV, '?sync=true');
      let run: RunBody = await untilOver(gateway, runId ?? '');
      if (run.status === 'held') run = await approve(gateway, run.planId);
      assert.equal(run.status, 'succeeded');
      assert.deepEqual(await names(), ['cho', 'kim', 'lee (inactive)']);
    });

    it('that is the same as before ends a run at once', async () => {
      const first = (await sync(gateway, { mode: 'full' })) as RunBody & { mode: string };
      assert.equal(first.status, 'succeeded');
      const same = (await sync(gateway, { mode: 'incremental' })) as RunBody & {
        mode: string;
        cost: { bytes: number };
      };
      assert.deepEqual([same.status, same.mode, same.cost.bytes], ['succeeded', 'incremental', 0]);
      await send('id,userName\nu1,kim\nu3,cho\nu5,new\n', CSV);
      const other = (await sync(gateway, { mode: 'incremental' })) as RunBody & { mode: string };
      assert.deepEqual([other.status, other.mode], ['succeeded', 'full']);
      assert.deepEqual(await names(), ['cho', 'kim', 'lee (inactive)', 'new']);
      // The same file, of which the settings say something else.
      const settings = await call<Record<string, unknown>>('GET', '/providers/csv', 200);
      await call('PUT', '/providers/csv', 200, { ...settings, columns: { separator: '|' } });
      const otherwise = (await sync(gateway, { mode: 'incremental' })) as RunBody & { mode: string };
      assert.deepEqual([otherwise.status, otherwise.mode], ['succeeded', 'full']);
    });

    it('is left by nobody through a filter whose impact nobody has seen', async () => {
      const path = '/providers/csv';
      const settings = await call<Record<string, unknown>>('GET', path, 200);
      const narrower = { ...settings, scope: { filter: 'userName eq "kim"' } };
      const seen = await call<{ code: string; planId: string; removals: object }>('PUT', path, 409, narrower);
      assert.deepEqual([seen.code, seen.removals], ['impact-plan-required', { users: 2, groups: 0, memberships: 0 }]);
      assert.equal((await call<{ scope: { filter: string } }>('GET', path, 200)).scope.filter, '');
      await call('PUT', `${path}?confirmImpact=${seen.planId}`, 200, narrower);
      await call('PUT', path, 200, settings);
    });

    it('that is cut off leaves the one before', async () => {
      const latest = await call<{ id: string }>('GET', '/providers/csv/upload', 200);
      const { port } = new URL(gateway.base);
      await new Promise<void>((resolve) => {
        const request = httpRequest({
          port,
          method: 'POST',
          path: '/api/v1/providers/csv/upload',
          headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...CSV, 'content-length': 1_000_000 },
        });
        request.once('error', () => resolve());
        request.write('id,userName\nu9,ghost\n', () => request.destroy());
      });
      assert.equal((await call<{ id: string }>('GET', '/providers/csv/upload', 200)).id, latest.id);
      const boundary = 'x';
      const cut = `--${boundary}\r\ncontent-disposition: form-data; name="users"; filename="u.csv"\r\n\r\nid,userName\r\nu9,gh`;
      const answer = await send(cut, { 'content-type': `multipart/form-data; boundary=${boundary}` });
      assert.deepEqual([answer.status, answer.code], [400, 'upload-cut-off']);
      const endless = await send(cut, { 'content-type': 'multipart/form-data' });
      assert.deepEqual([endless.status, endless.code], [400, 'upload-cut-off']);
      assert.equal((await call<{ id: string }>('GET', '/providers/csv/upload', 200)).id, latest.id);
    });

    it('says what it does not take', async () => {
      assert.deepEqual((await send('{}', { 'content-type': 'application/json' })).code, 'unsupported-media-type');
      const latest = await call<{ id: string }>('GET', '/providers/csv/upload', 200);
      const packed = await send('id,userName\n', { ...CSV, 'content-encoding': 'gzip' });
      assert.deepEqual([packed.status, packed.code], [415, 'unsupported-media-type']);
      assert.equal((await call<{ id: string }>('GET', '/providers/csv/upload', 200)).id, latest.id);
      const form = new FormData();
      form.set('people', new Blob(['id,userName\n']), 'people.csv');
      assert.equal((await send(form)).code, 'field-unknown');
      const groups = new FormData();
      groups.set('groups', new Blob(['id\n']), 'groups.csv');
      assert.equal((await send(groups)).code, 'users-missing');
      const content = 'id,userName\nu1,kim\n';
      const digest = (text: string) => `sha-256=:${createHash('sha256').update(text).digest('base64')}:`;
      const wrong = await send(content, { ...CSV, 'content-digest': digest('other') });
      assert.deepEqual([wrong.status, wrong.code], [400, 'digest-mismatch']);
      assert.equal((await send(content, { ...CSV, 'content-digest': digest(content) })).status, 201);
    });
  });
