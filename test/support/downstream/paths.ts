// Attribute paths and filters (RFC 7644 section 3.4.2.2 and figure 7), as far as a provisioning client has use for them.
import type { Doc } from './schema.ts';

export interface Path {
  /** `urn:…:User` of an extension attribute. */
  readonly urn: string | undefined;
  readonly attribute: string | undefined;
  readonly filter: Filter | undefined;
  readonly sub: string | undefined;
}

export interface Filter {
  readonly path: string;
  readonly value: unknown;
}

const NAME = '[A-Za-z$][\\w$-]*';
const PATH = new RegExp(`^(?:(urn:[\\w.:-]+?):)?(${NAME})(?:\\[([^\\]]*)\\])?(?:\\.(${NAME}))?$`);
/** One comparison; a client of ours has no use for more. */
const COMPARISON = /^(\S+) eq ("(?:[^"\\]|\\.)*"|true|false)$/i;

/** Undefined when the text is no path. An extension as a whole has no attribute. */
export function parsePath(text: string, urns: readonly string[]): Path | undefined {
  if (urns.includes(text)) return { urn: text, attribute: undefined, filter: undefined, sub: undefined };
  const found = PATH.exec(text);
  if (found === null) return undefined;
  const [, urn, attribute, inside, sub] = found;
  const filter = inside === undefined ? undefined : parseFilter(inside);
  if (inside !== undefined && filter === undefined) return undefined;
  return { urn, attribute, filter, sub };
}

/** Undefined when the text is no filter. */
export function parseFilter(text: string): Filter | undefined {
  const found = COMPARISON.exec(text);
  if (found === null) return undefined;
  try {
    return { path: found[1] ?? '', value: JSON.parse(found[2] ?? '') };
  } catch {
    return undefined;
  }
}

/** Whether a resource, or one value of a list, has that value; text without regard to case unless `caseExact`. */
export function matches(doc: Doc, { path, value }: Filter, caseExact: boolean): boolean {
  const [name = '', sub] = path.split('.');
  const there = doc[name];
  const all = (Array.isArray(there) ? there : [there]).map((item) =>
    typeof item === 'object' && item !== null ? (item as Doc)[sub ?? 'value'] : item,
  );
  const fold = (one: unknown): unknown => (typeof one === 'string' && !caseExact ? one.toLowerCase() : one);
  return all.some((one) => one !== undefined && fold(one) === fold(value));
}
