import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { makeRandom } from '#demo/tenant.ts';
import { postgresMissing } from '../support/database.ts';
import { expectStatus, freshStorage, type GatewayProcess, spawnGateway } from '../support/gateway.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';

const SEED = process.env['KILL_SEED'] ?? 'events';
const SCIM = 'urn:ietf:params:scim';
const PEOPLE = 12;

// On PostgreSQL the lease of a killed process lasts for some seconds, for which its successor waits.
for (const [kind, kills] of [
  ['embedded', 3],
  ['postgres', 2],
] as const)
  describe(`kill -9 while webhooks go out (${kind}, KILL_SEED=${SEED})`, {
    skip: kind === 'postgres' && postgresMissing,
  }, () => {
    let storage: Record<string, string>;
    let receiver: Receiver;
    let gateway: GatewayProcess | undefined;
    const random = makeRandom(SEED);

    before(async () => {
      storage = { ...(await freshStorage(kind)), ALLOW_LOOPBACK_WEBHOOKS: 'true' };
      receiver = await startReceiver();
    });
    after(async () => {
      await gateway?.kill();
      await receiver?.close();
    });

    const idOf = (place: number): string => String(receiver.received[place]?.headers['webhook-id']);
    async function until(isSo: () => boolean): Promise<void> {
      while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
    }

    /** So many people, each made and then renamed; answers their ids. */
    async function write(api: GatewayProcess, round: number): Promise<string[]> {
      const made: string[] = [];
      for (let n = 0; n < PEOPLE; n += 1) {
        const user = { schemas: [`${SCIM}:schemas:core:2.0:User`], userName: `person-${round}-${n}@example.com` };
        const { body } = await expectStatus(api.call<{ id: string }>('POST', '/scim/v2/Users', user), 201);
        made.push(body.id);
      }
      const Operations = [{ op: 'replace', path: 'title', value: 'Analyst' }];
      const patch = { schemas: [`${SCIM}:api:messages:2.0:PatchOp`], Operations };
      for (const id of made) await expectStatus(api.call('PATCH', `/scim/v2/Users/${id}`, patch), 200);
      return made;
    }

    it('loses none, repeats with the same id and body, and keeps the order of each person', async () => {
      const people: string[] = [];
      for (let round = 0; round < kills; round += 1) {
        gateway = await spawnGateway(storage, '');
        if (round === 0)
          await expectStatus(
            gateway.call('POST', '/api/v1/apps', { name: 'App', webhook: { url: receiver.url } }),
            201,
          );
        // Nothing is answered while people are written, so that there is something left to be killed in.
        const written = Promise.withResolvers<void>();
        const moment = receiver.received.length + Math.floor(random() * PEOPLE);
        receiver.answerWith(async () => {
          await written.promise;
          // Somewhere between the first byte and the word that it was taken.
          if (receiver.received.length === moment) await gateway?.kill();
          return { status: 204 };
        });
        people.push(...(await write(gateway, round)));
        written.resolve();
        await until(() => gateway?.child.signalCode === 'SIGKILL' || receiver.received.length > moment);
        await gateway.kill();
      }
      receiver.answerWith(() => ({ status: 204 }));
      gateway = await spawnGateway(storage, '');
      const distinct = (): Map<string, string> =>
        new Map(receiver.received.map(({ text }, place) => [idOf(place), text]));
      await until(() => distinct().size === 2 * people.length);
      const bodies = distinct();
      for (const [place, { text }] of receiver.received.entries()) assert.equal(text, bodies.get(idOf(place)));
      const first = [...bodies.values()].map((text) => JSON.parse(text) as { type: string; data: { id: string } });
      for (const id of people)
        assert.deepEqual(
          first.filter(({ data }) => data.id === id).map(({ type }) => type),
          ['user.created', 'user.updated'],
        );
    });
  });
