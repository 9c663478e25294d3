// Change notifications. Sources: learn.microsoft.com/graph/api/resources/subscription, subscription-post-subscriptions,
// change-notifications-delivery-webhooks and change-notifications-lifecycle-events.
import { type Answer, badRequest, notFound, Refusal } from './query.ts';
import type { Random } from './random.ts';

interface Subscription {
  readonly id: string;
  readonly changeType: string;
  readonly resource: string;
  readonly notificationUrl: string;
  readonly lifecycleNotificationUrl?: string;
  readonly clientState?: string;
  expirationDateTime: string;
}

const LIFE_MAX_MS = 41_760 * 60_000;
const LIFE_MIN_MS = 45 * 60_000;

export interface Delivered {
  readonly status: number;
  readonly body: unknown;
}

export class Subscriptions {
  private readonly all = new Map<string, Subscription>();
  private waiting: object[] = [];
  private readonly random: Random;
  private readonly tenantId: () => string;
  /** Where a public address is reached in the test. */
  private readonly reach: (url: string) => string;
  /** Reports that a handshake went wrong. */
  readonly failures: string[] = [];

  constructor(random: Random, tenantId: () => string, reach: (url: string) => string) {
    this.random = random;
    this.tenantId = tenantId;
    this.reach = reach;
  }

  /** Resources that somebody wants to hear of. */
  get resources(): readonly string[] {
    return [...this.all.values()].map(({ resource }) => resource);
  }

  answer({ method, body }: { method: string; body: unknown }, [id, action]: readonly string[]): Answer {
    if (id === undefined) {
      if (method === 'GET') return { status: 200, body: { value: [...this.all.values()].map(shown) } };
      if (method === 'POST') return this.create(body as Partial<Subscription> | null);
      throw badRequest('Method not allowed.');
    }
    const subscription = this.all.get(id);
    if (subscription === undefined) throw notFound(id);
    if (method === 'DELETE') {
      this.all.delete(id);
      return { status: 204 };
    }
    if (method === 'POST' && action === 'reauthorize') return { status: 204 };
    if (method !== 'PATCH') return { status: 200, body: shown(subscription) };
    subscription.expirationDateTime = checkedLife((body as Partial<Subscription> | null)?.expirationDateTime);
    return { status: 200, body: shown(subscription) };
  }

  private create(given: Partial<Subscription> | null): Answer {
    const { changeType, resource, notificationUrl, lifecycleNotificationUrl, clientState, expirationDateTime } =
      given ?? {};
    if (changeType === undefined || !/^(created|updated|deleted)(,(created|updated|deleted))*$/.test(changeType))
      throw badRequest('changeType is invalid.');
    if (!/^\/?(users|groups)$/.test(resource ?? '')) throw badRequest('resource is invalid.');
    for (const url of [notificationUrl, lifecycleNotificationUrl])
      if (url !== undefined && !url.startsWith('https://')) throw badRequest('The notification URL must be https.');
    if (notificationUrl === undefined) throw badRequest('notificationUrl is required.');
    if ((clientState ?? '').length > 128) throw badRequest('clientState must not exceed 128 characters.');
    const same = [...this.all.values()].some((one) => one.changeType === changeType && one.resource === resource);
    if (same) throw new Refusal(409, 'ObjectConflict', 'A subscription with the same change type and resource exists.');
    const subscription = {
      id: this.random.uuid(),
      changeType,
      resource,
      notificationUrl,
      lifecycleNotificationUrl,
      clientState,
    } as Subscription;
    subscription.expirationDateTime = checkedLife(expirationDateTime);
    this.all.set(subscription.id, subscription);
    return { status: 201, body: shown(subscription) };
  }

