// What every provider that we read must keep to, whatever its kind (core/provider.ts). Called by each kind's test.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { canonical } from '#core/canonical.ts';
import type { RecordExplanation } from '#core/explanation.ts';
import type { Page } from '#core/pages.ts';
import type { Normalised, PullProvider } from '#core/provider.ts';
import type { ResourceType } from '#core/resource.ts';

export interface ProviderCase {
  /** A provider that has not been read yet, in front of a source that does not change. */
  open(): PullProvider;
  /** External ids that a full read must show, in scope or not. */
  readonly users: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
  /** Direct members, users and groups only, of the groups whose members are wanted. */
  readonly members: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Describes the suite. `make` is called once per test, after the caller's own `before` hooks. */
export function describeProvider(name: string, make: () => ProviderCase): void {
  describeOddRecords(name, () => make().open());
  describe(`${name}, as every provider that is read`, () => {
    it('shows everybody, every group and every membership, nothing more, and says that it reached the end', async () => {
      const { open, users, groups, members } = make();
      const read = await gather(open());
      assert.deepEqual(read.ids.User, users);
      assert.deepEqual(read.ids.Group, groups);
      assert.deepEqual(read.members, members);
    });

    it('yields users, then groups, then members that end with a complete page, then one end', async () => {
      // How objects left may be said anywhere before the end.
      const order = (await readAll(make().open())).filter(({ type }) => type !== 'gone').map(rankOf);
      assert.deepEqual(
        order,
        order.toSorted((one, other) => one - other),
      );
      assert.equal(order.filter((rank) => rank === END).length, 1);
    });

    it('shows the same a second time', async () => {
      const { open } = make();
      assert.deepEqual(await gather(open()), await gather(open()));
    });

    it('turns each record into a canonical resource of the same external id, or says why not', async () => {
      const provider = make().open();
      for (const page of await readAll(provider)) {
        if (page.type !== 'records') continue;
        for (const record of page.records) checkNormalised(provider, record, page.resourceType);
      }
    });

    it('stops when it is told to, without an end', async () => {
      const provider = make().open();
      const stop = new AbortController();
      const pages: Page[] = [];
      await assert.rejects(async () => {
        for await (const page of provider.pages(stop.signal)) {
          pages.push(page);
          stop.abort();
        }
      }, /abort/i);
      assert.equal(pages.length > 0 && pages.every(({ type }) => type !== 'end'), true);
    });

    it('counts what it costs', async () => {
      const provider = make().open();
      assert.deepEqual(provider.cost(), { requests: 0, resourceUnits: 0, bytes: 0, throttledMs: 0 });
      await readAll(provider);
      assert.ok(provider.cost().bytes > 0);
      assert.ok(Object.values(provider.cost()).every(Number.isInteger));
    });
  });
}

/** For kinds that write to us too: whatever a record holds, it is a resource or a reason. */
export function describeOddRecords(name: string, open: () => PullProvider): void {
  describe(`${name}, as every provider`, () => {
    it('never throws on odd records', () => {
      const provider = open();
      for (const odd of ODD_VALUES)
        for (const type of ['User', 'Group'] as const) {
          const names = ['userPrincipalName', 'displayName', 'mail', 'userName', 'proxyAddresses', 'emails'];
          const record = { id: 'odd', ...Object.fromEntries(names.map((property) => [property, odd])) };
          const result = provider.normalise(record, type);
          assert.ok('resource' in result || result.skip !== '');
        }
    });
  });
}

const ODD_VALUES: readonly unknown[] = [null, undefined, '', ' ', 0, {}, [], [null], [{}], [7], '\0', '\ud800', true];

const END = 3;
function rankOf(page: Page): number {
  if (page.type === 'end') return END;
  if (page.type === 'members') return 2;
  return page.resourceType === 'User' ? 0 : 1;
}

export function checkNormalised(provider: PullProvider, record: unknown, type: ResourceType): void {
  const before = JSON.stringify(record);
  const explained = provider.explain?.(record, type);
  const result: Normalised = provider.normalise(record, type);
  assert.equal(JSON.stringify(record), before, 'normalise changes nothing');
  if (explained !== undefined) checkExplained(explained, result);
  if ('skip' in result) {
    assert.notEqual(result.skip, '');
    return;
  }
  assert.equal(result.resource.externalId, provider.externalId(record));
  const text = canonical(result.resource);
  assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(result.resource)), 'no nulls and nothing empty');
  assert.ok(text.isWellFormed() && !text.includes('\\u0000'));
}

/** The first clause that does not hold is the reason, and what holds throughout is what was mapped. */
function checkExplained({ clauses, attributes }: RecordExplanation, result: Normalised): void {
  const failed = clauses.find(({ holds }) => !holds);
  if ('skip' in result) {
    assert.equal(failed?.reason, result.skip);
    return;
  }
  assert.equal(failed, undefined);
  const named = new Map(attributes.map(({ attribute, value }) => [attribute, value]));
  assert.equal(named.get('externalId'), result.resource.externalId);
}

export async function readAll<Raw>(provider: PullProvider<Raw>): Promise<Page<Raw>[]> {
  const pages: Page<Raw>[] = [];
  for await (const page of provider.pages(new AbortController().signal)) pages.push(page);
  return pages;
}

/** A read as sets, whatever the order and however often something came. */
export async function gather(provider: PullProvider) {
  const ids = { User: new Set<string>(), Group: new Set<string>() };
  const members = new Map<string, Set<string>>();
  const complete = new Set<string>();
  for (const page of await readAll(provider)) {
    if (page.type === 'records')
      for (const record of page.records) ids[page.resourceType].add(provider.externalId(record));
    if (page.type !== 'members') continue;
    const of = members.get(page.group) ?? new Set();
    for (const { externalId } of page.members) of.add(externalId);
    members.set(page.group, of);
    assert.equal(complete.has(page.group), false, 'nothing comes after the complete page of a group');
    if (page.complete) complete.add(page.group);
  }
  assert.deepEqual(complete, new Set(members.keys()));
  return { ids, members };
}
