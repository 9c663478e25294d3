// Wrong tokens, counted by the address that they come from. A token of ours cannot be guessed; this keeps a token that a
// person chose from being guessed, and says aloud that somebody tries.
import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import type { Request } from 'express';
import { RateError } from '#core/errors.ts';
import { contextOf } from './context.ts';

export interface Attempts {
  /**
   * Notes a wrong token. Good ones never come here, so nobody is locked out by what neighbours do.
   * @param cost what a try weighs; `TRY_COST` for a header
   * @throws {RateError} `too-many-tries`, when too many came from the same address
   */
  note(request: IncomingMessage, hash: Buffer, cost?: number): void;
}

const WINDOW_MS = 60_000;
/** Twenty tokens in a minute. */
const COSTS_MAX = 200;
/** A token that was not tried before. */
export const TRY_COST = 10;
/** The same one again, as an app with a revoked token sends it all day: no guess, and no reason to look away either. */
const AGAIN_COST = 1;
/** A few megabytes at most. */
const ADDRESSES_MAX = 10_000;

interface Tries {
  cost: number;
  ends: number;
  locked: boolean;
  readonly hashes: Set<string>;
}

/** @param now milliseconds that never go back: nobody waits for longer because somebody sets the clock */
export function makeAttempts(now: () => number): Attempts {
  /** The oldest first. */
  const byAddress = new Map<string, Tries>();

  function triesOf(address: string): Tries {
    const known = byAddress.get(address);
    if (known !== undefined && known.ends > now()) return known;
    const begun: Tries = { cost: 0, ends: now() + WINDOW_MS, locked: false, hashes: new Set() };
    byAddress.delete(address);
    if (byAddress.size >= ADDRESSES_MAX) byAddress.delete(byAddress.keys().next().value ?? '');
    byAddress.set(address, begun);
    return begun;
  }

  return {
    note(request, hash, cost = TRY_COST) {
      const address = networkOf(addressOf(request));
      const tries = triesOf(address);
      if (!tries.locked) {
        const key = hash.toString('base64url');
        tries.cost += tries.hashes.has(key) && cost === TRY_COST ? AGAIN_COST : cost;
        tries.hashes.add(key);
        if (tries.cost <= COSTS_MAX) return;
        tries.locked = true;
        tries.ends = now() + WINDOW_MS;
        tries.hashes.clear();
        contextOf(request).log.warn({ address }, 'too many wrong tokens');
      }
      throw new RateError('Too many wrong tokens came from this address.', {
        reason: 'too-many-tries',
        retryAfterMs: tries.ends - now(),
        remedy: 'Wait a minute and try again with a token that is valid here.',
      });
    },
  };
}

/**
 * Who sent it: the peer, or whom trusted proxies name. Some name the port of the connection as well, which says nothing of
 * who it is. Source: azure.microsoft.com/en-us/blog/rewrite-http-headers-with-azure-application-gateway, checked 2026-11.
 */
function addressOf(request: IncomingMessage): string {
  const named = (request as Partial<Request>).ip ?? request.socket.remoteAddress ?? '';
  const [, v6, v4] = /^(?:\[([\da-f:.]+)\]|([\d.]+))(?::\d+)?$/i.exec(named) ?? [];
  return v6 ?? v4 ?? named;
}

/** One customer has 2^64 addresses of IPv6; an IPv4 address may come as one of IPv6. */
function networkOf(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : 8 - first.length - last.length;
  const groups = [...first, ...Array<string>(Math.max(missing, 0)).fill('0'), ...last];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
