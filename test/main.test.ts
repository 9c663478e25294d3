import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ended, startFile } from './support/child.ts';
import { makeFolder } from './support/database.ts';
import { freshStorage, spawnGateway, startGateway } from './support/gateway.ts';

/** Starts the gateway and waits for its end: the one sentence on standard error, and the exit code. */
async function fails(environment: NodeJS.ProcessEnv): Promise<string> {
  const { code, err } = await ended(
    startFile('src/main.ts', { DATABASE_URL: '', PORT: '0', DATA_DIR: makeFolder(), ...environment }),
  );
  assert.equal(code, 1, err);
  assert.equal(err.trim().split('\n').length, 1, err);
  return err;
}

describe('a start that cannot work says so in one sentence', () => {
  it('naming every variable that is wrong', async () => {
    const err = await fails({ PORT: 'eighty', LOG_LEVEL: 'loud', ROLE: 'boss', DATABASE_URL: 'postgres://x/y' });
    for (const name of ['PORT', 'LOG_LEVEL', 'ROLE', 'SECRET_KEY', 'environment-invalid'])
      assert.ok(err.includes(name), err);
  });

  it('asking for SECRET_KEY with a database of its own', async () => {
    assert.match(await fails({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' }), /SECRET_KEY/);
  });

  it('when the port is in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    assert.match(
      await fails({ PORT: String((taken.address() as AddressInfo).port), ...(await freshStorage('embedded')) }),
      /port-in-use/,
    );
    taken.close();
  });

  it('when the data folder cannot be made', async () => {
    assert.match(await fails({ DATA_DIR: '/dev/null/data' }), /data-dir-not-writable/);
    assert.match(await fails({ DATA_DIR: '/proc/none/data' }), /data-dir-not-writable/);
  });

  it('when another process holds the data folder', async () => {
    const storage = await freshStorage('embedded');
    const gateway = await spawnGateway(storage, '');
    assert.match(await fails(storage), /data-dir-in-use/);
    await gateway.kill();
  });

  it('when the key is not the one that sealed what is stored, and makes no other where a backup has none', async () => {
    const own = { SECRET_KEY: '' };
    const storage = { DATA_DIR: '', ...(await freshStorage('embedded')) };
    await (await startGateway({ ...storage, ...own })).close();
    const err = await fails({ ...storage, SECRET_KEY: Buffer.alloc(32, 1).toString('base64') });
    assert.match(err, /SECRET_KEY .*secret-key-wrong.*--key-lost/);
    // As docs/backup.md says.
    const [archive, restored] = [join(makeFolder(), 'sluice.tar.gz'), makeFolder()];
    const key = join(restored, 'secret.key');
    const pack = ['czf', archive, '--numeric-owner', '--exclude=./secret.key', '-C', storage.DATA_DIR, '.'];
    execFileSync('tar', pack);
    execFileSync('tar', ['xzf', archive, '-C', restored]);
    assert.ok(!existsSync(key));
    assert.match(await fails({ DATA_DIR: restored, ...own }), /secret-key-wrong/);
    assert.ok(!existsSync(key));
    copyFileSync(join(storage.DATA_DIR, 'secret.key'), key);
    await (await startGateway({ DATA_DIR: restored, ...own })).close();
  });

  it('when the database is away', async () => {
    const key = Buffer.alloc(32).toString('base64');
    assert.match(
      await fails({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing', SECRET_KEY: key }),
      /database-unreachable/,
    );
  });
});

it('stops in order on a signal', async () => {
  const gateway = await spawnGateway(await freshStorage('embedded'), '');
  assert.equal((await gateway.call('GET', '/readyz')).status, 200);
  const gone = once(gateway.child, 'exit');
  gateway.child.kill('SIGTERM');
  assert.deepEqual(await gone, [0, null]);
});

it('prints the admin token of a first start that fails at the port, which no later start could', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const port = String((taken.address() as AddressInfo).port);
  const storage = { DATABASE_URL: '', ADMIN_TOKEN: '', PORT: port, ...(await freshStorage('embedded')) };
  const { out } = await ended(startFile('src/main.ts', storage));
  assert.match(out, /Admin token .*: sluice_/);
  taken.close();
});

it('prints a generated admin token once, and never again', async () => {
  const storage = { DATABASE_URL: '', PORT: '0', ...(await freshStorage('embedded')), ADMIN_TOKEN: '' };
  const start = async (): Promise<string> => {
    const child = startFile('src/main.ts', storage);
    let output = '';
    child.stdout?.on('data', (chunk) => {
      output += chunk;
      if (output.includes('"listening"')) child.kill('SIGTERM');
    });
    await once(child, 'close');
    return output;
  };
  assert.match(await start(), /Admin token .*: sluice_/);
  assert.doesNotMatch(await start(), /Admin token/);
});
