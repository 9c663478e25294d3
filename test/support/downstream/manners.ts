// What makes one downstream service unlike another. Everything left out is as RFC 7644 has it.

export interface Manners {
  /** 501 to PATCH, and `supported: false`; `hidden` is 405 and says that it is supported. */
  readonly noPatch?: boolean | 'hidden';
  readonly noPut?: boolean;
  /** `refused` is 400 invalidFilter for any, `ignored` answers everybody. */
  readonly filters?: 'refused' | 'ignored' | 'caseExact';
  /** Requests of a second; beyond that 429 with Retry-After. */
  readonly perSecond?: number;
  readonly retryAfter?: 'seconds' | 'date';
  /** The share of writes that are carried out, and whose connection is then cut. */
  readonly cutAfter?: number;
  /** The share of requests whose connection is cut before anything is done. */
  readonly cutBefore?: number;
  /** The share of writes that are answered 500, half of them carried out. */
  readonly failing?: number;
  readonly slowMs?: number;
  /** `changing` gives every read another one. */
  readonly etags?: 'weak' | 'odd' | 'changing';
  /** 428 without If-Match, and says nothing of ETags in its configuration. */
  readonly needsMatch?: boolean;
  readonly bulk?: { readonly maxOperations: number; readonly maxPayloadSize: number };
  /** Client credentials; tokens that live so long. */
  readonly tokenSeconds?: number;
  readonly membersMax?: number;
  /** `members` cannot be added to or removed from, only replaced as a whole. */
  readonly wholeMembers?: boolean;
  /** Neither the enterprise extension nor these; what it does not have it refuses. */
  readonly lacks?: readonly string[];
  /** DELETE turns people off, and they stay. */
  readonly softDelete?: boolean;
  /** PATCH and PUT are answered 200 with nothing. */
  readonly silent?: boolean;
  /** The id is made of the user name, and changes with it. */
  readonly idOfName?: boolean;
  readonly lowerCases?: boolean;
  /** Reads show what was so long ago. */
  readonly lagMs?: number;
  readonly pageMax?: number;
  /** `zero` counts from 0, `page` takes startIndex for the number of a page. */
  readonly startIndex?: 'zero' | 'page';
  readonly plainJson?: boolean;
  readonly noConfiguration?: boolean;
}

/** Each named by what it does that others do not. */
export const SERVICES: Readonly<Record<string, Manners>> = {
  'to the letter of the RFC': {},
  'without PATCH': { noPatch: true },
  'without PATCH, and says otherwise': { noPatch: 'hidden' },
  'without PUT': { noPut: true },
  'without filters': { filters: 'refused' },
  'ignoring filters': { filters: 'ignored', pageMax: 20 },
  'filtering by case': { filters: 'caseExact', lowerCases: true },
  'limited, Retry-After in seconds': { perSecond: 120, retryAfter: 'seconds' },
  'limited, Retry-After as a date': { perSecond: 120, retryAfter: 'date' },
  'cutting connections after the work': { cutAfter: 0.05 },
  'cutting connections before the work': { cutBefore: 0.03 },
  'failing, and often done all the same': { failing: 0.03 },
  slow: { slowMs: 15 },
  'with weak ETags': { etags: 'weak' },
  'with odd ETags, without PATCH': { etags: 'odd', noPatch: true },
  'with ETags that change at every read': { etags: 'changing' },
  'asking for If-Match': { etags: 'weak', needsMatch: true },
  'with Bulk of ten': { bulk: { maxOperations: 10, maxPayloadSize: 4_000 } },
  'with OAuth and tokens of five seconds': { tokenSeconds: 5 },
  'with three members a request': { membersMax: 3 },
  'replacing whole lists of members': { wholeMembers: true },
  'refusing what it does not know': { lacks: ['title', 'userType'] },
  'keeping whom it deletes': { softDelete: true },
  'silent after changes': { silent: true },
  'whose ids are user names': { idOfName: true },
  'with reads that lag behind': { lagMs: 300 },
  'with small pages from zero': { filters: 'refused', pageMax: 7, startIndex: 'zero' },
  'with numbered pages': { filters: 'refused', pageMax: 7, startIndex: 'page' },
  'of plain JSON, without configuration': { plainJson: true, noConfiguration: true },
};
