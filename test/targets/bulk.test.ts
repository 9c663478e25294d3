// Creates that go out together: each is answered by itself, and one without an answer counts as unknown.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TargetError } from '#core/target.ts';
import { makeMask } from '#platform/mask.ts';
import { makeBulkCreator } from '#targets/scim-app/bulk.ts';
import type { ScimClient, ScimRequest } from '#targets/scim-app/client.ts';

interface Operation {
  readonly bulkId: string;
  readonly data: { readonly userName: string };
}

type Answer = (
  operations: readonly Operation[],
  signal: AbortSignal,
) => readonly Record<string, unknown>[] | number | Promise<readonly Record<string, unknown>[]>;

describe('a Bulk of creates', () => {
  const signal = new AbortController().signal;
  const made = ({ bulkId, data }: Operation) => ({
    bulkId,
    status: '201',
    location: `https://x/Users/${data.userName}`,
  });

  function start(answer: Answer, limits = { maxOperations: 4, maxPayloadSize: 10_000 }) {
    const sizes: number[] = [];
    const shared: number[] = [];
    const client: ScimClient = {
      mask: makeMask(['their-credential']),
      async send({ body }: ScimRequest, signal) {
        const { Operations: operations } = body as { Operations: readonly Operation[] };
        sizes.push(operations.length);
        const given = await answer(operations, signal);
        if (typeof given === 'number') throw new TargetError('no', { kind: 'refused', reason: 'no', status: given });
        return { status: 200, body: { Operations: given }, etag: undefined };
      },
    };
    const alone: string[] = [];
    const create = makeBulkCreator({
      client,
      isOn: true,
      share: (_common, among) => void shared.push(among.length),
      capabilities: () =>
        ({ patch: true, bulk: limits, filter: true, etag: false, sort: false, maxResults: 100 }) as never,
      async createOne(_type, { userName }) {
        alone.push(String(userName));
        return { id: String(userName), document: undefined, etag: undefined };
      },
    });
    const all = (names: readonly string[], signals: readonly AbortSignal[] = []) =>
      Promise.allSettled(names.map((userName, n) => create('User', { userName }, signals[n] ?? signal)));
    return { all, sizes, alone, shared };
  }

  const names = (count: number): string[] => Array.from({ length: count }, (_, n) => `u${n}`);

  it('is done without where the target has none after all, and knows ids with slashes in them', async () => {
    const none = start(() => 501);
    const answers = await none.all(names(3));
    assert.deepEqual([answers.map(({ status }) => status), none.alone], [Array(3).fill('fulfilled'), names(3)]);
    const { all } = start((operations) =>
      operations.map((operation) => ({ ...made(operation), location: `https://x/Users/org/${operation.bulkId}` })),
    );
    const ids = (await all(names(2))).map((one) => one.status === 'fulfilled' && one.value.id);
    assert.deepEqual(ids, ['org/0', 'org/1']);
  });

  it('holds no more operations than the target takes, and each has its own id', async () => {
    const { all, sizes, alone } = start((operations) => operations.map(made));
    const answers = await all(names(9));
    assert.deepEqual(
      answers.map((one) => one.status === 'fulfilled' && one.value.id),
      names(9),
    );
    assert.deepEqual([sizes, alone], [[4, 4], ['u8']]);
  });

  it('holds no more bytes either', async () => {
    const { all, sizes } = start((operations) => operations.map(made), { maxOperations: 100, maxPayloadSize: 500 });
    await all(names(9));
    assert.ok(Math.max(...sizes) <= 3, `${sizes}`);
  });

  it('is answered with our credential in the words of a refusal: nobody is told that', async () => {
    const detail = 'Sent with "their-credential".';
    const { all } = start((operations) =>
      operations.map(({ bulkId }) => ({ bulkId, status: '400', response: { detail } })),
    );
    const [first] = await all(names(2));
    assert.match(String(first?.status === 'rejected' && first.reason), /400 to an operation.*Sent with "\[redacted\]"/);
  });

  it('is halved while it is too large, down to requests of their own', async () => {
    const { all, sizes, alone } = start((operations) => (operations.length > 1 ? 413 : operations.map(made)));
    const answers = await all(names(4));
    assert.deepEqual([sizes, alone], [[4, 2, 2], names(4)]);
    assert.ok(answers.every(({ status }) => status === 'fulfilled'));
  });

  it('goes on for the others when the deadline of one is over, and ends when nobody waits for it', async () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const { all, shared } = start(async (operations, common) => {
      first.abort(new Error('too late'));
      assert.equal(common.aborted, false);
      return operations.map(made);
    });
    const [one, two] = await all(names(2), [first.signal, second.signal]);
    assert.deepEqual([one?.status === 'rejected' && one.reason.message, two?.status], ['too late', 'fulfilled']);
    assert.deepEqual(shared, [2]);
    let isOver = false;
    const third = new AbortController();
    const both = start((_, common) => {
      common.addEventListener('abort', () => {
        isOver = true;
      });
      third.abort(new Error('too late'));
      second.abort(new Error('too late'));
      return 503;
    });
    await both.all(names(2), [second.signal, third.signal]);
    assert.ok(isOver);
  });

  it('that is refused as a whole is sent one by one: who is at fault is told alone', async () => {
    const { all, sizes, alone } = start(() => 400);
    await all(names(3));
    assert.deepEqual([sizes, alone], [[3], names(3)]);
  });

  it('tells of each failure by itself, and what was not answered is unknown', async () => {
    const { all } = start(([first, taken, broken]) => [
      made(first as Operation),
      { bulkId: taken?.bulkId, status: '409', response: { detail: 'taken' } },
      { bulkId: broken?.bulkId, status: 500 },
    ]);
    const [one, two, three, four] = await all(names(4));
    assert.equal(one?.status, 'fulfilled');
    const failed = [two, three, four].map((result) => (result?.status === 'rejected' ? result.reason : undefined));
    assert.deepEqual(
      failed.map(({ kind, unknown }: TargetError) => [kind, unknown]),
      [
        ['conflict', false],
        ['server', true],
        ['server', true],
      ],
    );
  });

  it('tells a value that is taken from one that is refused, also where both are 400', async () => {
    const { all } = start(([taken, wrong]) => [
      { bulkId: taken?.bulkId, status: '400', response: { scimType: 'uniqueness', detail: 'no' } },
      { bulkId: wrong?.bulkId, status: '400', response: { scimType: 'invalidValue', detail: 'no' } },
    ]);
    const kinds = (await all(names(2))).map((result) =>
      result.status === 'rejected' ? result.reason.kind : undefined,
    );
    assert.deepEqual(kinds, ['conflict', 'refused']);
  });
});
