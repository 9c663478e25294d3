// The resources of Graph, as the documentation has them: each request by itself, or as a step of a batch.
import { DeltaQueries, type Habits } from './delta.ts';
import type { Directory, Entry, ListName } from './directory.ts';
import {
  type Answer,
  badRequest,
  notFound,
  project,
  type Query,
  Refusal,
  readQuery,
  readSelect,
  readTop,
  unsupported,
} from './query.ts';
import type { Random } from './random.ts';
import type { Subscriptions } from './subscriptions.ts';

export interface Ask {
  readonly method: string;
  /** Below `/v1.0`, not decoded. */
  readonly path: string;
  readonly parameters: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
}

export interface ServiceParts {
  readonly directory: Directory;
  readonly random: Random;
  readonly habits: Habits;
  readonly subscriptions: Subscriptions;
  /** Permissions of the application. */
  readonly roles: readonly string[];
  readonly application: { readonly clientId: string; readonly secret: string };
  readonly base: () => string;
  /** Whether a step of a batch is refused with 429 this time. */
  throttlesStep(): boolean;
}

const BATCH_MAX = 20;
const LIST_OPTIONS = ['$select', '$top', '$expand', '$filter', '$search', '$orderby', '$count'];

/** A list that is read page by page. */
interface Listing {
  readonly path: string;
  readonly items: readonly Record<string, unknown>[];
  readonly top: number;
  readonly eventual: boolean;
}

export class GraphService {
  readonly deltas: DeltaQueries;
  /** How many changes the lists and delta queries do not show yet. */
  lag = 0;
  /** What was shown once is never hidden again by a lag: docs/changes.md says what is not closed there. */
  shown = 0;
  private readonly parts: ServiceParts;
  private readonly pages = new Map<string, Listing>();

  constructor(parts: ServiceParts) {
    this.parts = parts;
    this.deltas = new DeltaQueries({ ...parts, visible: () => this.visible });
  }

  /** Links to pages live for minutes. */
  expirePages(): void {
    this.pages.clear();
  }

  private get visible(): number {
    return Math.max(this.shown, this.parts.directory.now - this.lag);
  }

  answer(ask: Ask): Answer {
    try {
      this.shown = this.visible;
      return this.route(ask);
    } catch (error) {
      if (error instanceof Refusal) return error.answer;
      throw error;
    }
  }

