// One connection to a directory server: opened, encrypted and signed in once, and never again in silence. The library
// would connect anew by itself when a connection is lost, without signing in, and an anonymous search that shows nobody
// would look like a directory without people.
import type { LookupFunction } from 'node:net';
import type tls from 'node:tls';
import {
  Client,
  type Control,
  PagedResultsControl,
  type SearchEntry,
  type SearchReference,
  SearchRequest,
  type SearchResponse,
} from 'ldapts';
import type { Cost } from '#core/cost.ts';
import { makePageLoop } from '#core/page-loop.ts';
import type { Trace } from '#core/provider.ts';
import { checkInside, insideLookup } from '#platform/inside.ts';
import { CONNECTING, connectionLost, endlessList, explainBind, explainResult, explainThrown } from './failures.ts';
import { parseFilter } from './filter.ts';
import { hostOf, type LdapSettings, serverNameOf } from './settings.ts';
import { makeSockets } from './sockets.ts';
import { readStrictly } from './strict-ber.ts';

/** One entry as it was sent: attributes in the server's spelling, with their options. */
export interface RawEntry {
  readonly dn: string;
  readonly attributes: readonly { readonly type: string; readonly values: readonly Buffer[] }[];
}

export interface SearchAsked {
  readonly base: string;
  readonly scope: 'base' | 'one' | 'sub';
  readonly filter: string;
  readonly attributes: readonly string[];
  /** In words, for an error. */
  readonly doing: string;
  /** 0 for no limit: the answer may then be short without a word. */
  readonly sizeLimit?: number;
}

export interface Connection {
  /**
   * Pages of entries, up to the last. Entries on other servers are counted and not followed. A search within another one
   * goes by a connection of its own to the same address, so that one server answers both.
   */
  search(asked: SearchAsked, signal: AbortSignal): AsyncGenerator<readonly RawEntry[]>;
  /** The same by a connection of its own, which may lead to another server where a name leads to several. */
  searchAside(asked: SearchAsked, signal: AbortSignal): AsyncGenerator<readonly RawEntry[]>;
  /** One page, and no more: at most as many as `sizeLimit` says. */
  first(asked: SearchAsked, signal: AbortSignal): Promise<readonly RawEntry[]>;
  cost(): Cost;
  /** References to other servers that were passed over. */
  referrals(): number;
  close(): Promise<void>;
}

/**
 * Connects and signs in.
 * @throws {UpstreamError} `unreachable`, `timeout`
 * @throws {CredentialsError} `bind-refused`, `bind-expired`
 * @throws {ConfigError} `certificate-untrusted`, `tls-failed`, `encryption-required`
 */
export function connect(settings: LdapSettings, signal: AbortSignal, trace?: Trace): Promise<Connection> {
  return connectTo(insideLookup, { settings, signal, trace });
}

interface Wanted {
  readonly settings: LdapSettings;
  readonly signal: AbortSignal;
  readonly trace: Trace | undefined;
}

/** @param lookup where the name in the URL leads */
async function connectTo(lookup: LookupFunction, { settings, signal, trace }: Wanted): Promise<Connection> {
  const { url, limits, startTls, bind } = settings;
  const host = hostOf(settings);
  checkInside(host);
  const sockets = makeSockets(host, lookup);
  const client = new Client({
    url,
    timeout: limits.requestSeconds * 1000,
    connectTimeout: limits.connectSeconds * 1000,
    ...(url.startsWith('ldaps:') ? { tlsOptions: tlsOptions(settings) } : {}),
    ...sockets.options,
  });
  readStrictly(client);
  const abort = (): void => void client.unbind().catch(() => undefined);
  signal.addEventListener('abort', abort, { once: true });
  const doing = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      signal.throwIfAborted();
      await work();
    } catch (error) {
      signal.throwIfAborted();
      throw isResult(error) && what === CONNECTING.signIn
        ? explainBind(error.code, error.message)
        : explainThrown(error, host, what);
    }
  };
  try {
    if (startTls) await doing(CONNECTING.startTls, () => client.startTLS(tlsOptions(settings)));
    // A bind without a name is how LDAP says: anonymous. It also opens the connection.
    await doing(CONNECTING.signIn, () => client.bind(bind?.dn ?? '', bind?.password ?? ''));
    trace?.('ldap connected', { host });
    return makeConnection(client, settings, { host, sameAddress: sockets.sameAddress, signal, abort }, trace);
  } catch (error) {
    signal.removeEventListener('abort', abort);
    await client.unbind().catch(() => undefined);
    throw error;
  }
}

function isResult(error: unknown): error is Error & { readonly code: number } {
  return error instanceof Error && 'code' in error && typeof error.code === 'number';
}

function tlsOptions(settings: LdapSettings): tls.ConnectionOptions {
  const servername = serverNameOf(settings);
  return {
    host: settings.tls.serverName ?? hostOf(settings),
    ...(servername === undefined ? {} : { servername }),
    ...(settings.tls.ca === undefined ? {} : { ca: settings.tls.ca }),
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
  };
}

interface Held {
  readonly host: string;
  readonly sameAddress: LookupFunction;
  readonly signal: AbortSignal;
  readonly abort: () => void;
}

/** A page may be empty and not be the last; so many in a row lead nowhere. */
const EMPTY_PAGES_MAX = 1_000;

