import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ENTERPRISE_SCHEMA, type UserResource } from '#core/resource.ts';
import { systemClock } from '#platform/clock.ts';
import { describeProvider } from '../../contract/provider.ts';
import { csvKind, makeInbound, NO_UPLOADS, openFolder, putFile, readFolder } from './support.ts';

const USERS =
  'id,userName,displayName,email,department,active,manager,groups\n' +
  'u1,kim@example.com,Kim,kim@example.com,Sales,yes,,Sales;All\n' +
  'u2,lee@example.com,Lee,lee@example.com,Sales,no,u1,All\n' +
  'u3,"Park, J",Park,,"=HYPERLINK(""x"")",,u1,\n';

describeProvider('CSV with groups as a column', () => {
  const folder = makeInbound();
  putFile(folder, 'users.csv', USERS);
  return {
    open: () => openFolder(folder),
    users: new Set(['u1', 'u2', 'u3']),
    groups: new Set(['Sales', 'All']),
    members: new Map([
      ['Sales', new Set(['u1'])],
      ['All', new Set(['u1', 'u2'])],
    ]),
  };
});

const THREE = { source: { kind: 'folder', groups: 'groups.csv', memberships: 'memberships.csv' } };

describeProvider('CSV in three files', () => {
  const folder = makeInbound();
  putFile(folder, 'users.csv', 'id,userName\nu1,a\nu2,b\n');
  putFile(folder, 'groups.csv', 'id;displayName;members\ng1;One;u2\ng2;Two;\ng3;Three;\n');
  putFile(folder, 'memberships.csv', 'group\tmember\r\ng1\tu1\r\ng1\tg2\r\ng2\tu2\r\n');
  return {
    open: () => openFolder(folder, THREE),
    users: new Set(['u1', 'u2']),
    groups: new Set(['g1', 'g2', 'g3']),
    members: new Map([
      ['g1', new Set(['u1', 'u2', 'g2'])],
      ['g2', new Set(['u2'])],
      ['g3', new Set<string>()],
    ]),
  };
});

const MIXED =
  'kind,id,userName,displayName,group,member\n' +
  'user,u1,a,,,\n' +
  'Group,g1,,One,,\n' +
  'membership,,,,g1,u1\n' +
  'membership,,,,g1,g2\n' +
  'user,u2,b,,,\n' +
  'group,g2,,Two,,\n' +
  'member,,,,g2,u2\n';

describeProvider('CSV in one file that has everything', () => {
  const folder = makeInbound();
  putFile(folder, 'users.csv', MIXED);
  return {
    open: () => openFolder(folder, { columns: { kind: 'kind' } }),
    users: new Set(['u1', 'u2']),
    groups: new Set(['g1', 'g2']),
    members: new Map([
      ['g1', new Set(['u1', 'g2'])],
      ['g2', new Set(['u2'])],
    ]),
  };
});

describe('one file that has everything', () => {
  const read = (content: string, settings: Record<string, unknown> = {}) => {
    const folder = makeInbound();
    putFile(folder, 'users.csv', content);
    return readFolder(folder, { columns: { kind: 'kind' }, ...settings });
  };

  it('lists a line that does not say what it is, with its number, and removes nobody', async () => {
    const { users, groups, error, ended } = await read(`${MIXED}robot,u3,c,,,\n`);
    assert.deepEqual([error?.reason, ended], ['bad-lines', false]);
    assert.match(error?.message ?? '', /users\.csv line 9/);
    assert.match(users.at(-1)?.problem?.detail ?? '', /line 9: it is a "robot"/);
    assert.equal(groups.length, 2);
  });

  it('makes groups by name where no line is one', async () => {
    const { groups, members } = await read('kind,id,userName,group,member\nuser,u1,a,,\nmembership,,,Sales,u1\n');
    assert.deepEqual(
      groups.map(({ externalId }) => externalId),
      ['Sales'],
    );
    assert.deepEqual(members.get('Sales'), ['User:u1']);
  });

  it('says that the column is missing, or that there are files beside it', async () => {
    assert.equal((await read('id,userName\nu1,a\n')).error?.reason, 'column-missing');
    const folder = makeInbound();
    putFile(folder, 'users.csv', MIXED);
    putFile(folder, 'groups.csv', 'id,displayName\n');
    const beside = await readFolder(folder, {
      source: { kind: 'folder', groups: 'groups.csv' },
      columns: { kind: 'kind' },
    });
    assert.equal(beside.error?.reason, 'files-beside-mixed');
  });
});

