// Writes of an identity provider while it gives somebody another externalId, by which records name managers and members.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { ENTERPRISE_SCHEMA } from '#core/resource.ts';
import { eachDatabase } from '../support/database.ts';
import { expectStatus, freshStorage, startGateway, sync, type TestGateway } from '../support/gateway.ts';
import { activateScim, type IdentityProvider, makeIdentityProvider } from '../support/identity-provider.ts';

const ROUNDS = 3;
const WRITES = 8;

eachDatabase('writes while somebody gets another external id', (_open, kind) => {
  let gateway: TestGateway;
  let idp: IdentityProvider;
  before(async () => {
    gateway = await startGateway(await freshStorage(kind));
    idp = await makeIdentityProvider(gateway);
    await expectStatus(gateway.call('PUT', '/api/v1/guard', { enabled: false }), 200);
    await activateScim(gateway);
  });
  after(() => gateway?.close());

  /** One write after another, each when the one before was taken. */
  async function inTurn(write: (place: number) => Promise<{ status: number; body: unknown }>): Promise<void> {
    for (let place = 0; place < WRITES; place += 1) {
      const { status, body } = await write(place);
      assert.ok(status === 200 || status === 204, JSON.stringify(body));
    }
  }

  it('lose nothing, and a run finds nothing to do', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [renamed, other, report, stays] = await Promise.all(
        ['renamed', 'other', 'report', 'stays'].map((stem) => idp.createUser(`${stem}-${round}@example.org`)),
      );
      assert.ok(renamed && other && report && stays);
      const group = await idp.createGroup(`Round ${round}`, [stays.id]);
      const set = (id: string, path: string, value: unknown) =>
        idp.patch(`/Users/${id}`, { op: 'replace', path, value });
      const member = { op: 'add', path: 'members', value: [{ value: renamed.id }] };
      const noMember = { op: 'remove', path: `members[value eq "${renamed.id}"]` };
      await Promise.all([
        inTurn((place) => set(renamed.id, 'externalId', `anchor-${round}-${place}`)),
        inTurn((place) => set(renamed.id, 'title', `Title ${place}`)),
        inTurn((place) => set(report.id, 'title', `Title ${place}`)),
        inTurn((place) => set(report.id, 'nickName', `Name ${place}`)),
        inTurn((place) => set(report.id, `${ENTERPRISE_SCHEMA}:manager`, place % 2 === 0 ? renamed.id : other.id)),
        inTurn((place) => idp.patch(`/Groups/${group.id}`, place % 2 === 0 ? member : noMember)),
      ]);
      const last = WRITES - 1;
      const { body: boss } = await idp.send('GET', `/Users/${renamed.id}`);
      assert.deepEqual([boss.externalId, boss['title']], [`anchor-${round}-${last}`, `Title ${last}`]);
      const { body: served } = await idp.send('GET', `/Users/${report.id}`);
      assert.deepEqual([served['title'], served['nickName']], [`Title ${last}`, `Name ${last}`]);
      const { manager } = served[ENTERPRISE_SCHEMA] as { manager: { value: string } };
      assert.equal(manager.value, other.id);
      const { body: ofGroup } = await idp.send('GET', `/Groups/${group.id}`);
      const members = (ofGroup['members'] as { value: string }[]).map(({ value }) => value);
      assert.deepEqual(members, [stays.id]);
      const run = await sync(gateway);
      assert.deepEqual([run.status, run.counts], ['succeeded', {}]);
    }
  });
});
