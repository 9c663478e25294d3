// A downstream app that takes SCIM 2.0.
import {
  type Capabilities,
  type Learned,
  type Target,
  type TargetContext,
  TargetError,
  type TargetFailure,
  type TargetKind,
  type TargetPreset,
} from '#core/target.ts';
import type { Clock } from '#platform/clock.ts';
import type { OutgoingPolicy } from '#platform/fetch.ts';
import { makeHttpClient } from '#platform/http-client.ts';
import { makeAuthorizer, secretsOf } from './auth.ts';
import { type BulkParts, makeBulkCreator } from './bulk.ts';
import { makeScimClient, type ScimClient } from './client.ts';
import { discover } from './discovery.ts';
import { type Matcher, makeMatcher } from './match.ts';
import { doubtMissing } from './missing.ts';
import { makePace } from './pace.ts';
import { readPages } from './pages.ts';
import { PRESETS } from './presets.ts';
import { idInLocation, pathOf, placeOf, remoteOf, withoutMembers } from './remote.ts';
import { parseSettings, policyOf, type ScimSettings, SECRET_PATHS } from './settings.ts';
import { declaredPart } from './shape.ts';
import { makeWriter } from './write.ts';

export interface ScimAppParts {
  readonly clock: Clock;
  readonly outgoing: OutgoingPolicy;
}

export function scimAppKind({ clock, outgoing }: ScimAppParts): TargetKind<ScimSettings> {
  return {
    kind: 'scim',
    title: 'SCIM 2.0 app',
    presets: [
      presetOf(null, 'SCIM 2.0 app'),
      ...Object.entries(PRESETS).map(([name, { title }]) => presetOf(name, title)),
    ],
    secretPaths: SECRET_PATHS,
    parseSettings,
    policy: policyOf,
    trust: ({ tls }) => tls?.ca ?? '',
    urls: ({ baseUrl, auth, nextAuth }) => [
      baseUrl,
      ...[auth, nextAuth].flatMap((one) => (one?.kind === 'oauth' ? [one.tokenUrl] : [])),
    ],
    open(settings, context) {
      const { pace: limits, dialect } = settings;
      const http = makeHttpClient(outgoing, {
        connections: limits.concurrency + 2,
        answerMs: settings.timeoutSeconds * 1_000,
        tls: settings.tls ?? undefined,
      });
      const sharing = shareExchanges(context.trace);
      const auths = settings.nextAuth === null ? [settings.auth] : [settings.auth, settings.nextAuth];
      const authorizer = makeAuthorizer(auths, http, clock);
      const pace = makePace(limits, clock, context.askedToRest);
      const endRest = (): void => {
        authorizer.endRest();
        pace.endRest();
      };
      const client = makeScimClient({
        http,
        baseUrl: settings.baseUrl,
        headers: settings.headers,
        contentType: dialect.contentType,
        secrets: [...auths.flatMap(secretsOf), ...Object.values(settings.headers)],
        authorizer,
        pace,
        clock,
        dryRun: context.dryRun,
        trace: sharing.trace,
        permit: context.permit,
      });
      const known = { capabilities: context.capabilities, learned: context.learned };
      return makeTarget(settings, { client, clock, endRest, share: sharing.share, close: () => http.close() }, known);
    },
  };
}

function presetOf(name: string | null, title: string): TargetPreset {
  const {
    baseUrl: _url,
    auth: _auth,
    ...settings
  } = parseSettings({
    preset: name,
    baseUrl: 'https://app.example.com/scim/v2',
    auth: { kind: 'none' },
  });
  return { name, title, settings };
}

/** After a create what was read before it lacks what it made; after one that is not known to have failed it may. */
function noting(create: Target['create'], matcher: Pick<Matcher, 'note' | 'forget'>): Target['create'] {
  return async (type, payload, signal) => {
    try {
      const remote = await create(type, payload, signal);
      matcher.note(type, payload, remote.id);
      return remote;
    } catch (error) {
      if (!(error instanceof TargetError) || error.unknown) matcher.forget('unknown');
      else if (error.kind === 'conflict') matcher.forget('conflict');
      throw error;
    }
  };
}

/** A request that is made for several is traced for each of them. */
function shareExchanges(trace: TargetContext['trace']): Pick<BulkParts, 'share'> & Pick<TargetContext, 'trace'> {
  const sharers = new WeakMap<AbortSignal, readonly AbortSignal[]>();
  return {
    share: (signal, among) => void sharers.set(signal, among),
    trace(exchange, of) {
      for (const signal of sharers.get(of) ?? [of]) trace(exchange, signal);
    },
  };
}