describe('a file of users', () => {
  const mapped = async (content: string | Buffer, settings = {}) => {
    const folder = makeInbound();
    putFile(folder, 'users.csv', content);
    const read = await readFolder(folder, settings);
    assert.equal(read.error, undefined);
    return read.users.map((record) => read.provider.normalise(record, 'User'));
  };
  const resource = async (content: string | Buffer, settings = {}): Promise<UserResource> => {
    const [first] = await mapped(content, settings);
    assert.ok(first !== undefined && 'resource' in first, JSON.stringify(first));
    return first.resource as UserResource;
  };

  it('becomes people by headings that are understood, and a formula is a text', async () => {
    const [, lee, park] = await mapped(USERS);
    assert.ok(lee !== undefined && 'resource' in lee && park !== undefined && 'resource' in park);
    const user = lee.resource as UserResource;
    assert.equal(user.active, false);
    assert.equal(user[ENTERPRISE_SCHEMA]?.manager?.value, 'u1');
    assert.deepEqual(user.emails, [{ value: 'lee@example.com', type: 'work', primary: true }]);
    assert.equal((park.resource as UserResource).userName, 'Park, J');
    assert.equal((park.resource as UserResource)[ENTERPRISE_SCHEMA]?.department, '=HYPERLINK("x")');
    assert.equal((park.resource as UserResource).active, true);
  });

  it('says the same in every encoding, delimiter and line end', async () => {
    const plain = 'id,userName,부서\nu1,김철수,영업부\n';
    const cp949 = Buffer.from('69642c757365724e616d652cbacebcad0a75312cb1e8c3b6bcf62cbfb5bef7bace0a', 'hex');
    const utf16be = Buffer.from(plain, 'utf16le').swap16();
    for (const content of [
      Buffer.from(plain),
      Buffer.from(`\ufeff${plain}`),
      Buffer.from(`\ufeff${plain}`, 'utf16le'),
      Buffer.from(plain, 'utf16le'),
      Buffer.from(`\ufeff${plain}`, 'utf16le').swap16(),
      utf16be,
      cp949,
      Buffer.from(plain.replaceAll('\n', '\r\n')),
      Buffer.from(plain.replaceAll('\n', '\r')),
      Buffer.from(plain.replaceAll(',', ';')),
      Buffer.from(plain.replaceAll(',', '\t')),
      Buffer.from(plain.replaceAll(',', '|')),
      Buffer.from(`sep=;\r\n${plain.replaceAll(',', ';')}`),
      Buffer.from(plain.trimEnd()),
      Buffer.from(plain.replace('u1', '"u1"')),
    ]) {
      const user = await resource(content);
      assert.equal(user.userName, '김철수');
      assert.equal(user[ENTERPRISE_SCHEMA]?.department, '영업부');
    }
  });

  it('is of Western Windows where the settings say so, and never by a guess', async () => {
    const western = Buffer.from('id;userName;department\nu1;J\xfcrgen;\xc4rzte \x80\n', 'latin1');
    const user = await resource(western, { format: { encoding: 'windows-1252' } });
    assert.deepEqual([user.userName, user[ENTERPRISE_SCHEMA]?.department], ['Jürgen', 'Ärzte €']);
    const folder = makeInbound();
    putFile(folder, 'users.csv', western);
    assert.equal((await readFolder(folder)).error?.reason, 'encoding-unknown');
  });

  it('has all syllables of Korean Windows, and not only the usual ones', async () => {
    // 믜, 똠 and 뷁 are beyond KS X 1001.
    const names = { u1: 'b1e8bcb392de', u2: '8c63b9e6', u3: 'b1e894ee' };
    const lines = Object.entries(names).map(([id, hex]) => `${Buffer.from(`${id},`).toString('hex')}${hex}0a`);
    const content = Buffer.from(`${Buffer.from('id,userName\n').toString('hex')}${lines.join('')}`, 'hex');
    const results = await mapped(content);
    const found = results.map((result) => 'resource' in result && (result.resource as UserResource).userName);
    assert.deepEqual(found, ['김설믜', '똠방', '김뷁']);
  });

  it('is not Korean for a few Western letters that Korean has by chance', async () => {
    for (const name of ['O\x92Brien', '\xc5sa Berg', 'J\xc4GER', 'S\xfc\xdf', 'Kim \x80']) {
      const folder = makeInbound();
      putFile(folder, 'users.csv', Buffer.from(`id,userName\nu1,${name}\n`, 'latin1'));
      const { error, users } = await readFolder(folder);
      assert.deepEqual([name, error?.reason, users], [name, 'encoding-unknown', []]);
    }
  });

  it('takes the anchor and the rules of the settings', async () => {
    const user = await resource('Personal-Nr,Login,Ort\n7,kim,Bonn\n', {
      columns: { anchor: 'Personal-Nr' },
      mapping: {
        users: [
          { target: 'userName', expression: 'Login + "@example.com"' },
          { target: 'addresses[type eq "work"].locality', source: 'Ort' },
        ],
      },
    }).catch((error: unknown) => error);
    // "Login" is understood as userName, so a rule names it so.
    assert.ok(user instanceof Error);
    const mended = await resource('Personal-Nr,Login,Ort\n7,kim,Bonn\n', {
      columns: { anchor: 'Personal-Nr' },
      mapping: {
        users: [
          { target: 'userName', expression: 'userName + "@example.com"' },
          { target: 'addresses[type eq "work"].locality', source: 'Ort' },
        ],
      },
    });
    assert.equal(mended.externalId, '7');
    assert.equal(mended.userName, 'kim@example.com');
    assert.deepEqual(mended.addresses, [{ type: 'work', locality: 'Bonn' }]);
  });

  it('leaves out whom the filter does not match, and a flag that nobody understands', async () => {
    const results = await mapped('id,userName,department,active\nu1,a,Sales,1\nu2,b,IT,1\nu3,c,Sales,perhaps\n', {
      scope: { filter: 'userName pr and department eq "sales"' },
    });
    assert.deepEqual(
      results.map((result) => ('skip' in result ? `${result.skip}:${result.detail}` : 'in')),
      ['in', 'ScopeFilterFalse:department eq "sales"', 'SchemaViolation:active'],
    );
  });

  it('must have its columns beside it too, and the test says so before a run does', async () => {
    const folder = makeInbound();
    putFile(folder, 'users.csv', 'id,userName\nu1,a\n');
    putFile(folder, 'groups.csv', 'id,displayName\ng1,One\n');
    putFile(folder, 'memberships.csv', 'team,member\ng1,u1\n');
    const kind = csvKind(folder);
    const test = (columns: Record<string, string>) =>
      kind.test(kind.parseSettings({ ...THREE, columns }), new AbortController().signal);
    const told = async (columns: Record<string, string>) => {
      const { ok, detail } = (await test(columns)).at(-1) ?? {};
      return [ok, /has no column "\w+"/.exec(detail ?? '')?.[0]];
    };
    assert.deepEqual(await told({}), [false, 'has no column "group"']);
    assert.deepEqual(await told({ membershipGroup: 'team', groupAnchor: 'key' }), [false, 'has no column "key"']);
    assert.deepEqual(await told({ membershipGroup: 'team' }), [true, undefined]);
  });

  it('must have the column of the anchor', async () => {
    const folder = makeInbound();
    putFile(folder, 'users.csv', 'userName,mail\na,b\n');
    const { error, users } = await readFolder(folder);
    assert.equal(error?.reason, 'column-missing');
    assert.match(error?.message ?? '', /no column "id"/);
    assert.deepEqual(users, []);
  });
});