  /** The handshake that comes before a subscription is answered: the token comes back as it is, decoded, within 10 s. */
  async validate(body: unknown): Promise<boolean> {
    const { notificationUrl, lifecycleNotificationUrl } = (body ?? {}) as Partial<Subscription>;
    for (const url of [notificationUrl, lifecycleNotificationUrl]) {
      if (url === undefined) continue;
      const token = `Validation: Testing client application reachability for subscription ${this.random.uuid()} & + % <b>`;
      const query = `validationToken=${encodeURIComponent(token).replaceAll('%20', '+')}`;
      const response = await fetch(`${this.reach(url)}${url.includes('?') ? '&' : '?'}${query}`, {
        method: 'POST',
        headers: { 'content-type': 'text/plain' },
      });
      const text = await response.text();
      const isPlain = (response.headers.get('content-type') ?? '').startsWith('text/plain');
      if (response.status === 200 && text === token && isPlain) continue;
      this.failures.push(`handshake with ${url}: ${response.status} ${text.slice(0, 200)}`);
      return false;
    }
    return true;
  }

  /** A change happened: it waits to be told. */
  note(list: string, id: string, changeType: 'updated' | 'deleted'): void {
    for (const {
      id: subscriptionId,
      resource,
      changeType: wanted,
      clientState,
      expirationDateTime,
    } of this.all.values()) {
      if (resource.replace('/', '') !== list || !wanted.split(',').includes(changeType)) continue;
      const name = `${list[0]?.toUpperCase()}${list.slice(1)}`;
      this.waiting.push({
        ...{ changeType, clientState, resource: `${name}/${id}`, subscriptionId, tenantId: this.tenantId() },
        subscriptionExpirationDateTime: expirationDateTime,
        resourceData: {
          '@odata.type': `#Microsoft.Graph.${name.slice(0, -1)}`,
          '@odata.id': `${name}/${id}`,
          id,
          organizationId: this.tenantId(),
          sequenceNumber: this.waiting.length,
        },
      });
    }
  }

  /** Sends what waits: several in one POST, some twice, in any order. */
  async deliver(): Promise<readonly Delivered[]> {
    const [one] = this.all.values();
    const value = this.random.shuffle(
      this.waiting.flatMap((item) => (this.random.chance(0.2) ? [item, item] : [item])),
    );
    this.waiting = [];
    if (one === undefined || value.length === 0) return [];
    const half = Math.ceil(value.length / 2);
    const parts = [value.slice(0, half), value.slice(half)].filter((part) => part.length > 0);
    return Promise.all(parts.map((part) => this.post(one.notificationUrl, { value: part })));
  }

  /** What somebody sends who knows the address and not the secret. */
  async forge(): Promise<readonly Delivered[]> {
    const [one] = this.all.values();
    if (one === undefined) return [];
    const { id: subscriptionId, resource } = one;
    const item = {
      subscriptionId,
      clientState: 'guessed',
      changeType: 'updated',
      resource: `${resource}/1`,
      tenantId: this.tenantId(),
    };
    return [await this.post(one.notificationUrl, { value: [item] })];
  }

  async lifecycle(
    lifecycleEvent: 'reauthorizationRequired' | 'missed' | 'subscriptionRemoved',
  ): Promise<readonly Delivered[]> {
    const subscription = this.random.pick([...this.all.values()]);
    if (subscription?.lifecycleNotificationUrl === undefined) return [];
    const { id: subscriptionId, clientState, expirationDateTime } = subscription;
    if (lifecycleEvent === 'subscriptionRemoved') this.all.delete(subscriptionId);
    const item = {
      lifecycleEvent,
      subscriptionId,
      subscriptionExpirationDateTime: expirationDateTime,
      clientState,
      organizationId: this.tenantId(),
    };
    return [await this.post(subscription.lifecycleNotificationUrl, { value: [item] })];
  }

  private async post(url: string, body: object): Promise<Delivered> {
    const response = await fetch(this.reach(url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.text() };
  }
}

function checkedLife(text: string | undefined): string {
  const end = Date.parse(text ?? '');
  const left = end - Date.now();
  if (Number.isNaN(end) || left < 0) throw badRequest('Subscription expiration must be in the future.');
  if (left > LIFE_MAX_MS) throw badRequest('Subscription expiration can only be 41760 minutes in the future.');
  return new Date(Math.max(end, Date.now() + LIFE_MIN_MS)).toISOString();
}

/** The clientState is never shown again. */
function shown(subscription: Subscription): object {
  return { ...subscription, clientState: null };
}
