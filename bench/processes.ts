import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Storage } from './storage.ts';

export const TOKEN = 'bench-admin-token-0123456789';
/** In the body of a POST, the load makes it another number of as many digits each time. */
export const NUMBER = '########';

/** One line of the table. `ratio` is to a limit measured in the same run. */
export interface Row {
  readonly what: string;
  readonly value: string;
  readonly ratio: number | undefined;
  readonly note: string;
}

export interface GatewayProcess {
  readonly base: string;
  readonly pid: number;
  /** Resolves when it has left its database. */
  stop(): Promise<void>;
}

/** The gateway as it is run. */
export async function startGateway(
  { environment: database }: Storage,
  closing: (() => Promise<unknown> | unknown)[],
  environment: Readonly<Record<string, string>> = {},
): Promise<GatewayProcess> {
  const profile = process.env['BENCH_PROFILE'];
  const profiling = profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [];
  const flags = ['--disable-proto=delete', '--max-semi-space-size=8', '--heap-growing-percent=100', ...profiling];
  const child = spawn(process.execPath, [...flags, 'src/main.ts'], {
    env: {
      ...process.env,
      PORT: '0',
      ...database,
      ADMIN_TOKEN: TOKEN,
      SECRET_KEY: Buffer.alloc(32, 1).toString('base64'),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await gone;
  };
  closing.push(stop);
  for await (const chunk of child.stdout) {
    const port = /"port":(\d+)/.exec(String(chunk))?.[1];
    if (port === undefined) continue;
    child.stdout.resume();
    return { base: `http://127.0.0.1:${port}`, pid: child.pid ?? 0, stop };
  }
  throw new Error('the gateway did not start');
}
