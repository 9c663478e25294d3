// Filters that are made to cost, and names that are made to reach what no request should.
import assert from 'node:assert/strict';
import { after, afterEach, before, it } from 'node:test';
import { eachDatabase } from '../support/database.ts';
import {
  assertRefused,
  MESSAGES,
  patchBody,
  type ScimResource,
  type ScimServer,
  startScim,
  USER_SCHEMA,
  userBody,
} from '../support/scim.ts';

const prototypeBefore = Object.getOwnPropertyNames(Object.prototype);

eachDatabase('SCIM bad names', (open) => {
  let scim: ScimServer;
  let user: ScimResource;
  before(async () => {
    scim = await startScim(await open());
    user = await scim.create('/Users', userBody());
  });
  after(() => scim?.close());
  afterEach(() => {
    assert.deepEqual(Object.getOwnPropertyNames(Object.prototype), prototypeBefore);
    assert.deepEqual(Object.keys({}), []);
  });

  const query = (parameters: Record<string, string>): string => `?${new URLSearchParams(parameters)}`;
  it('in filters: as long, as deep, as many and as odd as can be', async () => {
    for (const filter of [
      `userName eq "${'x'.repeat(100_000)}"`,
      `userName eq "${'\\a'.repeat(33)}`,
      `userName eq "${'\\'.repeat(50_000)}`,
      `${'('.repeat(1_000)}userName pr${')'.repeat(1_000)}`,
      `${'not ('.repeat(60)}userName pr${')'.repeat(60)}`,
      `${'emails['.repeat(60)}value pr${']'.repeat(60)}`,
      Array(10_000).fill('title pr').join(' or '),
      Array(501).fill('(a pr)').join(' and '),
      'userName eq "\\u0000"',
      'userName eq "\\ud800"',
      'userName eq "a\tb\u0001"',
      '__proto__.polluted eq "1"',
      'emails[__proto__.polluted eq "1"]',
      'emails.__proto__ eq "1"',
      'constructor.prototype pr',
      'toString pr',
      'hasOwnProperty eq "x"',
      'userName eq ada',
      'userName eq "a" or',
      "userName eq 'a'; drop table resources; --",
      ' ',
      '%',
    ])
      await assertRefused(
        scim.call('POST', '/Users/.search', { schemas: [`${MESSAGES}:SearchRequest`], filter }),
        400,
        'invalidFilter',
        filter,
      );
    await assertRefused(
      scim.call('GET', `/Users${query({ filter: `userName eq "${'x'.repeat(100_000)}"` })}`),
      400,
      'invalidFilter',
    );
    const groups = Array.from({ length: 160 }, () => '(title pr or nickName pr)').join(' and ');
    assert.equal(
      (await scim.list('/Users', { filter: groups })).totalResults,
      0,
      'what is within the limits is answered',
    );
  });

  it('that names what no object should, in paths, attributes and bodies', async () => {
    const poison = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
    for (const name of [
      '__proto__',
      'constructor',
      'prototype',
      '__proto__.polluted',
      'name.__proto__',
      'emails[__proto__.polluted eq "1"].value',
    ]) {
      const path = `/Users/${user.id}`;
      for (const op of ['add', 'replace', 'remove'])
        await assertRefused(
          scim.call('PATCH', path, patchBody({ op, path: name, value: 'x' })),
          400,
          'invalidPath',
          `${op} ${name}`,
        );
      await assertRefused(
        scim.call('GET', `${path}${query({ sortBy: name, attributes: name })}`),
        400,
        'invalidPath',
        name,
      );
      await assertRefused(scim.call('GET', `/Users${query({ sortBy: name })}`), 400, 'invalidPath', name);
      await assertRefused(scim.call('GET', `/Users${query({ excludedAttributes: name })}`), 400, 'invalidPath', name);
    }
    const made = await scim.create('/Users', {
      ...userBody({ name: { givenName: 'x', ...poison }, ...poison }),
      emails: [{ value: 'x', ...poison }],
    });
    const patched = await scim.call(
      'PATCH',
      `/Users/${made.id}`,
      patchBody({ op: 'add', value: { ...poison, title: 'Dr' } }, { op: 'add', path: 'name', value: poison }),
    );
    assert.deepEqual([patched.status, patched.body['title'], patched.body['name']], [200, 'Dr', { givenName: 'x' }]);
    const text = `{"schemas":["${USER_SCHEMA}"],"userName":"proto","__proto__":{"title":"polluted"},"urn:__proto__":{"a":1}}`;
    const answer = await scim.call('POST', '/Users', text);
    assert.deepEqual([answer.status, answer.body['title']], [201, undefined]);
    assert.equal(
      (await scim.call('GET', `/Users${query({ __proto__: '1', constructor: 'x', 'a[__proto__][b]': '1' })}`)).status,
      200,
    );
  });
});
