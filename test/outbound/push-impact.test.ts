import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { USER } from '../support/downstream/schema.ts';
import { type Service, startService } from '../support/downstream/service.ts';
import { freshStorage, startGateway, type TestGateway } from '../support/gateway.ts';
import { problemsOf } from '../support/openapi.ts';

interface Impact {
  readonly removals: number;
  readonly counts: Record<'User' | 'Group', Record<string, number>>;
  readonly examples: readonly { readonly name: string; readonly impact: string; readonly attributes: string[] }[];
}

describe('the impact of a change of a push target, before it is saved', () => {
  let api: TestGateway;
  let service: Service;
  let id: string;

  before(async () => {
    service = await startService({}, () => 1);
    api = await startGateway({ ...(await freshStorage('embedded')), ALLOW_LOOPBACK_WEBHOOKS: 'true' });
    for (const [userName, userType] of [
      ['ada', 'Employee'],
      ['bob', 'Employee'],
      ['eve', 'Guest'],
    ])
      await call('POST', '/scim/v2/Users', 201, { schemas: [USER], userName, userType, active: true });
    const push = { baseUrl: service.base, auth: service.auth, guard: null };
    const scope = { userFilter: 'userType eq "Employee"' };
    id = (await call<{ id: string }>('POST', '/api/v1/apps', 201, { name: 'Wiki', scope, push })).id;
    while (service.resources('User').length < 2) await new Promise((resolve) => setTimeout(resolve, 50));
    for (let isOpen = true; isOpen; ) {
      const { deliveries } = await call<{ deliveries: Record<string, number> }>('GET', `/api/v1/apps/${id}/push`, 200);
      isOpen = (deliveries['pending'] ?? 0) + (deliveries['sending'] ?? 0) > 0;
    }
  });
  after(async () => {
    await api?.close();
    await service?.close();
  });

  async function call<Body>(method: string, path: string, status: number, body?: unknown): Promise<Body> {
    const answer = await api.call<Body>(method, path, body);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async function impact(body: object): Promise<Impact> {
    const path = `/apps/${id}/push/impact`;
    const found = await call<Impact>('POST', `/api/v1${path}`, 200, body);
    assert.deepEqual(problemsOf('POST', path, 200, found), []);
    return found;
  }

  it('tells who would come, go and change, and sends nothing', async () => {
    service.books.takeWrites();
    const moved = await impact({ scope: { userFilter: 'userName eq "eve" or userName eq "ada"' } });
    const { created, deactivated, unchanged } = moved.counts.User;
    assert.deepEqual([created, deactivated, unchanged, moved.removals], [1, 1, 1, 1]);
    assert.deepEqual(moved.examples.map(({ name, impact: kind }) => `${name} ${kind}`).sort(), [
      'bob deactivated',
      'eve created',
    ]);
    const push = { baseUrl: service.base, mapping: { User: [{ to: 'title', value: 'Colleague' }] } };
    const mapped = await impact({ push: { ...push, auth: service.auth } });
    assert.equal(mapped.counts.User['updated'], 2);
    assert.deepEqual(mapped.examples[0]?.attributes, ['title']);
    assert.equal((await impact({})).counts.User['unchanged'], 2);
    assert.deepEqual(service.books.takeWrites(), []);
  });

  it('is not saved when it takes more away than was agreed to', async () => {
    const scope = { userFilter: 'userName eq "ada"' };
    const refused = await call<{ code?: string; reason?: string }>('PATCH', `/api/v1/apps/${id}?removals=0`, 409, {
      scope,
    });
    assert.match(JSON.stringify(refused), /removals-changed/);
    await call('PATCH', `/api/v1/apps/${id}?removals=1`, 200, { scope });
  });
});
