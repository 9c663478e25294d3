// What Graph says of objects by themselves, where a list may lag.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { UpstreamError } from '#core/errors.ts';
import { type Asked, openProvider, type Said, settingsFor, startScripted } from './support.ts';

const never = new AbortController().signal;
const TENANT = 'contoso.example';

async function groupsOf(answer: (asked: Asked) => Said) {
  const graph = await startScripted(answer);
  try {
    const { provider } = openProvider(settingsFor(graph, TENANT));
    const told = await provider.secondLook?.groupsOf?.('User', ['ada', 'bob', 'cyd'], never);
    return { told: [...(told ?? assert.fail())], asked: graph.asked };
  } finally {
    await graph.close();
  }
}

it('the groups of people are those that they name themselves; whom Graph does not show is left out', async () => {
  const answers: Record<string, Omit<Said, 'headers'>> = {
    '/users/ada/memberOf': { status: 200, body: { value: [{ id: 'g2' }, { id: 'role' }] } },
    '/users/bob/memberOf': { status: 404, body: {} },
    '/users/cyd/memberOf': { status: 200, body: { value: [] } },
  };
  const { told, asked } = await groupsOf(({ body }) => {
    const { requests } = JSON.parse(body) as { requests: { id: string; url: string }[] };
    return { body: { responses: requests.map(({ id, url }) => ({ id, ...answers[url.split('?')[0] ?? ''] })) } };
  });
  assert.deepEqual(told, [
    ['ada', ['g2', 'role']],
    ['cyd', []],
  ]);
  assert.equal(asked.length, 1);
});

it('nobody is asked for their groups where Graph does not take the question, and all later where it is busy', async () => {
  for (const status of [400, 403]) assert.deepEqual((await groupsOf(() => ({ status }))).told, []);
  await assert.rejects(
    groupsOf(() => ({ status: 429, headers: { 'retry-after': '3600' } })),
    (error: unknown) => error instanceof UpstreamError && error.failure === 'throttled',
  );
});
