import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { makeMask } from '#platform/mask.ts';

const KEY = `-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n-----END PRIVATE KEY-----\n`;

describe('the mask of a log', () => {
  it('hides a known value however it is spelled', () => {
    const secret = 'p"ss & wörd/+=~\\x';
    const mask = makeMask([secret]);
    const form = new URLSearchParams({ client_secret: secret }).toString();
    for (const text of [secret, JSON.stringify({ note: secret }), encodeURIComponent(secret), form])
      assert.ok(!mask(text).includes('wörd') && !mask(text).includes('w%C3%B6rd'), mask(text));
    assert.doesNotThrow(() => JSON.parse(mask(JSON.stringify({ note: secret }))));
  });

  it('hides any value of some length inside any text', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 12 }).filter((text) => text.trim() === text && !text.includes('\n')),
        fc.string(),
        (secret, text) => {
          const mask = makeMask([secret]);
          assert.ok(!mask(JSON.stringify({ text: text + secret })).includes(JSON.stringify(secret).slice(1, -1)));
        },
      ),
    );
  });

  it('hides a key line by line, whole or cut', () => {
    const mask = makeMask([KEY]);
    for (const text of [KEY, JSON.stringify({ error: KEY }), KEY.slice(30, 90)])
      assert.ok(!/MIIEvQIBADANBgkqhkiG9w0BAQEFAASC|BKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj/.test(mask(text)), mask(text));
  });

  it('hides what looks like a credential, though nobody named it', () => {
    const mask = makeMask([]);
    for (const text of [
      'authorization: Bearer abc.def-ghi',
      'Basic dXNlcjpwYXNzd29yZA==',
      'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl',
      'sluice_0123456789abcdefghij',
      'client_secret=canary0123&scope=x',
      '{"client_secret":"canary0123","password" : "canary0123"}',
      '{"msg":"{\\"password\\":\\"canary0123\\"}"}',
      KEY,
    ])
      assert.ok(!/abc\.def|dXNlcj|c2lnbmF0|0123456789abc|canary0123|MIIEv/.test(mask(text)), mask(text));
  });

  it('leaves the rest as it is', () => {
    const line = '{"level":20,"run":"6f0c","path":"/v1.0/users","status":200,"msg":"graph request"}';
    assert.equal(makeMask(['another secret'])(line), line);
    assert.equal(makeMask([])('{"password":null,"n":1}'), '{"password":null,"n":1}');
    assert.equal(makeMask(['', 'a', 'users'])(line), line, 'too short to be secret');
  });
});
