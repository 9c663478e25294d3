// Mail addresses of a Graph user: `mail`, and `proxyAddresses`, where `SMTP:` marks the primary and `smtp:` an alias.
// Source: learn.microsoft.com/graph/api/resources/user, checked 2026-11.
import type { MultiValue } from '#core/resource.ts';
import { foldCase } from '#core/search.ts';
import { type GraphUser, listOf } from './records.ts';
import { textOf } from './text.ts';

/** The primary address: `mail`, else the `SMTP:` proxy address. */
export function primaryAddress(user: GraphUser): string | undefined {
  return textOf(user.mail) ?? proxies(user, true)[0];
}

/** Every mail address, the primary first, each once when compared without case. `otherMails` are somebody else's. */
export function allAddresses(user: GraphUser): readonly string[] {
  const primary = primaryAddress(user);
  const all = [...(primary === undefined ? [] : [primary]), ...proxies(user, true), ...proxies(user, false)];
  const seen = new Set<string>();
  return all.filter((address) => seen.size < seen.add(foldCase(address)).size);
}

/** SCIM emails. With `dropOnMicrosoft` the first address that is left takes the place of a primary that is dropped. */
export function emailsOf(user: GraphUser, { dropOnMicrosoft }: { dropOnMicrosoft: boolean }): MultiValue[] {
  const kept = allAddresses(user).filter((address) => !(dropOnMicrosoft && isOnMicrosoft(address)));
  const first = primaryAddress(user) === undefined ? undefined : kept[0];
  return kept.map((value) => (value === first ? { value, type: 'work', primary: true } : { value, type: 'other' }));
}

/** The tenant's own first domain, in any cloud. */
export function isOnMicrosoft(address: string): boolean {
  return /[.@](partner\.onmschina\.cn|onmicrosoft\.(com|us|de))$/i.test(address);
}

export function domainOf(address: string): string {
  return foldCase(address.slice(address.lastIndexOf('@') + 1));
}

/** True when an `SMTP:` address says that Exchange delivers to this account. */
export function hasProxyAddress(user: GraphUser): boolean {
  return proxies(user, true).length > 0;
}

/** Addresses without their prefix; X500, SIP, SPO and the like are no mail. */
function proxies(user: GraphUser, primary: boolean): string[] {
  return listOf(user.proxyAddresses).flatMap((address) => {
    if (typeof address !== 'string' || !/^smtp:/i.test(address)) return [];
    if (address.startsWith('SMTP:') !== primary) return [];
    return textOf(address.slice('smtp:'.length)) ?? [];
  });
}
