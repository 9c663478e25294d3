// Delta queries of users and groups. Sources: learn.microsoft.com/graph/delta-query-overview, delta-query-users,
// delta-query-groups, api/user-delta and api/group-delta.
import type { Directory, Entry, ListName } from './directory.ts';
import { type Answer, badRequest, project, Refusal, readSelect } from './query.ts';
import type { Random } from './random.ts';

/** In what Microsoft's documentation leaves open, and tenants differ. */
export interface Habits {
  /** Objects on a page. */
  readonly pageSize: number;
  /** Changes of members in one item of a group. */
  readonly membersPerItem: number;
  /** How often all selected properties come with a change, and not only those that changed. */
  readonly wordy: number;
  /** How often something comes that came before. */
  readonly repeats: number;
  /** How often a page is empty and has a next one. */
  readonly emptyPages: number;
  /** A link that was made before its member went to the recycle bin is told. */
  readonly showsBinnedMembers: boolean;
  /** A restored user comes with the manager. */
  readonly restoreTellsManager: boolean;
  /** How a token is refused that is too old. */
  readonly expiry: 'goneWithLocation' | 'goneWithout' | 'syncStateNotFound' | 'notFound';
}

type Item = Record<string, unknown>;

/** What a token stands for: the end of a round, or a place in the middle of one. */
interface Token {
  readonly list: ListName;
  readonly select: readonly string[];
  readonly selectText: string | null;
  readonly since: number;
  readonly rest?: readonly Item[];
  readonly upTo?: number;
}

const LINKS: Readonly<Record<ListName, string>> = { users: 'manager', groups: 'members' };

export class DeltaQueries {
  private readonly directory: Directory;
  private readonly random: Random;
  private readonly habits: Habits;
  private tokens = new Map<string, Token>();
  /** What of the past is visible. */
  private readonly visible: () => number;

  constructor(parts: { directory: Directory; random: Random; habits: Habits; visible: () => number }) {
    this.directory = parts.directory;
    this.random = parts.random;
    this.habits = parts.habits;
    this.visible = parts.visible;
  }

  /** Every token that was given out is too old now, or those of one list. */
  expire(list?: ListName): void {
    for (const [name, token] of this.tokens) if (list === undefined || token.list === list) this.tokens.delete(name);
  }

  answer(list: ListName, parameters: URLSearchParams, base: string): Answer {
    const token = this.tokenIn(list, parameters, base);
    const context = `${base}/$metadata#${list}`;
    const { upTo = this.visible(), ...from } = token;
    if (from.since > upTo) return this.page({ ...from, rest: [], upTo: from.since }, context, base);
    const rest = from.rest ?? this.round(from, upTo);
    return this.page({ ...from, rest, upTo }, context, base);
  }

  private tokenIn(list: ListName, parameters: URLSearchParams, base: string): Token {
    const names = [...parameters.keys()];
    const given = parameters.get('$skiptoken') ?? parameters.get('$deltatoken');
    if (given === 'latest' || !given) {
      const allowed = ['$select', '$deltatoken', '$filter'];
      const odd = names.find((name) => !allowed.includes(name));
      if (odd !== undefined) throw badRequest(`'${odd}' is not supported with delta queries.`);
      const selectText = parameters.get('$select');
      const select = readSelect(selectText, list, [LINKS[list]]);
      const since = given === 'latest' ? this.visible() : 0;
      return { list, select, selectText, since, ...(given === 'latest' ? { rest: [], upTo: since } : {}) };
    }
    if (names.length > 1)
      throw badRequest('Query parameters are part of the state token and must not be given beside it.');
    const token = this.tokens.get(given);
    if (token?.list !== list) throw this.expired(list, base);
    return token;
  }

  private expired(list: ListName, base: string): Refusal {
    const { expiry } = this.habits;
    const again = { Location: `${base}/${list}/delta?$deltatoken=` };
    if (expiry === 'goneWithLocation')
      return new Refusal(410, 'resyncRequired', 'Resync required. Replace the local state.', again);
    if (expiry === 'goneWithout')
      return new Refusal(
        410,
        'syncStateInvalid',
        'The sync state generation is not found; continuing could lead to data loss.',
      );
    if (expiry === 'notFound') return new Refusal(404, 'syncStateNotFound', 'The sync state generation is not found.');
    return new Refusal(400, 'syncStateNotFound', 'The sync state generation is not found; the delta token is expired.');
  }

  private page(token: Token & { upTo: number; rest: readonly Item[] }, context: string, base: string): Answer {
    const { random, habits } = this;
    const size = random.chance(habits.emptyPages) ? 0 : habits.pageSize;
    const value = token.rest.slice(0, size);
    const rest = token.rest.slice(size);
    const body: Record<string, unknown> = { '@odata.context': context, value };
    const { list, select, selectText } = token;
    if (rest.length > 0 || (size === 0 && random.chance(0.5))) {
      const again = value.length > 0 && random.chance(habits.repeats) ? value.slice(-1) : [];
      body['@odata.nextLink'] =
        `${base}/${list}/delta?$skiptoken=${this.give({ ...token, rest: [...again, ...rest] })}`;
    } else
      body['@odata.deltaLink'] =
        `${base}/${list}/delta?$deltatoken=${this.give({ list, select, selectText, since: token.upTo })}`;
    return { status: 200, body };
  }

