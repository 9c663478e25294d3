// Delta queries as Graph answers them, oddities included.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CheckpointExpiredError, UpstreamError } from '#core/errors.ts';
import type { ChangePage, Checkpoint } from '#core/pages.ts';
import type { GraphUser } from '#providers/microsoft365/map/records.ts';
import { mergeDelta } from '#providers/microsoft365/read/delta.ts';
import { type Asked, openProvider, type Said, settingsFor, startScripted } from './support.ts';

const never = new AbortController().signal;
const TENANT = 'contoso.example';

/** Reads changes from these links against scripted pages, to the end or the first error. */
async function read(answer: (asked: Asked, origin: string) => Said, links = { users: '/u', groups: '/g' }) {
  const graph = await startScripted(answer);
  const pages: ChangePage[] = [];
  try {
    const { provider } = openProvider(settingsFor(graph, TENANT));
    const whole = { users: `${graph.origin}/v1.0${links.users}`, groups: `${graph.origin}/v1.0${links.groups}` };
    for await (const page of provider.changes?.pages(JSON.stringify(whole) as Checkpoint, never) ?? [])
      pages.push(page);
    return { pages, asked: graph.asked, error: undefined };
  } catch (error) {
    return { pages, asked: graph.asked, error };
  } finally {
    await graph.close();
  }
}

const last = (origin: string, value: readonly object[] = []): Said => ({
  body: { '@odata.deltaLink': `${origin}/v1.0/next`, value },
});