describe('a bad line', () => {
  const CONTENT = 'id,userName\nu1,a\nu2\n,c\nu1,d\n\nu4,"e\nf"\nu5,g,h\n';

  it('is named with its number and reason, and nobody is removed', async () => {
    const folder = makeInbound();
    putFile(folder, 'users.csv', CONTENT);
    const { users, ended, error, provider, members } = await readFolder(folder);
    const skips = users.map((record) => provider.normalise(record, 'User')).filter((result) => 'skip' in result);
    assert.deepEqual(skips, [
      { skip: 'BadLine', detail: 'users.csv, line 3: 1 cells where the header has 2' },
      { skip: 'BadLine', detail: 'users.csv, line 4: it has no id' },
      { skip: 'DuplicateLine', detail: 'users.csv, line 5: its id is that of line 2' },
      { skip: 'BadLine', detail: 'users.csv, line 9: 3 cells where the header has 2' },
    ]);
    assert.equal(ended, false);
    assert.equal(members.size, 0);
    assert.equal(error?.code, 'ERR_UPSTREAM');
    assert.equal(error?.reason, 'bad-lines');
    assert.match(error?.message ?? '', /^3 lines .*users.csv line 3, users.csv line 4, users.csv line 9/);
  });

  it('is passed over where the settings say so', async () => {
    const folder = makeInbound();
    putFile(folder, 'users.csv', CONTENT);
    const { ended, error } = await readFolder(folder, { format: { onBadLine: 'skip' } });
    assert.deepEqual([ended, error], [true, undefined]);
  });

  it('of memberships is shown too, and a member that nobody knows is listed with its group', async () => {
    const folder = makeInbound();
    putFile(folder, 'users.csv', 'id,userName,groups\nu1,a,g9\n');
    putFile(folder, 'groups.csv', 'id,displayName\ng1,One\ng1,Again\n');
    putFile(folder, 'memberships.csv', 'group,member\ng1,u1\ng1,nobody\ng2,u1\n');
    const { groups, provider, members, skippedMembers, ended } = await readFolder(folder, THREE);
    const skips = groups.map((record) => provider.normalise(record, 'Group')).filter((result) => 'skip' in result);
    assert.deepEqual(skips, [
      { skip: 'DuplicateLine', detail: 'groups.csv, line 3: its id "g1" came before' },
      { skip: 'UnknownGroup', detail: 'memberships.csv, line 4: there is no group "g2"' },
      { skip: 'UnknownGroup', detail: 'users.csv: there is no group "g9" in groups.csv' },
    ]);
    assert.deepEqual(members, new Map([['g1', ['User:u1']]]));
    assert.deepEqual(skippedMembers, ['nobody']);
    assert.equal(ended, true);
  });
});

