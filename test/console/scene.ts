// Apps in every state that the console shows: one that does well, one whose credential is refused, one that refuses some,
// one that holds leavers, one that was not started yet, a webhook that fails, and tokens that are asked for.
import { type Api, expectStatus } from '../support/gateway.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { type ScimAppServer, startScimApp } from '../support/scim-app-server.ts';

export interface Scene {
  readonly ids: Readonly<Record<'wiki' | 'vault' | 'desk' | 'fresh' | 'hooks' | 'siem', string>>;
  /** Takes everything. */
  readonly wiki: ScimAppServer;
  /** Refuses the token that it is given until it is told the new one. */
  readonly vault: ScimAppServer;
  /** Refuses writes while it is told to. */
  readonly desk: ScimAppServer;
  readonly hook: Receiver;
  close(): Promise<void>;
}

export async function makeScene(api: Api): Promise<Scene> {
  const apps = await Promise.all([startScimApp({ token: 'wiki' }), startScimApp({ token: 'new' }), startScimApp()]);
  const [wiki, vault, desk] = apps;
  desk.personality = { failing: (method) => (method === 'POST' ? 422 : undefined) };
  const hook = await startReceiver();
  hook.answerWith(() => ({ status: 503, body: '{"error":"maintenance until noon"}' }));

  async function add(body: object): Promise<string> {
    return (await expectStatus(api.call<{ id: string }>('POST', '/api/v1/apps', body), 201)).body.id;
  }
  const bearer = (token: string) => ({ kind: 'bearer', token });
  const few = { userFilter: 'userName co "a"', resourceTypes: ['User'] };
  const ids = {
    wiki: await add({ name: 'Wiki', push: { baseUrl: wiki.url, auth: bearer('wiki') } }),
    vault: await add({ name: 'DocVault', push: { baseUrl: vault.url, auth: bearer('old') } }),
    desk: await add({ name: 'Helpdesk', scope: few, push: { baseUrl: desk.url, auth: { kind: 'none' } } }),
    fresh: await add({
      name: 'Meetly',
      push: { baseUrl: wiki.url, auth: bearer('wiki'), paused: true, preset: 'slack' },
    }),
    hooks: await add({ name: 'HR portal', webhook: { url: hook.url, start: 'snapshot' } }),
    siem: await add({ name: 'SIEM collector', events: { delivery: { method: 'poll' }, start: 'snapshot' } }),
  };
  return {
    ids,
    wiki,
    vault,
    desk,
    hook,
    async close() {
      await Promise.all(apps.map((app) => app.close()));
      await hook.close();
    },
  };
}

interface TargetBody {
  readonly appId: string;
  readonly channel: string;
  readonly state: string;
  readonly dead: number;
  readonly waiting: number;
}

/** Waits until the ways out of an app are as they should be. */
export async function untilTarget(api: Api, appId: string, isSo: (target: TargetBody) => boolean): Promise<TargetBody> {
  for (;;) {
    const { body } = await api.call<{ items: TargetBody[] }>('GET', '/api/v1/targets');
    const found = body.items.find((target) => target.appId === appId && isSo(target));
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
