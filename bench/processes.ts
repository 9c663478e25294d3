import { spawn } from 'node:child_process';
import { once } from 'node:events';

export const TOKEN = 'bench-admin-token-0123456789';

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
}

/** The gateway as it is run, on a PostgreSQL database. */
export async function startGateway(
  url: string,
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
      DATABASE_URL: url,
      ADMIN_TOKEN: TOKEN,
      SECRET_KEY: Buffer.alloc(32, 1).toString('base64'),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  closing.push(async () => {
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  });
  for await (const chunk of child.stdout) {
    const port = /"port":(\d+)/.exec(String(chunk))?.[1];
    if (port === undefined) continue;
    child.stdout.resume();
    return { base: `http://127.0.0.1:${port}`, pid: child.pid ?? 0 };
  }
  throw new Error('the gateway did not start');
}
