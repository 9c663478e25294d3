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
 * multicast. And the addresses of such services elsewhere: Azure, Alibaba, Oracle and AWS by IPv6. An IPv4 address
 * counts as itself when it is mapped, and when a gateway of the network would take it out of one of IPv6 (NAT64, RFC 6052;
 * 6to4, RFC 3056; IPv4-compatible). Sources: RFC 6890, RFC 3927, and the clouds' pages on instance metadata, checked 2026-11.
 */
const NOWHERE = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
  ['168.63.129.16', 32],
  ['100.100.100.200', 32],
  ['192.0.0.192', 32],
] as const) {
  NOWHERE.addSubnet(network, prefix, 'ipv4');
  NOWHERE.addSubnet(`64:ff9b::${network}`, 96 + prefix, 'ipv6');
  NOWHERE.addSubnet(`2002:${hexOf(network)}::`, 16 + prefix, 'ipv6');
  // ::1 is this machine, which is allowed, and not 0.0.0.1.
  if (network !== '0.0.0.0') NOWHERE.addSubnet(`::${network}`, 96 + prefix, 'ipv6');
}
NOWHERE.addAddress('::', 'ipv6');
NOWHERE.addSubnet('fe80::', 10, 'ipv6');
NOWHERE.addSubnet('ff00::', 8, 'ipv6');
NOWHERE.addAddress('fd00:ec2::254', 'ipv6');

/** The two groups of an IPv6 address that hold one of IPv4. */
function hexOf(address: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

/** True for an address that is refused even to what lives in a private network, such as a directory or a mail server. */
export function isNowhereAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && NOWHERE.check(address, family === 4 ? 'ipv4' : 'ipv6');
}
