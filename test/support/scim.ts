// The SCIM edge on a database that the test can look into, with a clock that it moves; and the few bodies all such tests
// send. Tests of what the composition adds start a whole gateway instead (gateway.ts).
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { Router } from 'express';
import { ENTERPRISE_SCHEMA, GROUP_SCHEMA, USER_SCHEMA } from '#core/resource.ts';
import type { AppScope } from '#core/scope.ts';
import { createApp } from '#http/app.ts';
import { makeAuthenticator } from '#http/auth.ts';
import { makeMetrics } from '#http/metrics.ts';
import { makeServer } from '#http/server.ts';
import { makeLog } from '#platform/log.ts';
import { makeSeal } from '#platform/seal.ts';
import { hashToken, makeToken } from '#platform/token.ts';
import { makeCursors } from '#scim/cursor.ts';
import { fastReads } from '#scim/fast.ts';
import { makePlaces } from '#scim/places.ts';
import { scimRouter } from '#scim/router.ts';
import { insertApp } from '#store/access/apps.ts';
import { findToken, insertToken } from '#store/access/tokens.ts';
import type { Database } from '#store/database.ts';
import { translateDatabaseError } from '#store/database-errors.ts';
import { makeCounts } from '#store/directory/counts.ts';
import { makeResourceReader } from '#store/directory/resource-reader.ts';
import { makeServedGroups } from '#store/directory/served-groups.ts';
import { readFigures } from '#store/views/metrics.ts';

export const MESSAGES = 'urn:ietf:params:scim:api:messages:2.0';
export { ENTERPRISE_SCHEMA, GROUP_SCHEMA, USER_SCHEMA };

/** A resource as SCIM answers it, with the attributes that tests look at. */
export interface ScimResource {
  readonly schemas: readonly string[];
  readonly id: string;
  readonly meta: {
    readonly resourceType: string;
    readonly created: string;
    readonly lastModified: string;
    readonly location: string;
    readonly version: string;
  };
  readonly userName?: string;
  readonly displayName?: string;
  readonly members?: readonly { readonly value: string; readonly $ref: string; readonly type: string }[];
  readonly groups?: readonly { readonly value: string; readonly display: string; readonly type: string }[];
  readonly [name: string]: unknown;
}

export interface ScimList {
  readonly schemas: readonly string[];
  readonly totalResults: number;
  readonly startIndex?: number;
  readonly itemsPerPage: number;
  readonly nextCursor?: string;
  readonly previousCursor?: string;
  readonly Resources: readonly ScimResource[];
}

export interface ScimError {
  readonly schemas: readonly string[];
  readonly status: string;
  readonly scimType?: string;
  readonly detail: string;
}

export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

export interface CallOptions {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ScimServer {
  readonly database: Database;
  /** What everybody reaches it by, with `/scim/v2`. */
  readonly base: string;
  /** May read and write everything. */
  readonly writer: string;
  /** May read everything. */
  readonly reader: string;
  /** JSON in, JSON out, as `writer` unless another token is given. A body that is a text goes out as it is. */
  call<Body = ScimResource>(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Answer<Body>>;
  list(endpoint: string, query?: Readonly<Record<string, string | number>>, token?: string): Promise<ScimList>;
  /** @throws {Error} unless it is answered 201 */
  create(endpoint: string, body: object): Promise<ScimResource>;
  makeToken(options: { scope?: AppScope; scopes?: readonly string[]; userId?: string }): Promise<string>;
  /** Moves the clock on. */
  pass(seconds: number): void;
  close(): Promise<void>;
}

export async function startScim(database: Database): Promise<ScimServer> {
  let passed = 0;
  let base = '';
  const now = (): number => Date.now() + passed;
  const log = makeLog('fatal');
  const groups = makeServedGroups(database, log);
  const parts = {
    database,
    reader: makeResourceReader(database, groups),
    groups,
    counts: makeCounts(database, now),
    cursors: makeCursors(makeSeal(Buffer.alloc(32, 9).toString('base64')), now),
    places: makePlaces(now),
    authenticator: makeAuthenticator({
      find: (hash) => findToken(database.knex, hash),
      touch: async () => undefined,
      now,
      elapsed: now,
    }),
    publicUrl: () => base,
  };
  const app = createApp({
    edges: { scim: scimRouter(parts), fast: fastReads(parts), hooks: Router(), admin: Router() },
    log,
    readiness: async () => ({ ready: true, checks: [] }),
    metrics: makeMetrics({
      build: { version: 'test', role: 'all', database: database.kind },
      figures: () => readFigures(database, parts.counts),
      pool: () => database.pool(),
    }),
    translate: translateDatabaseError,
  });
  const server = makeServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const makeOne: ScimServer['makeToken'] = async ({ scope = null, scopes = ['scim:read'], userId = null }) => {
    const token = makeToken();
    const app = await insertApp(database.knex, { name: token.slice(-20), scope });
    const hash = hashToken(token);
    await insertToken(database.knex, { appId: app.id, name: 'Test', hash, hint: '', scopes, expiresAt: null, userId });
    return token;
  };
  const writer = await makeOne({ scopes: ['scim:write'] });
  const reader = await makeOne({});

  const call: ScimServer['call'] = async (method, path, body, { token = writer, headers = {} } = {}) => {
    const answer = await fetch(path.startsWith('http') ? path : `${base}/scim/v2${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/scim+json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) };
  };
  return {
    database,
    base: `${base}/scim/v2`,
    writer,
    reader,
    call,
    makeToken: makeOne,
    async list(endpoint, query = {}, token = writer) {
      const texts = Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]);
      const path = `${endpoint}?${new URLSearchParams(texts)}`;
      return needed(await call<ScimList>('GET', path, undefined, { token }), 200);
    },
    async create(endpoint, body) {
      return needed(await call('POST', endpoint, body), 201);
    },
    pass(seconds) {
      passed += seconds * 1_000;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await groups.stop();
    },
  };
}

function needed<Body>({ status, body }: Answer<Body>, wanted: number): Body {
  if (status !== wanted) throw new Error(`expected ${wanted}, got ${status}: ${JSON.stringify(body)}`);
  return body;
}

let users = 0;

/** A user of a new name. */
export function userBody(fields: object = {}): object {
  users += 1;
  return { schemas: [USER_SCHEMA], userName: `user-${users}@example.com`, ...fields };
}

export function groupBody(displayName: string, memberIds: readonly string[] = []): object {
  return { schemas: [GROUP_SCHEMA], displayName, members: memberIds.map((value) => ({ value })) };
}

export function patchBody(...operations: readonly object[]): object {
  return { schemas: [`${MESSAGES}:PatchOp`], Operations: operations };
}

/** Fails unless it is a SCIM error with this status and `scimType`, and one short sentence. */
export async function assertRefused(
  asked: Promise<{ status: number; body: unknown }>,
  status: number,
  scimType?: string,
  what = '',
): Promise<void> {
  const { status: got, body } = await asked;
  const { schemas, status: said, scimType: type, detail } = (body ?? {}) as ScimError;
  assert.deepEqual(
    [got, said, type],
    [status, String(status), scimType],
    `${what.slice(0, 100)}: ${JSON.stringify(body)?.slice(0, 200)}`,
  );
  assert.deepEqual(schemas, [`${MESSAGES}:Error`]);
  assert.ok(typeof detail === 'string' && detail.length > 0 && detail.length < 400, detail);
}
