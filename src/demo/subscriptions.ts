// Change notifications of the simulated Graph. Sources: learn.microsoft.com/graph/api/resources/subscription,
// api/subscription-post-subscriptions and change-notifications-delivery-webhooks, checked 2026-11.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { TenantChange } from './changes.ts';
import { GraphProblem } from './problem.ts';
import type { Tenant } from './tenant.ts';

/** The longest life of a subscription to users or groups. */
const LIFE_MAX_MINUTES = 41_760;
const CLIENT_STATE_MAX = 128;

export interface Subscription {
  readonly id: string;
  readonly resource: string;
  readonly changeType: string;
  readonly notificationUrl: string;
  readonly lifecycleNotificationUrl: string | null;
  readonly clientState: string | null;
  readonly expirationDateTime: string;
}

interface Answered {
  readonly status: number;
  readonly body?: object;
}

export interface Subscriptions {
  readonly all: Map<string, Subscription>;
  /** Answers a request below /v1.0/subscriptions. @throws {GraphProblem} */
  answer(request: IncomingMessage, path: string): Promise<Answered>;
  /** Tells every subscriber what happened since the last time. Answers the statuses that they gave. */
  notify(): Promise<readonly number[]>;
  /** Sends a lifecycle event for a subscription; a removed one is gone with it. */
  sendLifecycle(id: string, event: 'reauthorizationRequired' | 'subscriptionRemoved' | 'missed'): Promise<number>;
}

export interface SubscriptionParts {
  deliverTo(url: string): string;
  /** @throws {GraphProblem} 403 when the application has none of these permissions */
  need(...roles: readonly string[]): void;
}

export function makeSubscriptions(tenant: Tenant, { deliverTo, need }: SubscriptionParts): Subscriptions {
  const all = new Map<string, Subscription>();
  let told = tenant.log.length;

  async function create(body: Partial<Subscription>): Promise<Answered> {
    const { changeType = '', notificationUrl = '', resource = '', clientState = null } = body;
    const subscription: Subscription = {
      id: randomUUID(),
      resource,
      changeType,
      notificationUrl,
      lifecycleNotificationUrl: body.lifecycleNotificationUrl ?? null,
      clientState,
      expirationDateTime: checkExpiry(body.expirationDateTime),
    };
    if (!/^\/?(users|groups)$/.test(resource)) throw refused(`Resource '${resource}' is not supported.`);
    if (resource.endsWith('users')) need('User.Read.All', 'Directory.Read.All');
    else need('Group.Read.All', 'Directory.Read.All');
    if (!changeType.split(',').every((type) => ['created', 'updated', 'deleted'].includes(type)))
      throw refused(`Invalid changeType '${changeType}'.`);
    if ((clientState?.length ?? 0) > CLIENT_STATE_MAX) throw refused('clientState is too long.');
    if ([...all.values()].some((other) => other.resource === resource && other.changeType === changeType))
      throw new GraphProblem(409, 'ExtensionError', 'Subscription already exists for the requested combination.');
    for (const url of [notificationUrl, subscription.lifecycleNotificationUrl ?? notificationUrl]) await validate(url);
    all.set(subscription.id, subscription);
    return { status: 201, body: { ...subscription, clientState: null } };
  }

  /** The endpoint must echo a token, as plain text and decoded once. */
  async function validate(url: string): Promise<void> {
    if (!url.startsWith('https://')) throw refused('Notification URL must be https.');
    const token = `Validation: Testing client application reachability ${randomUUID()} + ü`;
    const target = `${deliverTo(url)}?validationToken=${encodeURIComponent(token)}`;
    const answer = await fetch(target, { method: 'POST' }).catch(() => undefined);
    const text = await answer?.text();
    const plain = answer?.headers.get('content-type')?.startsWith('text/plain') === true;
    if (answer?.status !== 200 || !plain || text !== token)
      throw refused('Subscription validation request failed. Notification endpoint must respond with 200 OK.');
  }

  function find(path: string): Subscription {
    const id = path.split('/')[3] ?? '';
    const found = all.get(id);
    if (found === undefined) throw new GraphProblem(404, 'ResourceNotFound', 'The object was not found.');
    return found;
  }

  async function answer(request: IncomingMessage, path: string): Promise<Answered> {
    const text = await readText(request);
    const body = text === '' ? {} : (JSON.parse(text) as Partial<Subscription>);
    if (path === '/v1.0/subscriptions') {
      if (request.method === 'POST') return create(body);
      return { status: 200, body: { value: [...all.values()].map((one) => ({ ...one, clientState: null })) } };
    }
    const found = find(path);
    if (request.method === 'DELETE') {
      all.delete(found.id);
      return { status: 204 };
    }
    if (path.endsWith('/reauthorize')) return { status: 204 };
    if (request.method !== 'PATCH') return { status: 200, body: { ...found, clientState: null } };
    const renewed = { ...found, expirationDateTime: checkExpiry(body.expirationDateTime) };
    all.set(found.id, renewed);
    return { status: 200, body: { ...renewed, clientState: null } };
  }

  function messagesFor(subscription: Subscription, changes: readonly TenantChange[]): object[] {
    const kind = subscription.resource.endsWith('users') ? 'user' : 'group';
    const types = subscription.changeType.split(',');
    return changes
      .filter((change) => change.kind === kind)
      .map(({ id, what }) => ({ id, changeType: what === 'deleted' ? 'deleted' : 'updated' }))
      .filter(({ changeType }) => types.includes(changeType))
      .map(({ id, changeType }) => ({
        changeType,
        clientState: subscription.clientState,
        resource: `${kind === 'user' ? 'Users' : 'Groups'}/${id}`,
        resourceData: { '@odata.type': `#Microsoft.Graph.${kind === 'user' ? 'User' : 'Group'}`, id },
        subscriptionId: subscription.id,
        subscriptionExpirationDateTime: subscription.expirationDateTime,
        tenantId: tenant.id,
      }));
  }

  return {
    all,
    answer,
    async notify() {
      const changes = tenant.log.slice(told);
      told = tenant.log.length;
      const statuses: number[] = [];
      for (const subscription of all.values()) {
        const value = messagesFor(subscription, changes);
        if (value.length > 0) statuses.push(await post(deliverTo(subscription.notificationUrl), { value }));
      }
      return statuses;
    },
    async sendLifecycle(id, lifecycleEvent) {
      const subscription = all.get(id);
      if (subscription === undefined) throw new Error(`no subscription ${id}`);
      if (lifecycleEvent === 'subscriptionRemoved') all.delete(id);
      const url = subscription.lifecycleNotificationUrl ?? subscription.notificationUrl;
      const { clientState, expirationDateTime } = subscription;
      const message = {
        ...{ lifecycleEvent, clientState, subscriptionId: id },
        ...{ subscriptionExpirationDateTime: expirationDateTime, tenantId: tenant.id },
      };
      return post(deliverTo(url), { value: [message] });
    },
  };
}

async function post(url: string, body: object): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  await response.text();
  return response.status;
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function checkExpiry(text: string | undefined): string {
  const at = Date.parse(text ?? '');
  if (Number.isNaN(at) || at - Date.now() > LIFE_MAX_MINUTES * 60_000 || at < Date.now())
    throw refused(`Subscription expiration can only be ${LIFE_MAX_MINUTES} minutes in the future.`);
  return new Date(at).toISOString();
}

function refused(message: string): GraphProblem {
  return new GraphProblem(400, 'ValidationError', message);
}
