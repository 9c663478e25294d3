import { Agent, type Dispatcher, EnvHttpProxyAgent, fetch as fetchBy } from 'undici';
import { GatewayError } from '#core/errors.ts';
import { checkInside, insideLookup } from './inside.ts';

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/**
 * `fetch` for what may live in a private network: an address at which nobody has a server (inside.ts) is refused, as the URL
 * says it or as its name is resolved when it is connected to, so that a name cannot change its mind. What goes by a proxy
 * that Node was told of is looked up by the proxy, so that only addresses in the URL are refused; what `NO_PROXY` names is
 * connected to from here, and is looked up as ever.
 */
export const insideFetch: Fetch = async (url, init) => {
  checkInside(new URL(url).hostname.replace(/^\[|\]$/g, ''));
  guarded ??= makeGuarded();
  return fetchWith(guarded, url, init);
};

/**
 * `fetch` for what the machine itself provides: its identity is at a link-local address that is refused to all others, and
 * never behind a proxy.
 */
export const machineFetch: Fetch = (url, init) => {
  plain ??= new Agent();
  return fetchWith(plain, url, init);
};

/** One of each for the process, as Node's own is: their connections are shared and keep nobody alive. */
let guarded: Dispatcher | undefined;
let plain: Dispatcher | undefined;

function makeGuarded(): Dispatcher {
  const connect = { lookup: insideLookup };
  return usesProxy() ? new EnvHttpProxyAgent({ connect }) : new Agent({ connect });
}

function fetchWith(dispatcher: Dispatcher, url: string, init: RequestInit | undefined): Promise<Response> {
  return fetchBy(url, { ...(init as object), dispatcher }) as unknown as Promise<Response>;
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