  private route(ask: Ask): Answer {
    const { method, path } = ask;
    const steps = path.slice(1).split('/').map(decodeURIComponent);
    if (method === 'POST' && path === '/$batch') return this.batch(ask);
    if (steps[0] === 'subscriptions') {
      this.need(['User.Read.All', 'Group.Read.All'], true);
      return this.parts.subscriptions.answer(ask, steps.slice(1));
    }
    if (method !== 'GET')
      throw new Refusal(405, 'Request_BadRequest', 'Specified HTTP method is not allowed for the request target.');
    if (steps[0] === 'users' || /^users\('/.test(steps[0] ?? '')) return this.users(ask, keyed(steps, 'users'));
    if (steps[0] === 'groups') return this.groups(ask, steps.slice(1));
    if (steps[0] === 'directory' && steps[1] === 'deletedItems') return this.deletedItems(ask, steps.slice(2));
    if (steps[0] === 'organization') return this.organization(ask);
    if (/^applications\(appId='/.test(path.slice(1))) return this.ownApplication();
    throw badRequest(`Resource not found for the segment '${steps[0]}'.`);
  }

  private need(roles: readonly string[], all = false): void {
    const has = (role: string): boolean => this.parts.roles.includes(role);
    if (all ? roles.every(has) : roles.some(has)) return;
    throw new Refusal(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
  }

  private users(ask: Ask, [id, ...rest]: readonly string[]): Answer {
    const { directory } = this.parts;
    if (id === undefined) {
      this.need(['User.Read.All', 'Directory.Read.All']);
      return this.list(ask, 'users');
    }
    if (id === 'delta') {
      this.need(['User.Read.All', 'Directory.Read.All']);
      return this.deltas.answer('users', ask.parameters, this.parts.base());
    }
    if (id === '$count') return this.count(ask, directory.entries('users', 'live', this.visible).length);
    const user = this.findUser(id);
    if (user === undefined) throw notFound(id);
    if (rest[0] === 'mailboxSettings') return this.mailboxSettings(user);
    this.need(['User.Read.All', 'Directory.Read.All']);
    if (rest.length === 0) {
      const query = readQuery(ask.parameters, {
        list: 'users',
        allowed: ['$select', '$expand'],
        eventual: isEventual(ask),
      });
      return {
        status: 200,
        body: { '@odata.context': `${this.parts.base()}/$metadata#users/$entity`, ...this.show('users', user, query) },
      };
    }
    if (rest[0] === 'manager') {
      const manager = directory.managerOf(user.id);
      if (manager === null) throw notFound('manager');
      return { status: 200, body: { '@odata.type': '#microsoft.graph.user', id: manager } };
    }
    if (rest[0] === 'memberOf' || rest[0] === 'transitiveMemberOf') {
      this.need(['GroupMember.Read.All', 'Directory.Read.All']);
      const ids =
        rest[0] === 'memberOf' ? directory.groupsOf(user.id) : closure(user.id, (one) => directory.groupsOf(one));
      // Directory roles are among them.
      const role = {
        '@odata.type': '#microsoft.graph.directoryRole',
        id: '00000000-0000-4000-8000-00000000d1e0',
        displayName: null,
      };
      return this.objects(ask, [...ids.map((one) => ({ '@odata.type': '#microsoft.graph.group', id: one })), role]);
    }
    if (rest[0] === 'directReports') {
      const reports = directory.entries('users', 'live').filter((one) => directory.managerOf(one.id) === user.id);
      return this.objects(
        ask,
        reports.map((one) => ({ '@odata.type': '#microsoft.graph.user', id: one.id })),
      );
    }
    throw badRequest(`Resource not found for the segment '${rest[0]}'.`);
  }

  /** By object id or user principal name. One that was just made is not found at first. */
  private findUser(name: string): Entry | undefined {
    const { directory } = this.parts;
    const user = directory.entry('users', name, this.visible);
    if (user !== undefined)
      return directory.isLive(name) && user.status === 'live' ? directory.entry('users', name) : undefined;
    return directory
      .entries('users', 'live')
      .find(({ properties }) => String(properties['userPrincipalName']).toLowerCase() === name.toLowerCase());
  }

  private mailboxSettings({ id, status }: Entry): Answer {
    this.need(['MailboxSettings.Read', 'MailboxSettings.ReadWrite']);
    const purpose = status === 'live' ? this.parts.directory.mailboxes.get(id) : undefined;
    if (purpose === undefined)
      throw new Refusal(
        404,
        'MailboxNotEnabledForRESTAPI',
        'The mailbox is either inactive, soft-deleted, or is hosted on-premise.',
      );
    return { status: 200, body: { '@odata.context': 'mailboxSettings', userPurpose: purpose } };
  }

  private groups(ask: Ask, [id, ...rest]: readonly string[]): Answer {
    this.need(['GroupMember.Read.All', 'Group.Read.All', 'Directory.Read.All']);
    const { directory, base } = this.parts;
    if (id === undefined) return this.list(ask, 'groups');
    if (id === 'delta') return this.deltas.answer('groups', ask.parameters, base());
    if (id === '$count') return this.count(ask, directory.entries('groups', 'live', this.visible).length);
    const group = directory.entry('groups', id);
    if (group?.status !== 'live') throw notFound(id);
    if (rest.length === 0) {
      const query = readQuery(ask.parameters, { list: 'groups', allowed: ['$select'], eventual: isEventual(ask) });
      return {
        status: 200,
        body: { '@odata.context': `${base()}/$metadata#groups/$entity`, ...this.show('groups', group, query) },
      };
    }
    if (rest[0] === 'memberOf')
      return this.objects(
        ask,
        directory.groupsOf(id).map((one) => ({ '@odata.type': '#microsoft.graph.group', id: one })),
      );
    if (rest[0] !== 'members' && rest[0] !== 'transitiveMembers')
      throw badRequest(`Resource not found for the segment '${rest[0]}'.`);
    const direct = (one: string): string[] => directory.membersOf(one);
    // Service principals are missing from v1.0, as known-issues has it.
    const ids = (rest[0] === 'members' ? direct(id) : closure(id, direct)).filter(
      (one) => directory.kindOf(one) !== 'servicePrincipal',
    );
    if (rest[1] === '$count') return this.count(ask, ids.length);
    if (rest[1] !== undefined && !isEventual(ask))
      throw unsupported('A cast needs ConsistencyLevel: eventual and $count=true.');
    const cast = rest[1]?.replace('microsoft.graph.', '');
    return this.objects(
      ask,
      ids.filter((one) => cast === undefined || directory.kindOf(one) === cast).map((one) => this.member(one)),
    );
  }

  /** Of a type that the application may not read only type and id are told. */
  private member(id: string): Record<string, unknown> {
    const kind = this.parts.directory.kindOf(id);
    return { '@odata.type': `#microsoft.graph.${kind}`, id, ...(kind === 'device' ? { displayName: null } : {}) };
  }

  private deletedItems(ask: Ask, [type, ...rest]: readonly string[]): Answer {
    const list = type === 'microsoft.graph.user' ? 'users' : type === 'microsoft.graph.group' ? 'groups' : undefined;
    const { directory } = this.parts;
    if (type === undefined || rest.length > 0)
      throw badRequest('The type of the deleted items must be given as a cast, and nothing after it.');
    if (list === undefined) {
      this.need(['Directory.Read.All', 'User.Read.All']);
      const found = (['users', 'groups'] as const)
        .map((one) => directory.entry(one, type))
        .find((entry) => entry?.status === 'bin');
      if (found === undefined) throw notFound(type);
      return {
        status: 200,
        body: {
          '@odata.type': `#microsoft.graph.${directory.kindOf(type)}`,
          id: found.id,
          displayName: found.properties['displayName'] ?? null,
        },
      };
    }
    this.need(['Directory.Read.All', list === 'users' ? 'User.Read.All' : 'Group.Read.All']);
    return this.list(ask, list, 'bin');
  }

  private organization({ parameters }: Ask): Answer {
    this.need(['User.Read.All', 'Organization.Read.All', 'Directory.Read.All']);
    const all = {
      id: this.parts.directory.tenantId,
      displayName: 'Strict',
      verifiedDomains: [
        { name: 'contoso.example', isDefault: true, isInitial: false, type: 'Managed', capabilities: 'Email' },
      ],
      onPremisesSyncEnabled: null,
      onPremisesLastSyncDateTime: null,
    };
    const select = parameters.get('$select')?.split(',') ?? Object.keys(all);
    return {
      status: 200,
      body: { value: [Object.fromEntries(Object.entries(all).filter(([name]) => select.includes(name)))] },
    };
  }

  private ownApplication(): Answer {
    this.need(['Application.Read.All']);
    const { secret } = this.parts.application;
    return {
      status: 200,
      body: { passwordCredentials: [{ hint: secret.slice(0, 3), endDateTime: '2030-01-01T00:00:00Z' }] },
    };
  }

  private list(ask: Ask, list: ListName, status: Entry['status'] = 'live'): Answer {
    const again = this.following(ask);
    if (again !== undefined) return again;
    const eventual = isEventual(ask);
    const allowed = status === 'live' ? LIST_OPTIONS : ['$select', '$top', '$count', '$orderby'];
    const query = readQuery(ask.parameters, { list, allowed, eventual });
    const found = this.parts.directory.entries(list, status, this.visible).filter((entry) => isFound(entry, query));
    const items = found.map((entry) => this.show(list, entry, query));
    return this.page(
      { path: ask.path, items, top: query.top, eventual: eventual && (query.count || query.search !== undefined) },
      query.count ? found.length : undefined,
    );
  }

  private show(
    list: ListName,
    entry: Entry,
    { select, expandsManager }: Pick<Query, 'select' | 'expandsManager'>,
  ): Record<string, unknown> {
    const shown = project(entry.properties, select, list === 'users' ? 'null' : 'absent');
    const manager = expandsManager ? this.parts.directory.managerOf(entry.id) : null;
    return manager === null ? shown : { ...shown, manager: { '@odata.type': '#microsoft.graph.user', id: manager } };
  }

  /** A list of directory objects of several types. */
  private objects(ask: Ask, items: readonly Record<string, unknown>[]): Answer {
    const again = this.following(ask);
    if (again !== undefined) return again;
    const odd = [...ask.parameters.keys()].find((name) => !['$select', '$top', '$count'].includes(name));
    if (odd !== undefined) throw unsupported(`'${odd}' is not supported here.`);
    readSelect(ask.parameters.get('$select'), 'users');
    return this.page({ path: ask.path, items, top: readTop(ask.parameters.get('$top')), eventual: false }, undefined);
  }

  /** The page that a link leads to. Headers are not carried in links. */
  private following(ask: Ask): Answer | undefined {
    const token = ask.parameters.get('$skiptoken');
    if (token === null) return undefined;
    const listing = this.pages.get(token);
    if (listing === undefined || listing.path !== ask.path)
      throw new Refusal(
        400,
        'Directory_ExpiredPageToken',
        'The specified page token value has expired and can no longer be included in your request.',
      );
    if (listing.eventual && !isEventual(ask)) throw badRequest('The page token needs ConsistencyLevel: eventual.');
    return this.page(listing, undefined);
  }

  private page(listing: Listing, count: number | undefined): Answer {
    const { random, habits, base } = this.parts;
    const size = random.chance(habits.emptyPages) ? 0 : Math.min(listing.top, habits.pageSize);
    const value = listing.items.slice(0, size);
    const left = listing.items.slice(size);
    const again = value.length > 1 && left.length > 0 && random.chance(habits.repeats) ? value.slice(-1) : [];
    const body: Record<string, unknown> = { '@odata.context': `${base()}/$metadata#directoryObjects` };
    if (count !== undefined) body['@odata.count'] = count;
    if (left.length > 0 || size === 0) {
      const token = random.uuid();
      this.pages.set(token, { ...listing, items: [...again, ...left] });
      const query = random.shuffle([`$skiptoken=${token}`, `$top=${listing.top}`, '$select=id']).join('&');
      body['@odata.nextLink'] = `${base()}${listing.path}?${query}`;
    }
    return { status: 200, body: { ...body, value } };
  }

  private count(ask: Ask, count: number): Answer {
    if (!isEventual(ask)) throw badRequest('$count is not currently supported.');
    return { status: 200, body: count, headers: { 'content-type': 'text/plain' } };
  }

  private batch(ask: Ask): Answer {
    const requests = (ask.body as { requests?: unknown } | null)?.requests;
    if (!Array.isArray(requests)) throw badRequest('Invalid batch payload format.');
    if (requests.length > BATCH_MAX) throw badRequest(`Number of batch requests exceeds the maximum of ${BATCH_MAX}.`);
    const steps = requests as { id?: unknown; method?: unknown; url?: unknown; headers?: Record<string, string> }[];
    if (new Set(steps.map(({ id }) => id)).size !== steps.length) throw badRequest('Batch request ids must be unique.');
    const responses = steps.map(({ id, method, url, headers = {} }) => {
      if (typeof id !== 'string' || typeof url !== 'string' || !url.startsWith('/'))
        throw badRequest('Invalid batch step.');
      if (this.parts.throttlesStep())
        return {
          id,
          status: 429,
          headers: { 'Retry-After': '0' },
          body: { error: { code: 'TooManyRequests', message: 'Too many.' } },
        };
      const parsed = new URL(`https://graph${url}`);
      const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
      const answer = this.answer({
        method: String(method),
        path: parsed.pathname,
        parameters: parsed.searchParams,
        headers: lower,
        body: undefined,
      });
      return {
        id,
        status: answer.status,
        headers: { 'Content-Type': 'application/json', ...answer.headers },
        body: answer.body,
      };
    });
    return { status: 200, body: { responses: this.parts.random.shuffle(responses) } };
  }
}

function isFound({ properties }: Entry, { filter, search }: Query): boolean {
  const equals = filter === undefined ? undefined : /^(\w+) eq '?((?:[^']|'')*)'?$/.exec(filter);
  if (equals != null) return String(properties[equals[1] ?? '']) === (equals[2] ?? '').replaceAll("''", "'");
  const words = search?.split(' OR ').map((term) => /^"(\w+):(.*)"$/.exec(term) ?? []);
  return (
    words === undefined ||
    words.some(([, name = '', text = '']) =>
      String(properties[name] ?? '')
        .toLowerCase()
        .includes(text.toLowerCase()),
    )
  );
}

function isEventual({ headers }: Ask): boolean {
  return headers['consistencylevel']?.toLowerCase() === 'eventual';
}

/** `users('name')` is `users/name`. */
function keyed([first = '', ...rest]: readonly string[], list: string): string[] {
  const key = new RegExp(`^${list}\\('(.*)'\\)$`).exec(first)?.[1];
  return key === undefined ? rest : [key.replaceAll("''", "'"), ...rest];
}

/** Everything that is reached by following links, without the start. */
function closure(start: string, linked: (id: string) => readonly string[]): string[] {
  const found = new Set<string>();
  const waiting = [start];
  for (const id of waiting)
    for (const next of linked(id))
      if (!found.has(next)) {
        found.add(next);
        waiting.push(next);
      }
  found.delete(start);
  return [...found];
}
