// What a file must not do unseen: swallow people, enable those who left, or stop every later run.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ReadMemory } from '#core/pages.ts';
import type { CsvRecord } from '#providers/csv/records.ts';
import { csvKind, makeInbound, openFolder, putFile, readFolder } from './support.ts';

const read = (content: string, settings: Record<string, unknown> = {}) => {
  const folder = makeInbound();
  putFile(folder, 'users.csv', content);
  return readFolder(folder, settings);
};
const idsOf = (records: readonly CsvRecord[]): string[] =>
  records.flatMap(({ externalId, problem }) => (problem === undefined ? externalId : []));

describe('a quote', () => {
  it('that opens a cell and is taken for closed in a later line makes the read incomplete: people stand in between', async () => {
    for (const rows of [
      '1,"Bud Smith,x\n2,Ann,y\n3,"Lee" Kim,z\n4,Joe,z\n',
      '1,"Bud Smith,x\r\n2,Ann,y\r\n3,"Lee" Kim,z\r\n4,Joe,z\r\n',
    ]) {
      const { users, error, ended } = await read(`id,userName,title\n${rows}`);
      assert.deepEqual([error?.reason, ended], ['bad-lines', false]);
      assert.deepEqual(idsOf(users), ['4']);
      assert.match(users[0]?.problem?.detail ?? '', /line 2: a quote is opened/);
    }
  });

  it('is a character like any other within one line, and may hold several lines together', async () => {
    const rows = '1,5" pipe,x\n2,"Bud" Smith,y\n3,"a\nb",z\n4,"""c"" d\ne, f",z\n5,"""\n""",\n';
    for (const delimiter of [',', ';', '|', '\t', '^']) {
      const content = `id,userName,title\n${rows}`.replaceAll(',', delimiter);
      const { users, ended } = await read(content, { format: { delimiter } });
      assert.equal(ended, true);
      assert.deepEqual(
        users.map(({ fields }) => fields['userName']),
        ['5" pipe', '"Bud" Smith', 'a\nb', `"c" d\ne${delimiter} f`, '"\n"'],
      );
    }
  });
});

it('takes lines of separators alone for empty ones, wherever they stand', async () => {
  const { users, ended, error } = await read(';;\nid;userName;title\n;;\n1;a;x\n ; ;\n2;b;y\n3;c\n;;\n;;\n', {
    format: { onBadLine: 'skip' },
  });
  assert.deepEqual([idsOf(users), ended, error], [['1', '2'], true, undefined]);
  assert.match(users[2]?.problem?.detail ?? '', /line 7: 2 cells/);
});

describe('a group whose name cannot be an id', () => {
  for (const [what, name] of [
    ['too long for an index', 'g'.repeat(3_000)],
    ['with a character that cannot be stored', 'a\0b'],
  ] as const)
    it(`is a line that cannot be read (${what})`, async () => {
      const column = await read(`id,userName,groups\n1,a,Sales;${name}\n2,b,Sales\n`);
      assert.deepEqual([column.error?.reason, idsOf(column.users)], ['bad-lines', ['2']]);
      assert.match(column.users[0]?.problem?.detail ?? '', /line 2: group: its id/);
      const folder = makeInbound();
      putFile(folder, 'users.csv', 'id,userName\n1,a\n');
      putFile(folder, 'groups.csv', `id,displayName,members\ng1,One,1;${name}\ng2,Two,1\n`);
      const { error, groups } = await readFolder(folder, { source: { kind: 'folder', groups: 'groups.csv' } });
      assert.deepEqual([error?.reason, idsOf(groups)], ['bad-lines', ['g2']]);
    });
});

it('counts a good line of somebody beside a bad one', async () => {
  const { users, ended } = await read('id,userName\n1,a,b\n1,a\n', { format: { onBadLine: 'skip' } });
  assert.deepEqual([idsOf(users), ended], [['1'], true]);
});

describe('a column "active" that is gone', () => {
  const readAfter = async (
    content: string,
    before: Record<string, string>,
    settings: Record<string, unknown> = {},
    note: (ids: readonly string[]) => unknown = () => undefined,
  ) => {
    const folder = makeInbound();
    putFile(folder, 'users.csv', content);
    const nobody = async function* () {};
    const memory: ReadMemory = {
      async known(_type, ids) {
        note(ids);
        return new Map(ids.map((id) => [id, { externalId: id, fields: before }]));
      },
      settled: async () => new Set(),
      ...{ served: nobody, restorable: nobody },
    };
    const kind = csvKind(folder);
    const provider = kind.open(kind.parseSettings({ source: { kind: 'folder' }, ...settings }), undefined, memory);
    const pages = [];
    for await (const page of provider.pages(new AbortController().signal)) pages.push(page.type);
    return pages;
  };
  const LACKS = 'id,userName\n1,a\n';

  it('ends the run before it enables whoever had left', async () => {
    await assert.rejects(readAfter(LACKS, { active: 'no' }), { reason: 'column-missing', code: 'ERR_CONFIG' });
  });

  it('is looked for in few of a file that never had it, and in all of one that had', async () => {
    const content = `id,userName\n${Array.from({ length: 12_000 }, (_, index) => `${index},u${index}\n`).join('')}`;
    for (const [before, askedOfAll] of [
      [{}, false],
      [{ active: 'yes' }, true],
    ] as const) {
      const known: string[] = [];
      await readAfter(content, before, {}, (ids) => known.push(...ids));
      assert.equal(known.length === 12_000, askedOfAll);
    }
  });

  it('is none where nobody had left, the column is there, or a rule says who is active', async () => {
    const whole = ['records', 'records', 'end'];
    assert.deepEqual(await readAfter(LACKS, { active: 'yes' }), whole);
    assert.deepEqual(await readAfter(LACKS, {}), whole);
    assert.deepEqual(await readAfter('id,userName,Enabled\n1,a,\n', { active: 'no' }), whole);
    const users = [{ target: 'active', constant: true }];
    assert.deepEqual(await readAfter(LACKS, { active: 'no' }, { mapping: { users } }), whole);
  });
});

it('asks for something else when the settings say what stands where, and what a line is', () => {
  const asks = (settings: Record<string, unknown>) => openFolder(makeInbound(), settings).asks;
  const before = asks({});
  for (const columns of [{ anchor: 'nr' }, { separator: '|' }, { groups: 'teams' }, { kind: 'kind' }])
    assert.notEqual(asks({ columns }), before);
  for (const format of [{ encoding: 'cp949' }, { delimiter: ';' }, { onBadLine: 'skip' }])
    assert.notEqual(asks({ format }), before);
  assert.equal(asks({ scope: { filter: 'title pr' }, initialRun: 'auto' }), before);
});