  private give(token: Token): string {
    const name = `${this.random.uuid()}_${this.random.uuid()}`.replaceAll('-', '');
    this.tokens.set(name, token);
    return name;
  }

  /** Everything that one round tells, in an order in which only items of the same object keep theirs. */
  private round({ list, select, since }: Token, upTo: number): Item[] {
    const { directory, random, habits } = this;
    // A replay tells of changes that were told before.
    const after = since > 0 && random.chance(habits.repeats) ? Math.max(0, since - random.int(12)) : since;
    const ids = directory.changedBetween(list, after, upTo);
    const byObject = ids
      .map((id) => this.itemsOf(list, id, { select, after, upTo }))
      .filter((items) => items.length > 0);
    const mixed: Item[] = [];
    const open = byObject.map((items) => [...items]);
    while (open.length > 0) {
      const index = random.int(open.length);
      const item = open[index]?.shift();
      if (item !== undefined) mixed.push(item);
      if (open[index]?.length === 0) open.splice(index, 1);
    }
    return mixed.flatMap((item) => (random.chance(habits.repeats / 4) ? [item, item] : [item]));
  }

  private itemsOf(
    list: ListName,
    id: string,
    window: { select: readonly string[]; after: number; upTo: number },
  ): Item[] {
    const { directory, random } = this;
    const { after, upTo } = window;
    const before = after === 0 ? undefined : directory.entry(list, id, after);
    const now = directory.entry(list, id, upTo);
    if (now === undefined) return [];
    if (now.status !== 'live') {
      // What never was shown may be shown as gone; what went earlier need not be told again.
      if (before?.status === now.status && !random.chance(this.habits.repeats)) return [];
      return [gone(id, now.status)];
    }
    const states = directory.statesBetween(list, id, after, upTo);
    const left = states.findLast(({ status }) => status !== 'live');
    const isNew = before?.status !== 'live' || left !== undefined;
    const shown =
      list === 'users' ? this.user(now, before, { ...window, isNew }) : this.group(now, before, { ...window, isNew });
    const told = left !== undefined && (before?.status === 'live' || random.chance(0.5)) ? [gone(id, left.status)] : [];
    return [...told, ...shown];
  }

  private properties(
    now: Entry,
    before: Entry | undefined,
    { select, isNew }: { select: readonly string[]; isNew: boolean },
  ): Item | undefined {
    const plain = select.filter((name) => name !== 'manager' && name !== 'members');
    if (isNew || before === undefined || this.random.chance(this.habits.wordy))
      return project(now.properties, plain, 'absent');
    const changed = plain.filter(
      (name) => JSON.stringify(now.properties[name]) !== JSON.stringify(before.properties[name]),
    );
    return changed.length === 0 ? undefined : project(now.properties, changed, 'absent');
  }

  private user(
    now: Entry,
    before: Entry | undefined,
    window: { select: readonly string[]; after: number; upTo: number; isNew: boolean },
  ): Item[] {
    const { directory, random, habits } = this;
    const item = this.properties(now, before, window);
    if (!window.select.includes('manager')) return item === undefined ? [] : [item];
    const restored = window.isNew && window.after > 0 && before !== undefined;
    const was = window.isNew ? null : (before?.manager ?? null);
    const is = directory.managerOf(now.id, window.upTo);
    const changes: Item[] = [];
    if (was !== null && was !== now.manager)
      changes.push({ '@odata.type': '#microsoft.graph.user', id: was, '@removed': { reason: 'deleted' } });
    const silent = restored && !habits.restoreTellsManager && now.manager === before?.manager;
    if (is !== null && is !== was && !silent) changes.push({ '@odata.type': '#microsoft.graph.user', id: is });
    if (changes.length === 0) return item === undefined ? [] : [item];
    return [{ ...(item ?? { id: now.id }), 'manager@delta': random.shuffle(changes) }];
  }

  private group(
    now: Entry,
    before: Entry | undefined,
    window: { select: readonly string[]; after: number; upTo: number; isNew: boolean },
  ): Item[] {
    const { directory, random, habits } = this;
    const item = this.properties(now, before, window);
    if (!window.select.includes('members')) return item === undefined ? [] : [item];
    const touched = window.isNew
      ? directory.linkedTo(now.id, window.upTo)
      : directory.linksChanged(now.id, window.after, window.upTo);
    const changes = touched.flatMap((id): Item[] => {
      const was = !window.isNew && directory.isLinked(now.id, id, window.after);
      const is = directory.isLinked(now.id, id, window.upTo);
      if (was === is && !random.chance(habits.wordy)) return [];
      if (is && !directory.isLive(id, window.upTo) && !habits.showsBinnedMembers) return [];
      const member = { '@odata.type': `#microsoft.graph.${directory.kindOf(id)}`, id };
      return [is ? member : { ...member, '@removed': { reason: 'deleted' } }];
    });
    if (changes.length === 0) return item === undefined ? [] : [item];
    const mixed = random.shuffle(changes);
    const parts: Item[] = [];
    for (let start = 0; start < mixed.length; start += habits.membersPerItem)
      parts.push({
        ...(start === 0 ? item : {}),
        id: now.id,
        'members@delta': mixed.slice(start, start + habits.membersPerItem),
      });
    return parts;
  }
}

function gone(id: string, status: Entry['status']): Item {
  return { id, '@removed': { reason: status === 'bin' ? 'changed' : 'deleted' } };
}
