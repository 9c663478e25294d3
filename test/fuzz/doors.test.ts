// Random requests to a running gateway: nothing is answered 5xx, and everything is answered.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import fc from 'fast-check';
import { anyJson, anyText, fuzz } from '../support/fuzz.ts';
import { ADMIN_TOKEN, freshStorage, startGateway, type TestGateway } from '../support/gateway.ts';

const RUNS = { runs: 120 };

describe('a gateway under random requests', () => {
  let api: TestGateway;
  let user = '';
  const failures: string[] = [];
  const note = (error: unknown): void => void failures.push(String(error));
  before(async () => {
    process.on('unhandledRejection', note);
    api = await startGateway(await freshStorage('embedded'));
    const made = await api.call<{ id: string }>('POST', '/scim/v2/Users', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName: 'ada',
    });
    user = made.body.id;
  });
  after(async () => {
    process.off('unhandledRejection', note);
    await api?.close();
    assert.deepEqual(failures, []);
  });

  async function ask(
    method: string,
    path: string,
    body?: string | Buffer,
    headers: Record<string, string> = {},
  ): Promise<void> {
    const response = await fetch(`${api.base}${path}`, {
      method,
      redirect: 'manual',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body }),
    });
    await response.arrayBuffer();
    assert.ok(response.status < 500 || response.status === 501, `${method} ${path}: ${response.status}`);
  }
  const encoded = (text: string): string => encodeURIComponent(text.toWellFormed());
  const noun = fc.constantFrom('Users', 'Groups');

  fuzz(
    'filters',
    fc.tuple(noun, anyText),
    ([type, filter]) => ask('GET', `/scim/v2/${type}?filter=${encoded(filter)}`),
    RUNS,
  );
  fuzz(
    'pages',
    fc.tuple(
      noun,
      fc.dictionary(
        fc.constantFrom('startIndex', 'count', 'cursor', 'sortBy', 'sortOrder', 'attributes', 'excludedAttributes'),
        anyText,
      ),
    ),
    ([type, query]) =>
      ask(
        'GET',
        `/scim/v2/${type}?${Object.entries(query)
          .map(([name, value]) => `${name}=${encoded(value)}`)
          .join('&')}`,
      ),
    RUNS,
  );
  fuzz(
    'PATCH',
    fc.oneof(
      anyJson,
      fc
        .array(
          fc.record(
            { op: fc.constantFrom('add', 'replace', 'remove'), path: anyText, value: anyJson },
            { requiredKeys: ['op'] },
          ),
          { maxLength: 3 },
        )
        .map((Operations) => ({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations })),
    ),
    (body) => ask('PATCH', `/scim/v2/Users/${user}`, JSON.stringify(body)),
    RUNS,
  );
  fuzz(
    'creates',
    fc.tuple(noun, anyJson),
    ([type, body]) => ask('POST', `/scim/v2/${type}`, JSON.stringify(body)),
    RUNS,
  );
  fuzz(
    'searches and bulk requests',
    fc.tuple(fc.constantFrom('.search', 'Bulk', 'Users/.search', 'SecurityEvents'), anyJson),
    ([path, body]) => ask('POST', `/scim/v2/${path}`, JSON.stringify(body)),
    RUNS,
  );
  fuzz(
    'notifications',
    fc.oneof(
      anyJson,
      fc
        .array(
          fc.record({ subscriptionId: anyText, clientState: anyText, lifecycleEvent: anyText }, { requiredKeys: [] }),
        )
        .map((value) => ({ value })),
    ),
    (body) => ask('POST', '/hooks/microsoft365', JSON.stringify(body)),
    RUNS,
  );
  fuzz(
    'validation of a subscription',
    anyText,
    (text) => ask('POST', `/hooks/microsoft365?validationToken=${encoded(text)}`),
    RUNS,
  );
  fuzz(
    'bodies of any bytes, compressed or not',
    fc.tuple(fc.uint8Array({ maxLength: 100 }), fc.constantFrom('identity', 'gzip', 'deflate', 'br', 'x')),
    async ([bytes, encoding]) => {
      for (const path of ['/api/v1/apps', '/scim/v2/Users', '/hooks/microsoft365'])
        await ask('POST', path, Buffer.from(bytes), { 'content-encoding': encoding });
    },
    RUNS,
  );
  fuzz(
    'settings',
    fc.tuple(
      fc.constantFrom(
        '/providers/microsoft365',
        '/providers/ldap',
        '/providers/csv',
        '/notifications',
        '/schedule',
        '/guard',
        '/retention',
        '/directory',
      ),
      anyJson,
    ),
    ([path, body]) => ask('PUT', `/api/v1${path}`, JSON.stringify(body)),
    RUNS,
  );
  fuzz(
    'questions to the admin API',
    fc.tuple(
      fc.constantFrom(
        'users',
        'groups',
        'sync-runs',
        'tasks',
        'audit',
        'changes',
        'changes/snapshot',
        'explain',
        'apps',
        'disputes',
        'overview',
        'costs',
      ),
      fc.dictionary(
        fc.constantFrom('limit', 'cursor', 'search', 'subject', 'after', 'state', 'months', 'filter'),
        anyText,
      ),
    ),
    ([path, query]) =>
      ask(
        'GET',
        `/api/v1/${path}?${Object.entries(query)
          .map(([name, value]) => `${name}=${encoded(value)}`)
          .join('&')}`,
      ),
    { runs: 250 },
  );
});