describe('a delta query', () => {
  it('follows links as they are, and keeps each as the place to go on from', async () => {
    const odd = '/users/delta?$skiptoken=a%2Bb&$deltatoken=Z%20';
    const { pages, asked } = await read((one, origin) => {
      if (one.url.endsWith('/u')) return { body: { '@odata.nextLink': `${origin}/v1.0${odd}`, value: [] } };
      return last(origin);
    });
    assert.deepEqual(
      asked.map(({ url }) => url),
      ['/v1.0/u', `/v1.0${odd}`, '/v1.0/g'],
    );
    const places = pages.flatMap((page) => (page.type === 'reached' ? JSON.parse(page.checkpoint) : []));
    assert.deepEqual(
      places.map(({ midway }) => midway),
      ['users', undefined, undefined],
    );
    assert.ok(places[0].users.endsWith(odd));
    assert.equal(pages.at(-1)?.type, 'end');
  });

  it('asks for a full read when its token is known no more, in whatever words', async () => {
    const answers: Said[] = [
      {
        status: 410,
        headers: { location: 'https://x/delta?$deltatoken=' },
        body: { error: { code: 'resyncRequired' } },
      },
      { status: 410, body: '' },
      { status: 400, body: { error: { code: 'SyncStateNotFound', message: 'expired' } } },
      { status: 404, body: { error: { code: 'syncStateNotFound' } } },
      { status: 400, body: { error: { code: 'Directory_ExpiredPageToken' } } },
      { status: 400, body: { error: { code: 'Request_BadRequest', message: 'The state token is invalid.' } } },
      { status: 404, body: { error: { code: 'itemNotFound' } } },
      {
        status: 409,
        body: {
          error: { code: 'generalException', innererror: { code: 'conflict', innerError: { code: 'resyncRequired' } } },
        },
      },
    ];
    for (const answer of answers) {
      const { error } = await read(() => answer);
      assert.ok(error instanceof CheckpointExpiredError, `${answer.status}: ${error}`);
    }
  });

  it('fails on pages that lead nowhere, instead of taking them for the end', async () => {
    const wrong: ((origin: string) => Said)[] = [
      () => ({ body: { value: [] } }),
      () => ({ body: { '@odata.deltaLink': 'here', value: [] } }),
      (origin) => ({ body: { '@odata.nextLink': `${origin}/v1.0/u`, value: [{ id: 'a' }] } }),
      () => ({ body: { '@odata.nextLink': 'https://elsewhere.example/v1.0/u', value: [] } }),
    ];
    for (const answer of wrong) {
      const { pages, error } = await read((_one, origin) => answer(origin));
      assert.ok(error instanceof UpstreamError && error.failure === 'source-incomplete', String(error));
      assert.equal(
        pages.some(({ type }) => type === 'end'),
        false,
      );
    }
  });

  it('is asked again for whom it calls deleted for good: in the recycle bin, or still there, they can come back', async () => {
    const users = ['binned', 'there', 'purged'].map((id) => ({ id, '@removed': { reason: 'deleted' } }));
    const here = ['/v1.0/directory/deletedItems/binned', '/v1.0/users/there'];
    for (const closed of [false, true]) {
      const { pages } = await read(({ url, body }, origin) => {
        const single = (asked: string): Said => {
          const path = asked.split('?')[0] ?? '';
          return here.includes(path) ? { body: { id: path.split('/').at(-1) } } : { status: 404, body: {} };
        };
        if (url.endsWith('/$batch')) {
          if (closed) return { status: 403, body: { error: { code: 'Authorization_RequestDenied' } } };
          const { requests } = JSON.parse(body) as { requests: { id: string; url: string }[] };
          return {
            body: { responses: requests.map(({ id, url: step }) => ({ id, status: 200, ...single(`/v1.0${step}`) })) },
          };
        }
        return url.includes('$select') ? single(url) : last(origin, url.endsWith('/u') ? users : []);
      });
      const gone = pages.flatMap((page) => (page.type === 'gone' ? page.objects : []));
      assert.deepEqual(
        gone.map(({ externalId, how }) => `${externalId} ${how}`),
        ['binned softDeleted', 'there softDeleted', 'purged hardDeleted'],
      );
    }
  });

  it('means the same object by an id in any letter case', async () => {
    const [ada, bob, group] = ['a', 'b', 'c'].map(
      (letter) => `${letter.repeat(8)}-1111-4222-8333-${letter.repeat(12)}`,
    );
    const upper = (id: string | undefined): string | undefined => id?.toUpperCase();
    const users = [
      { id: upper(ada), displayName: 'Ada', 'manager@delta': [{ id: upper(bob) }] },
      { id: upper(bob), '@removed': { reason: 'changed' } },
    ];
    const member = { '@odata.type': '#microsoft.graph.user', id: upper(ada) };
    const groups = [{ id: upper(group), 'members@delta': [member, { id: upper(bob), '@removed': {} }] }];
    const { pages } = await read((one, origin) => last(origin, one.url.endsWith('/u') ? users : groups));
    assert.deepEqual(
      pages.filter(({ type }) => type !== 'reached' && type !== 'end'),
      [
        {
          type: 'records',
          resourceType: 'User',
          records: [{ id: ada, displayName: 'Ada', 'manager@delta': [{ id: bob }] }],
        },
        { type: 'gone', resourceType: 'User', objects: [{ externalId: bob, how: 'softDeleted' }] },
        {
          type: 'memberChanges',
          changes: [{ group, added: [{ externalId: ada, type: 'User' }], skipped: [], removed: [bob] }],
        },
      ],
    );
  });

  it('tells changes, departures and members apart, and the later word on one object counts', async () => {
    const users = [
      { id: 'a', displayName: 'A' },
      { id: 'b', '@removed': { reason: 'changed' } },
      { id: 'c', '@removed': { reason: 'deleted' } },
      { id: 'd', '@removed': { reason: 'changed' } },
      { id: 'd', displayName: 'restored' },
    ];
    const member = (id: string, type: string, removed = false): object => ({
      '@odata.type': `#microsoft.graph.${type}`,
      id,
      ...(removed ? { '@removed': { reason: 'deleted' } } : {}),
    });
    const groups = [
      { id: 'g', 'members@delta': [member('a', 'user'), member('x', 'device'), member('b', 'user', true)] },
      { id: 'h', displayName: 'H', 'members@delta': [] },
    ];
    const { pages } = await read((one, origin) => last(origin, one.url.endsWith('/u') ? users : groups));
    assert.deepEqual(
      pages.filter(({ type }) => type !== 'reached' && type !== 'end'),
      [
        { type: 'gone', resourceType: 'User', objects: [{ externalId: 'd', how: 'softDeleted' }] },
        { type: 'records', resourceType: 'User', records: [users[0], users[4]] },
        {
          type: 'gone',
          resourceType: 'User',
          objects: [
            { externalId: 'b', how: 'softDeleted' },
            { externalId: 'c', how: 'hardDeleted' },
          ],
        },
        { type: 'records', resourceType: 'Group', records: [groups[1]] },
        {
          type: 'memberChanges',
          changes: [
            {
              group: 'g',
              added: [{ externalId: 'a', type: 'User' }],
              skipped: [{ externalId: 'x', objectType: 'device', reason: 'UnsupportedObjectType' }],
              removed: ['b'],
            },
          ],
        },
      ],
    );
  });

  it('takes the later word on one member, and asks for a full read rather than guess what an added one is', async () => {
    const member = (id: string, more: object = {}): object => ({ '@odata.type': '#microsoft.graph.user', id, ...more });
    const gone = { '@removed': { reason: 'deleted' } };
    const changes = [member('a'), member('a', gone), member('b', gone), member('b')];
    const answer = (members: readonly object[]) => (one: Asked, origin: string) =>
      last(origin, one.url.endsWith('/g') ? [{ id: 'g', 'members@delta': members }] : []);
    const { pages } = await read(answer(changes));
    assert.deepEqual(
      pages.flatMap((page) => (page.type === 'memberChanges' ? page.changes : [])),
      [{ group: 'g', added: [{ externalId: 'b', type: 'User' }], skipped: [], removed: ['a'] }],
    );
    for (const untyped of [{ id: 'c' }, { id: 'c', '@odata.type': '#microsoft.graph.directoryObject' }]) {
      const { pages: before, error } = await read(answer([untyped]));
      assert.ok(error instanceof CheckpointExpiredError);
      assert.ok(!before.some(({ type }) => type === 'memberChanges'));
    }
  });

  it('takes a group that went and is there again on one page for a new one, with none of its earlier members', async () => {
    const member = (id: string): object => ({ '@odata.type': '#microsoft.graph.user', id });
    const groups = [
      { id: 'g', displayName: 'Before', 'members@delta': [member('a'), member('b')] },
      { id: 'g', '@removed': { reason: 'changed' } },
      { id: 'g', displayName: 'After', 'members@delta': [member('b')] },
    ];
    const { pages } = await read((one, origin) => last(origin, one.url.endsWith('/g') ? groups : []));
    assert.deepEqual(
      pages.filter(({ type }) => type !== 'reached' && type !== 'end'),
      [
        { type: 'gone', resourceType: 'Group', objects: [{ externalId: 'g', how: 'softDeleted' }] },
        { type: 'records', resourceType: 'Group', records: [groups[2]] },
        {
          type: 'memberChanges',
          changes: [{ group: 'g', added: [{ externalId: 'b', type: 'User' }], skipped: [], removed: [] }],
        },
      ],
    );
  });

  it('says of whom it tells for the first time, and of a part only, what they are by asking for them', async () => {
    const steps: string[] = [];
    const graph = await startScripted(({ url, body }) => {
      if (!url.endsWith('/$batch')) return { status: 400, body: {} };
      const { requests } = JSON.parse(body) as { requests: { id: string; url: string }[] };
      const responses = requests.map(({ id, url: step }) => {
        steps.push(step.split('?')[0] ?? '');
        const user = { id: 'thin', userPrincipalName: 'thin@contoso.example', accountEnabled: false };
        return step.startsWith('/users/thin?') ? { id, status: 200, body: user } : { id, status: 404, body: {} };
      });
      return { body: { responses } };
    });
    try {
      const { provider } = openProvider(settingsFor(graph, TENANT));
      const changes = [
        { id: 'thin', jobTitle: 'Clerk' },
        { id: 'gone', 'manager@delta': [{ id: 'thin' }] },
        { id: 'whole', userPrincipalName: 'whole@contoso.example', accountEnabled: true },
      ];
      const found = await provider.changes?.whole?.('User', changes, never);
      assert.deepEqual(steps, ['/users/thin', '/users/gone']);
      assert.deepEqual(
        [...(found ?? [])].map(([id, user]) => [id, (user as GraphUser | undefined)?.accountEnabled]),
        [
          ['thin', false],
          ['gone', undefined],
        ],
      );
    } finally {
      await graph.close();
    }
  });

  it('guesses nobody of whom it tells a part, where Graph neither shows them nor says that there is none', async () => {
    const graph = await startScripted(({ body }) => {
      const { requests } = JSON.parse(body) as { requests: { id: string }[] };
      return { body: { responses: requests.map(({ id }) => ({ id, status: 403, body: {} })) } };
    });
    try {
      const { provider } = openProvider(settingsFor(graph, TENANT));
      const found = await provider.changes?.whole?.('User', [{ id: 'thin', jobTitle: 'Clerk' }], never);
      assert.deepEqual([...(found ?? [])], [['thin', undefined]]);
    } finally {
      await graph.close();
    }
  });

  it('says what others are whom it tells a part of, where Graph refuses one of them', async () => {
    const graph = await startScripted(({ body }) => {
      const { requests } = JSON.parse(body) as { requests: { id: string; url: string }[] };
      const responses = requests.map(({ id, url }) =>
        url.includes('/thin?') ? { id, status: 200, body: { id: 'thin' } } : { id, status: 403, body: {} },
      );
      return { body: { responses } };
    });
    try {
      const { provider } = openProvider(settingsFor(graph, TENANT));
      for (const [type, name] of [
        ['User', 'jobTitle'],
        ['Group', 'description'],
      ] as const) {
        const changes = ['refused', 'thin'].map((id) => ({ id, [name]: 'New' }));
        const found = [...((await provider.changes?.whole?.(type, changes, never)) ?? [])];
        assert.deepEqual(
          found.map(([id, record]) => [id, record === undefined]),
          [
            ['refused', true],
            ['thin', false],
          ],
          type,
        );
      }
    } finally {
      await graph.close();
    }
  });

  it('waits with those of whom it tells a part for a Graph that is busy, instead of counting them as nobody', async () => {
    const later = { 'retry-after': '3600' };
    const step = ({ body }: Asked): Said => {
      const { requests } = JSON.parse(body) as { requests: { id: string }[] };
      return { body: { responses: requests.map(({ id }) => ({ id, status: 429, body: {} })) } };
    };
    for (const answer of [() => ({ status: 429, headers: later }), step]) {
      const graph = await startScripted(answer);
      try {
        const { provider } = openProvider(settingsFor(graph, TENANT));
        const asking = provider.changes?.whole?.('User', [{ id: 'thin', jobTitle: 'Clerk' }], never);
        await assert.rejects(
          asking ?? assert.fail(),
          (error: unknown) => error instanceof UpstreamError && error.failure === 'throttled',
        );
      } finally {
        await graph.close();
      }
    }
  });

  it('is lived without where Graph does not give it: the full read stands by itself', async () => {
    for (const status of [400, 403, 404, 405, 410, 500, 501, 503]) {
      const graph = await startScripted(({ url }) =>
        url.includes('/delta') ? { status, body: { error: { code: 'Any' } } } : { body: { value: [] } },
      );
      try {
        const { provider } = openProvider(settingsFor(graph, TENANT));
        assert.deepEqual((await Array.fromAsync(provider.pages(never))).at(-1), { type: 'end' }, String(status));
      } finally {
        await graph.close();
      }
    }
  });

  it('begins where the first round ends, when Graph tells of everything instead of skipping it', async () => {
    const pages = 150;
    const graph = await startScripted(({ url }, origin) => {
      const page = Number(/[?&]page=(\d+)/.exec(url)?.[1] ?? 0);
      if (!url.includes('/users/delta')) return url.includes('/delta') ? last(origin) : { body: { value: [] } };
      const link = `${origin}/v1.0/users/delta?page=${page + 1}`;
      const value = [{ id: `${page}`, displayName: 'Somebody' }];
      return { body: { value, [page < pages ? '@odata.nextLink' : '@odata.deltaLink']: link } };
    });
    try {
      const { provider } = openProvider(settingsFor(graph, TENANT));
      const end = (await Array.fromAsync(provider.pages(never))).at(-1);
      assert.ok(end?.type === 'end' && end.checkpoint?.includes(`page=${pages + 1}`));
    } finally {
      await graph.close();
    }
  });

  it('begins before the full read, and tracks what the mapping reads, managers and members', async () => {
    const graph = await startScripted(({ url }, origin) =>
      url.includes('/delta') ? last(origin) : { body: { value: [] } },
    );
    try {
      const { provider } = openProvider(settingsFor(graph, TENANT));
      for await (const page of provider.pages(never)) if (page.type === 'end') assert.ok(page.checkpoint);
      const [users = '', groups = '', next = ''] = graph.asked.map(({ url }) => decodeURIComponent(url));
      assert.match(users, /^\/v1\.0\/users\/delta\?\$select=[^&]*accountEnabled[^&]*manager&\$deltatoken=latest$/);
      assert.match(groups, /^\/v1\.0\/groups\/delta\?\$select=[^&]*members&\$deltatoken=latest$/);
      assert.match(next, /^\/v1\.0\/users\?/);
    } finally {
      await graph.close();
    }
  });
});

describe('a change merged into what is known', () => {
  it('keeps what is absent, unsets what is null, and leaves annotations out', () => {
    const known = { id: 'a', displayName: 'A', department: 'Sales', manager: { id: 'm' } };
    const change = { id: 'a', department: null, '@odata.etag': 'x', 'members@delta': [] };
    assert.deepEqual(mergeDelta(known, change as never), {
      ...{ id: 'a', displayName: 'A', department: null, manager: { id: 'm' } },
    });
  });

  it('follows the manager, whatever the order in which coming and going are told', () => {
    const known = { id: 'a', manager: { id: 'old' } };
    const gone = (id: string): object => ({ id, '@removed': { reason: 'deleted' } });
    const managerAfter = (...list: object[]): unknown =>
      (mergeDelta(known, { id: 'a', 'manager@delta': list } as never) as { manager?: unknown }).manager;
    assert.deepEqual(managerAfter({ id: 'new' }, gone('old')), { id: 'new' });
    assert.deepEqual(managerAfter(gone('old'), { id: 'new' }), { id: 'new' });
    assert.equal(managerAfter(gone('old')), null);
    assert.deepEqual(managerAfter(gone('somebody else')), { id: 'old' });
  });
});
