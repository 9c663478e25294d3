// Connections to what an administrator has in his own network: a directory, a mail server. Private addresses are the rule
// there; those at which no such thing ever is, and credentials of the machine are, are refused.
import { type LookupAddress, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { UpstreamError } from '#core/errors.ts';
import { isNowhereAddress } from './addresses.ts';

/** Hands on only addresses that may be connected to, so that a name cannot change its mind between look-up and connection. */
export const insideLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
    if (error !== null) return callback(error, '');
    const allowed = found.filter(({ address }) => !isNowhereAddress(address));
    const first = allowed[0];
    if (first === undefined) return callback(refused(hostname), '');
    if (options.all === true) return callback(null, allowed);
    return callback(null, first.address, first.family);
  });
};

/** For a host that is an address already, which is never looked up. @throws {UpstreamError} `address-refused` */
export function checkInside(host: string): void {
  if (isNowhereAddress(host)) throw refused(host);
}

function refused(host: string): UpstreamError {
  return new UpstreamError(`"${host}" leads to an address that no server has.`, {
    failure: 'network',
    reason: 'address-refused',
    remedy: 'Give the name or address of the server; link-local and multicast addresses are refused.',
  });
}
