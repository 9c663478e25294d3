import { BlockList, isIP, isIPv4 } from 'node:net';

// Sources: IANA special-purpose address registries for IPv4 and IPv6, checked 2026-11.
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

const PRIVATE_V4 = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  PRIVATE_V4.addSubnet(network, prefix, 'ipv4');

/** Only this of IPv6 is given out for the internet at large; mapped, translated and local addresses lie outside. */
const GLOBAL_V6 = new BlockList();
GLOBAL_V6.addSubnet('2000::', 3, 'ipv6');
/** Within it: what wraps an IPv4 address (Teredo, 6to4), benchmarks and documentation. */
const PRIVATE_V6 = new BlockList();
PRIVATE_V6.addSubnet('2001::', 23, 'ipv6');
PRIVATE_V6.addSubnet('2001:db8::', 32, 'ipv6');
PRIVATE_V6.addSubnet('2002::', 16, 'ipv6');
PRIVATE_V6.addSubnet('3fff::', 20, 'ipv6');

/** True for an address that anybody on the internet means by it; false for private, local and reserved ones. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !PRIVATE_V4.check(address, 'ipv4');
  return isIP(address) === 6 && GLOBAL_V6.check(address, 'ipv6') && !PRIVATE_V6.check(address, 'ipv6');
}

export function isLoopbackAddress(address: string): boolean {
  return isIP(address) !== 0 && LOOPBACK.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

/**
 * What nobody's server has as its address: this network and link-local, where clouds hand credentials to machines, and
 * multicast. And the addresses of such services elsewhere: Azure, Alibaba, Oracle and AWS by IPv6. A mapped IPv4
 * address counts as itself. Sources: RFC 6890, RFC 3927, and the clouds' pages on instance metadata, checked 2026-11.
 */
const NOWHERE = new BlockList();
NOWHERE.addSubnet('0.0.0.0', 8, 'ipv4');
NOWHERE.addSubnet('169.254.0.0', 16, 'ipv4');
NOWHERE.addSubnet('224.0.0.0', 3, 'ipv4');
for (const address of ['168.63.129.16', '100.100.100.200', '192.0.0.192']) NOWHERE.addAddress(address, 'ipv4');
NOWHERE.addAddress('::', 'ipv6');
NOWHERE.addSubnet('fe80::', 10, 'ipv6');
NOWHERE.addSubnet('ff00::', 8, 'ipv6');
NOWHERE.addAddress('fd00:ec2::254', 'ipv6');

/** True for an address that is refused even to what lives in a private network, such as a directory or a mail server. */
export function isNowhereAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && NOWHERE.check(address, family === 4 ? 'ipv4' : 'ipv6');
}