function makeConnection(client: Client, settings: LdapSettings, held: Held, trace?: Trace): Connection {
  const { pageSize, requestSeconds } = settings.limits;
  const spent = { requests: 0, bytes: 0 };
  let passedOver = 0;
  let closed = false;
  let isPaging = false;

  const send = async (asked: SearchAsked, cookie: Buffer | undefined, signal: AbortSignal): Promise<Answer> => {
    signal.throwIfAborted();
    // Whoever is not signed in any more must not ask: the answer would be that of an anonymous.
    if (closed || !client.isBound) throw connectionLost(held.host, asked.doing);
    const paging = new PagedResultsControl({ value: { size: pageSize, ...(cookie === undefined ? {} : { cookie }) } });
    const limit = asked.sizeLimit === undefined ? {} : { sizeLimit: asked.sizeLimit };
    try {
      const request = { ...asked, ...limit, controls: limit.sizeLimit === undefined ? [paging] : [] };
      const answer = await sendSearch(client, { ...request, timeLimit: requestSeconds });
      spent.requests += 1;
      const isCut = answer.status === SIZE_LIMIT && limit.sizeLimit !== undefined;
      if (answer.status !== 0 && !isCut) throw explainResult(answer.status, answer.errorMessage, asked.doing);
      passedOver += answer.searchReferences.reduce((sum: number, one: SearchReference) => sum + one.uris.length, 0);
      const entries = answer.searchEntries.map(toRaw);
      spent.bytes += entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
      trace?.('ldap page', { doing: asked.doing, count: entries.length });
      return { entries, cookie: cookieOf(answer.controls) };
    } catch (error) {
      signal.throwIfAborted();
      held.signal.throwIfAborted();
      throw explainThrown(error, held.host, asked.doing);
    }
  };

  async function* searchPages(asked: SearchAsked, signal: AbortSignal): AsyncGenerator<readonly RawEntry[]> {
    isPaging = true;
    try {
      const loop = makePageLoop(EMPTY_PAGES_MAX);
      let cookie: Buffer | undefined;
      do {
        const answer: Answer = await send(asked, cookie, signal);
        yield answer.entries;
        cookie = answer.cookie;
        if (cookie !== undefined && loop(answer.entries.map(({ dn }) => dn)) !== undefined)
          throw endlessList(asked.doing);
      } while (cookie !== undefined);
    } finally {
      isPaging = false;
    }
  }

  /** OpenLDAP knows one place in one list for each connection: another list would end the one that is being read. */
  async function* searchAside(
    lookup: LookupFunction,
    asked: SearchAsked,
    signal: AbortSignal,
  ): AsyncGenerator<readonly RawEntry[]> {
    const aside = await connectTo(lookup, { settings, signal: held.signal, trace });
    try {
      yield* aside.search(asked, signal);
    } finally {
      const { requests, bytes } = aside.cost();
      spent.requests += requests;
      spent.bytes += bytes;
      passedOver += aside.referrals();
      await aside.close();
    }
  }

  return {
    search: (asked, signal) => (isPaging ? searchAside(held.sameAddress, asked, signal) : searchPages(asked, signal)),
    searchAside: (asked, signal) => searchAside(insideLookup, asked, signal),
    first: async (asked, signal) => (await send({ sizeLimit: 1, ...asked }, undefined, signal)).entries,
    cost: () => ({ requests: spent.requests, resourceUnits: 0, bytes: spent.bytes, throttledMs: 0 }),
    referrals: () => passedOver,
    async close() {
      closed = true;
      held.signal.removeEventListener('abort', held.abort);
      await client.unbind().catch(() => undefined);
    },
  };
}

interface Answer {
  readonly entries: readonly RawEntry[];
  /** Where the next page begins. A page may be empty and not be the last. */
  readonly cookie: Buffer | undefined;
}

const SIZE_LIMIT = 4;

/** The methods of the library's client by which its own `search` sends. */
interface Sender {
  _nextMessageId(): number;
  _send(request: SearchRequest): Promise<SearchResponse | undefined>;
}

/**
 * Sends one search and answers everything that came back. The library's own paging takes an empty page for the last one
 * even when the server says that there is more, as Active Directory may, and keeps the cookie to itself; so this goes by
 * the two methods beneath it. The version is pinned, and the tests of the contract walk through pages.
 */
async function sendSearch(
  client: Client,
  request: Omit<SearchAsked, 'sizeLimit' | 'doing'> & {
    readonly sizeLimit?: number;
    readonly timeLimit: number;
    readonly controls: Control[];
  },
): Promise<SearchResponse> {
  const sender = client as unknown as Sender;
  const answer = await sender._send(
    new SearchRequest({
      messageId: sender._nextMessageId(),
      baseDN: request.base,
      scope: request.scope,
      filter: parseFilter(request.filter),
      attributes: [...request.attributes],
      timeLimit: request.timeLimit,
      controls: request.controls,
      ...(request.sizeLimit === undefined ? {} : { sizeLimit: request.sizeLimit }),
    }),
  );
  if (answer === undefined) throw new Error('no answer');
  return answer;
}

function cookieOf(controls: readonly Control[] | undefined): Buffer | undefined {
  const paging = controls?.find((control) => control instanceof PagedResultsControl);
  const cookie = paging instanceof PagedResultsControl ? paging.value?.cookie : undefined;
  return cookie === undefined || cookie.length === 0 ? undefined : cookie;
}

function toRaw({ name, attributes }: SearchEntry): RawEntry {
  return { dn: name, attributes: attributes.map(({ type, parsedBuffers }) => ({ type, values: parsedBuffers })) };
}

function sizeOf({ dn, attributes }: RawEntry): number {
  return attributes.reduce(
    (sum, { type, values }) => sum + type.length + values.reduce((bytes, value) => bytes + value.length, 0),
    dn.length,
  );
}