describe('a file that is not whole', () => {
  const refused = async (content: string | Buffer, reason: string) => {
    const folder = makeInbound();
    putFile(folder, 'users.csv', content);
    const { error, ended } = await readFolder(folder);
    assert.deepEqual([error?.reason, error?.code, ended], [reason, 'ERR_UPSTREAM', false]);
  };

  it('is an incomplete read, wherever it was cut off', async () => {
    await refused('', 'file-empty');
    await refused('id,userName\nu1,a\nu2,"b', 'file-cut-off');
    await refused('id,userName\nu1,a\nu2', 'bad-lines');
    await refused(Buffer.from('id,userName\nu1,김').subarray(0, -1), 'file-cut-off');
    await refused(Buffer.from('\ufeffid,userName\nu1,a\n', 'utf16le').subarray(0, -1), 'file-cut-off');
  });

  it('that was written to just now is left for the next run', async () => {
    const folder = makeInbound();
    putFile(folder, 'users.csv', 'id,userName\nu1,a\n');
    utimesSync(join(folder, 'users.csv'), new Date(), new Date());
    assert.equal((await readFolder(folder)).error?.reason, 'file-not-settled');
  });

  it('that changes while it is read is an incomplete read', async () => {
    const folder = makeInbound();
    putFile(folder, 'users.csv', 'id,userName\nu1,a\n');
    // The time is asked for once for the version of the files, and once between looking at the file and reading it.
    let asked = 0;
    const now = (): Date => {
      asked += 1;
      if (asked === 2) appendFileSync(join(folder, 'users.csv'), 'u2,b\n');
      return new Date();
    };
    const kind = csvKind(folder, NO_UPLOADS, { ...systemClock, now });
    const provider = kind.open(kind.parseSettings({ source: { kind: 'folder' } }));
    await assert.rejects(provider.pages(new AbortController().signal).next(), { reason: 'file-changed' });
  });

  it('or is not there, or is a link out of the folder, is not read at all', async () => {
    const folder = makeInbound();
    assert.equal((await readFolder(folder)).error?.reason, 'file-missing');
    const secret = makeInbound();
    putFile(secret, 'secret.csv', 'id,userName\nu1,a\n');
    symlinkSync(join(secret, 'secret.csv'), join(folder, 'users.csv'));
    assert.equal((await readFolder(folder)).error?.reason, 'folder-outside');
    const outside = { source: { kind: 'folder', path: '../' } };
    await assert.rejects(readFolder(folder, outside), { reason: 'settings-invalid' });
  });
});

it('leaves nothing behind, however a read ends', async (test) => {
  const folder = makeInbound();
  putFile(folder, 'users.csv', USERS);
  // Others read files at the same time.
  const own = mkdtempSync(join(tmpdir(), 'sluice-csv-test-'));
  const { TMPDIR: before } = process.env;
  test.after(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    rmSync(own, { recursive: true });
  });
  process.env['TMPDIR'] = own;
  await readFolder(folder);
  const pages = openFolder(folder).pages(new AbortController().signal);
  await pages.next();
  assert.equal(readdirSync(own).length, 1);
  await pages.return(undefined);
  assert.deepEqual(readdirSync(own), []);
});
