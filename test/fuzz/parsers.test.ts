// Whatever comes from outside, by way of the functions that read it first.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import fc from 'fast-check';
import { compileExpression } from '#core/expression.ts';
import { matches, parseFilter, parsePath } from '#core/filter.ts';
import { decodeCursor } from '#core/journal.ts';
import { parseJson } from '#core/json.ts';
import { applyPatch, parsePatch } from '#core/patch.ts';
import { USER_SCHEMA } from '#core/resource.ts';
import { TargetError } from '#core/target.ts';
import { makeMask } from '#platform/mask.ts';
import { makeSeal } from '#platform/seal.ts';
import { findEncoding } from '#providers/csv/encoding.ts';
import { openTable } from '#providers/csv/rows.ts';
import { connect } from '#providers/ldap/connection.ts';
import { parseSettings as parseLdap } from '#providers/ldap/settings.ts';
import type { Graph } from '#providers/microsoft365/graph/client.ts';
import { collection } from '#providers/microsoft365/graph/collection.ts';
import { toScimGroup, toScimUser } from '#providers/microsoft365/map/to-scim.ts';
import { readBulk } from '#scim/bulk-request.ts';
import { makeCursors } from '#scim/cursor.ts';
import { readQuery, readSearch } from '#scim/query.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';
import type { ScimClient } from '#targets/scim-app/client.ts';
import { discover } from '#targets/scim-app/discovery.ts';
import { readPages } from '#targets/scim-app/pages.ts';
import { makeFolder } from '../support/database.ts';
import { anyJson, anyText, fuzz } from '../support/fuzz.ts';

const never = new AbortController().signal;
const PATCH_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const DOCUMENT = {
  schemas: [USER_SCHEMA],
  userName: 'ada',
  emails: [{ value: 'ada@example.com', type: 'work', primary: true }],
  name: { familyName: 'Lovelace' },
};

describe('what clients send is read or refused', () => {
  fuzz('as a filter', anyText, (text) => matches(parseFilter(text), DOCUMENT), { runs: 20_000 });
  fuzz('as a path', anyText, (text) => parsePath(text), { runs: 20_000 });
  fuzz(
    'as JSON',
    fc.oneof(
      anyText,
      fc.json(),
      anyJson.map((value) => JSON.stringify(value).slice(1)),
    ),
    (text) => parseJson(text),
  );
  fuzz(
    'as a query',
    fc.dictionary(fc.constantFrom('filter', 'startIndex', 'count', 'cursor', 'sortBy', 'attributes'), anyText),
    (query) => readQuery(query),
  );
  fuzz('as a search', anyJson, (body) => readSearch(body));
  fuzz('as a bulk request', anyJson, (body) => readBulk(body));
  fuzz(
    'as PATCH operations',
    fc.oneof(
      anyJson,
      fc
        .array(
          fc.record(
            { op: fc.constantFrom('add', 'replace', 'remove', 'Add', 1), path: anyText, value: anyJson },
            { requiredKeys: ['op'] },
          ),
          { maxLength: 4 },
        )
        .map((Operations) => ({ schemas: [PATCH_SCHEMA], Operations })),
    ),
    (body) => applyPatch(RESOURCE_SCHEMAS.User, DOCUMENT, parsePatch(body)),
    { runs: 5_000 },
  );
  const cursors = makeCursors(makeSeal(Buffer.alloc(32, 1).toString('base64')), Date.now);
  fuzz(
    'as a cursor',
    fc.oneof(
      anyText,
      fc.base64String(),
      fc.string().map((text) => `v1.x.${text}`),
    ),
    (text) => {
      decodeCursor(text);
      cursors.read(text, 'anything');
    },
  );
  fuzz('as an expression of a mapping', anyText, (text) => compileExpression(text));
  fuzz(
    'as text of a log',
    fc.oneof(
      anyText,
      fc.constantFrom('a', '"', '\\', '-----BEGIN PRIVATE KEY-----', 'password=').map((part) => part.repeat(2_000)),
    ),
    (text) => makeMask(['secret-of-somebody'])(text),
  );
});