/** A create that is a request of its own. */
function makeCreateOne(client: ScimClient, read: Target['read']): Target['create'] {
  return async (type, payload, signal) => {
    const { body, etag, status, location } = await client.send(
      { method: 'POST', path: placeOf(type), body: payload },
      signal,
    );
    const id = idInLocation(location ?? '');
    // An address is believed when it shows what was made.
    const remote =
      remoteOf(body, etag) ?? (id === '' ? undefined : await read(type, id, signal).catch(() => undefined));
    if (remote !== undefined) return remote;
    throw new TargetError('The target made something and did not say what.', {
      kind: 'contract',
      reason: 'no-id-answered',
      status,
      unknown: true,
      remedy: 'It is looked for by its matching attributes; if that fails, ask whoever runs the target.',
    });
  };
}

/** What some answer to the deletion of whom they do not have. */
const MAY_BE_GONE: ReadonlySet<TargetFailure> = new Set(['server', 'refused', 'conflict']);

interface Means extends Pick<BulkParts, 'share'> {
  readonly client: ScimClient;
  readonly clock: Clock;
  endRest(): void;
  close(): Promise<void>;
}

function makeTarget(
  settings: ScimSettings,
  { client: direct, clock, share, endRest, close }: Means,
  known: { readonly capabilities: Capabilities | undefined; readonly learned: Learned },
): Target {
  const { dialect } = settings;
  const pages = { pageSize: dialect.pageSize, membersHidden: settings.members.hidden };
  let { capabilities, learned } = known;

  const probe: Target['probe'] = async (signal) => {
    const { body } = await direct.send(
      { method: 'GET', path: `${placeOf(settings.types[0] ?? 'User')}?startIndex=1&count=1` },
      signal,
    );
    if (body !== undefined && (Array.isArray(body['Resources']) || 'totalResults' in body)) return;
    throw new TargetError('The target answers, but with no SCIM list.', {
      kind: 'contract',
      reason: 'not-scim',
      remedy: 'Check the base URL: it should be that of a SCIM service, such as https://example.com/scim/v2.',
    });
  };
  const client = doubtMissing(direct, probe);

  const read: Target['read'] = async (type, id, signal) => {
    try {
      const { body, etag } = await client.send({ method: 'GET', path: pathOf(type, id) }, signal);
      const remote = remoteOf(body, etag);
      return settings.members.hidden ? withoutMembers(remote) : remote;
    } catch (error) {
      if (error instanceof TargetError && error.kind === 'gone') return undefined;
      throw error;
    }
  };

  const matcher = makeMatcher({
    client,
    clock,
    read,
    keys: settings.matching,
    pages,
    canFilter: () =>
      dialect.filter === 'always' || (dialect.filter === 'auto' && (learned.filter ?? capabilities?.filter ?? true)),
    cannotFilter() {
      if (dialect.filter === 'auto') learned = { ...learned, filter: false };
    },
  });

  const writer = makeWriter({
    client,
    settings,
    read,
    capabilities: () => capabilities,
    learned: () => learned,
    learn(news) {
      learned = { ...learned, ...news };
    },
  });

  const declared: Target['declaredPart'] = (type, payload) => declaredPart(payload, type, capabilities?.attributes);

  const createOne = makeCreateOne(client, read);
  const create = makeBulkCreator({ client, createOne, isOn: settings.bulk, capabilities: () => capabilities, share });

  return {
    probe,
    async discover(signal) {
      await probe(signal);
      capabilities = await discover(client, signal);
      return capabilities;
    },
    find: matcher.find,
    shaped(type, payload) {
      const isHeld = dialect.attributes === 'declared' || learned.declared?.[type] === true;
      return (isHeld ? declared(type, payload) : undefined) ?? payload;
    },
    declaredPart: (type, payload) => (dialect.attributes === 'auto' ? declared(type, payload) : undefined),
    learnDeclared(type) {
      learned = { ...learned, declared: { ...learned.declared, [type]: true } };
    },
    read,
    create: noting(create, matcher),
    async update(type, id, change, signal) {
      const answer = await writer.update(type, id, change, signal);
      matcher.note(type, change.after, answer.id);
      return answer;
    },
    async remove(type, id, signal) {
      try {
        return await writer.remove(type, id, signal);
      } catch (error) {
        if (!(error instanceof TargetError)) throw error;
        if (error.kind === 'gone') return false;
        // Some fail on what they do not have, or refuse it.
        if (!MAY_BE_GONE.has(error.kind) || (await read(type, id, signal)) !== undefined) throw error;
        return false;
      }
    },
    changeMembers: writer.changeMembers,
    pages: (type, signal, waitOut) => readPages(client, type, { ...pages, ...(waitOut && { waitOut }) }, signal),
    learned: () => learned,
    endRest() {
      endRest();
      matcher.endRest();
    },
    async close() {
      matcher.close();
      await close();
    },
  };
}
