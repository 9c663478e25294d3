// Conversations that the clients of identity providers document or send, replayed against a whole gateway: test/replay/<client>/*.json.
// Each is played twice: where its writes make manual entries, and where they are those of the active provider `scim`.
// A file is one conversation: its steps follow each other and may use what earlier answers gave. `${name}` in a path, a
// header or a body, asked or expected, is what a step saved under that name; `${index}` counts a step that has `times`.
// What is expected is a part: objects may have more, an array has exactly the elements, in any order. `absent` and `save`
// take JSON Pointers (RFC 6901), because attribute names contain dots; absent is also an empty array.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { z } from 'zod';
import { GATEWAY_SCHEMA } from '#core/resource.ts';
import { eachDatabase } from '../support/database.ts';
import { expectStatus, freshStorage, startGateway, sync, type TestGateway } from '../support/gateway.ts';

const FOLDER = join(import.meta.dirname, '../replay');

const Step = z.strictObject({
  times: z.int().positive().default(1),
  request: z.strictObject({
    method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
    path: z.string().startsWith('/'),
    headers: z.record(z.string(), z.string()).default({}),
    body: z.json().optional(),
  }),
  expect: z.strictObject({
    /** One status, or those that the client takes alike. */
    status: z.union([z.int(), z.array(z.int()).min(1)]),
    body: z.json().optional(),
    absent: z.array(z.string()).default([]),
    save: z.record(z.string(), z.string()).default({}),
  }),
});
const Conversation = z.strictObject({
  title: z.string(),
  client: z.string(),
  source: z.url(),
  steps: z.array(Step).min(1),
});

type Json = z.infer<ReturnType<typeof z.json>>;
type Step = z.infer<typeof Step>;
type Names = Map<string, string>;

const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.json'))
  .sort();

for (const pushed of [false, true])
  eachDatabase(`SCIM replay ${pushed ? 'by the active provider' : 'by hand'}`, (_open, kind) => {
    let gateway: TestGateway;
    let token: string;

    before(async () => {
      gateway = await startGateway(await freshStorage(kind));
      const app = await expectStatus(
        gateway.call<{ id: string }>('POST', '/api/v1/apps', { name: 'Identity provider' }),
        201,
      );
      const made = gateway.call<{ token: string }>('POST', `/api/v1/apps/${app.body.id}/tokens`, {
        scopes: ['scim:write'],
      });
      token = (await expectStatus(made, 201)).body.token;
      if (!pushed) return;
      // All conversations together take away more than the guard lets pass within an hour.
      await expectStatus(gateway.call('PUT', '/api/v1/guard', { enabled: false }), 200);
      await expectStatus(gateway.call('PUT', '/api/v1/providers/scim', {}), 200);
      await expectStatus(gateway.call('POST', '/api/v1/providers/scim/activate', {}), 200);
    });
    after(() => gateway?.close());

    for (const file of files) {
      const { title, client, steps } = Conversation.parse(JSON.parse(readFileSync(join(FOLDER, file), 'utf8')));
      it(`${client}: ${title} (${file})`, async () => {
        const names: Names = new Map();
        for (const [position, step] of steps.entries())
          for (let index = 0; index < step.times; index += 1) {
            names.set('index', String(index));
            await play(step, names, `${file}, step ${position + 1}`);
          }
      });
    }

    if (pushed)
      it('leaves nothing to do for a run that looks at everything again', async () => {
        await expectStatus(gateway.call('PUT', '/api/v1/providers/scim', { scope: { filter: 'userName pr' } }), 200);
        const { body } = await expectStatus(
          gateway.call<{ totalResults: number; Resources: Record<string, { origin?: string }>[] }>(
            'GET',
            '/scim/v2/Users?count=100',
          ),
          200,
        );
        assert.ok(body.totalResults > 0);
        for (const user of body.Resources) assert.equal(user[GATEWAY_SCHEMA]?.origin, 'scim');
        const run = await sync(gateway);
        assert.equal(run.status, 'succeeded');
        assert.deepEqual(run.counts, {});
      });

    async function play(step: Step, names: Names, place: string): Promise<void> {
      const { method, path, headers, body } = fill(step.request, names);
      const where = `${place}: ${method} ${path}`;
      const response = await fetch(`${gateway.base}/scim/v2${path}`, {
        method,
        headers: {
          accept: 'application/scim+json',
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/scim+json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const expected = fill(step.expect, names);
      assert.ok([expected.status].flat().includes(response.status), `${where} is ${response.status}: ${text}`);
      const answer: Json = text === '' ? null : JSON.parse(text);
      if (expected.body !== undefined) assertPart(answer, expected.body, where);
      for (const pointer of expected.absent) {
        const value = at(answer, pointer);
        assert.ok(
          value === undefined || (Array.isArray(value) && value.length === 0),
          `${where}: ${pointer} is ${JSON.stringify(value)}`,
        );
      }
      for (const [name, pointer] of Object.entries(expected.save)) {
        const value = at(answer, pointer);
        assert.ok(typeof value === 'string', `${where}: there is no text at ${pointer}`);
        names.set(name, value);
      }
    }
  });

/** The same with every `${name}` put in. */
function fill<Value>(value: Value, names: Names): Value {
  const text = JSON.stringify(value).replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
    const known = names.get(name);
    assert.ok(known !== undefined, `no step before this one saved "${name}"`);
    return JSON.stringify(known).slice(1, -1);
  });
  return JSON.parse(text);
}

function assertPart(actual: Json | undefined, part: Json, where: string): void {
  if (Array.isArray(part)) {
    assert.ok(Array.isArray(actual), `${where} is ${JSON.stringify(actual)}, expected ${JSON.stringify(part)}`);
    assert.equal(actual.length, part.length, `${where} has other elements: ${JSON.stringify(actual)}`);
    const left = [...actual];
    for (const item of part) {
      const found = left.findIndex((candidate) => isPart(candidate, item));
      assert.ok(found >= 0, `${where} has nothing like ${JSON.stringify(item)}: ${JSON.stringify(actual)}`);
      left.splice(found, 1);
    }
  } else if (typeof part === 'object' && part !== null) {
    for (const [name, value] of Object.entries(part)) assertPart(member(actual, name), value, `${where}, ${name}`);
  } else assert.deepEqual(actual, part, where);
}

function isPart(actual: Json, part: Json): boolean {
  try {
    assertPart(actual, part, '');
    return true;
  } catch (error) {
    if (error instanceof assert.AssertionError) return false;
    throw error;
  }
}

/** The value at a JSON Pointer, or undefined. */
function at(value: Json, pointer: string): Json | undefined {
  let found: Json | undefined = value;
  for (const name of pointer.split('/').slice(1))
    found = member(found, name.replaceAll('~1', '/').replaceAll('~0', '~'));
  return found;
}

function member(value: Json | undefined, name: string): Json | undefined {
  if (Array.isArray(value)) return value[Number(name)];
  return typeof value === 'object' && value !== null ? value[name] : undefined;
}
