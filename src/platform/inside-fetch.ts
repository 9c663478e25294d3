import { Agent, fetch as fetchBy } from 'undici';
import { GatewayError } from '#core/errors.ts';
import { insideLookup } from './inside.ts';

/**
 * `fetch` for what may live in a private network: a name that leads to nobody's server (inside.ts) is refused when it is
 * connected to, so that it cannot change its mind. Behind a proxy that Node was told of it is Node's own `fetch`: there the
 * proxy looks names up, and we never learn of their addresses.
 */
export const insideFetch: typeof fetch = usesProxy()
  ? fetch
  : (url, init) => fetchBy(url as string, { ...(init as object), dispatcher: agent() }) as unknown as Promise<Response>;

let kept: Agent | undefined;

/** One for the process, as Node's own is: its connections are shared and keep nobody alive. */
function agent(): Agent {
  kept ??= new Agent({ connect: { lookup: insideLookup } });
  return kept;
}

/** Source: nodejs.org/api/cli.html, `NODE_USE_ENV_PROXY=1` and `--use-env-proxy`, checked 2026-11. */
function usesProxy(): boolean {
  const { NODE_USE_ENV_PROXY: wanted, NODE_OPTIONS: options = '' } = process.env;
  return wanted === '1' || [...process.execArgv, options].some((text) => text.includes('--use-env-proxy'));
}

/** The error of ours that a failed `insideFetch` was for, if it was for one. */
export function refusalIn(error: unknown): GatewayError | undefined {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1)
    if (cause instanceof GatewayError) return cause;
  return undefined;
}