describe('what sources send is read or refused', () => {
  const folder = makeFolder();
  after(() => rmSync(folder, { recursive: true, force: true }));

  fuzz(
    'as a CSV file',
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .array(
          fc.constantFrom('id', 'a', ',', ';', '\t', '"', '""', '\n', '\r\n', '\r', '\u0000', 'ä', '\ufeff', ' '),
          { maxLength: 60 },
        )
        .map((parts) => Buffer.from(parts.join(''))),
    ),
    async (bytes) => {
      const path = join(folder, 'users.csv');
      writeFileSync(path, bytes);
      const encoding = await findEncoding(path, 'users.csv', 'auto', never);
      const table = await openTable({ path, name: 'users.csv', encoding, delimiter: 'auto' }, never);
      for await (const rows of table.rows) for (const { cells } of rows) assert.ok(Array.isArray(cells));
    },
    { runs: 1_000 },
  );

  fuzz('as a page of Graph', anyJson, async (body) => {
    let pages = 0;
    const get: Graph['get'] = async (_url, read) => {
      pages += 1;
      return read(pages > 3 ? { value: [] } : body);
    };
    for await (const items of collection({ get } as Graph, '/users', { signal: never }))
      for (const item of items) {
        toScimUser(item as never, { dropOnMicrosoft: false });
        toScimGroup(item as never);
      }
  });

  fuzz(
    'as a user of Graph, whose attributes are of any type',
    fc.dictionary(
      fc.constantFrom(
        'id',
        'userPrincipalName',
        'mail',
        'proxyAddresses',
        'businessPhones',
        'assignedPlans',
        'manager',
        'accountEnabled',
        'otherMails',
        'usageLocation',
        'preferredLanguage',
        'mailboxSettings',
        'employeeOrgData',
      ),
      anyJson,
    ),
    (user) =>
      toScimUser({ id: 'x', userPrincipalName: 'ada@example.com', ...user } as never, { dropOnMicrosoft: true }),
  );
});

describe('what targets answer is read or refused', () => {
  fuzz('as a resource, a list or what they can', anyJson, async (answer) => {
    const body =
      typeof answer === 'object' && answer !== null && !Array.isArray(answer)
        ? (answer as Record<string, unknown>)
        : undefined;
    const client: ScimClient = { mask: String, send: async () => ({ status: 200, body, etag: undefined }) };
    await discover(client, never);
    try {
      for await (const page of readPages(client, 'User', { pageSize: 10 }, never)) assert.ok(page.length >= 0);
    } catch (error) {
      if (!(error instanceof TargetError)) throw error;
    }
  });
});

describe('what directory servers answer is read or refused', () => {
  let server: Server;
  let answer = Buffer.alloc(0);
  const sockets = new Set<Socket>();
  before(async () => {
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  /** Envelopes of LDAP (RFC 4511 section 4.1.1) around anything. */
  const anyAnswer = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .tuple(fc.constantFrom(0x61, 0x64, 0x65, 0x73, 0x78), fc.uint8Array({ maxLength: 40 }))
      .map(([tag, inner]) => Buffer.from([0x30, inner.length + 5, 0x02, 0x01, 0x02, tag, inner.length, ...inner])),
  );
  fuzz(
    'whatever bytes it is made of',
    anyAnswer,
    async (bytes) => {
      answer = Buffer.from(bytes);
      const { port } = server.address() as AddressInfo;
      const settings = parseLdap({
        ...{ preset: 'openldap', url: `ldap://127.0.0.1:${port}`, allowPlaintext: true, users: { base: 'dc=x' } },
        limits: { requestSeconds: 5, connectSeconds: 5 },
      });
      const connection = await connect(settings, AbortSignal.timeout(120_000));
      await connection.close();
    },
    { runs: 150 },
  );
});
