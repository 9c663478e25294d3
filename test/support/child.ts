import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const ROOT = new URL('../../', import.meta.url);

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Starts Node 24 on a script, given as text, in the project's folder; `#doors` work in it. */
export function startScript(script: string, environment: NodeJS.ProcessEnv = {}): ChildProcess {
  const args = ['--disable-proto=delete', '--input-type=module-typescript', '--eval', script];
  return spawn(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...environment } });
}

/** Starts one of the project's own entry points, such as `src/store/migrate-command.ts`. */
export function startFile(
  file: string,
  environment: NodeJS.ProcessEnv = {},
  given: readonly string[] = [],
): ChildProcess {
  return spawn(process.execPath, [file, ...given], { cwd: ROOT, env: { ...process.env, ...environment } });
}

/** Waits for the end of a process and answers what it wrote. */
export async function ended(child: ChildProcess): Promise<Ended> {
  let out = '';
  let err = '';
  child.stdout?.on('data', (data) => {
    out += data;
  });
  child.stderr?.on('data', (data) => {
    err += data;
  });
  const [code] = await once(child, 'close');
  return { code, out, err };
}
