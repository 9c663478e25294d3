// What goes wrong on purpose: scripted for a test that wants one thing at one place, or by chance from a seed.
import { makeRandom } from './tenant.ts';

export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string }
  /** The connection breaks before the answer begins. */
  | { readonly kind: 'drop' }
  /** The connection breaks in the middle of the body. */
  | { readonly kind: 'truncate' }
  /** The page links to itself. */
  | { readonly kind: 'loop' }
  /** The page links to another host. */
  | { readonly kind: 'foreignLink' }
  /** An empty page comes first, with a link to the real one. */
  | { readonly kind: 'emptyPage' }
  /** The page's first objects come twice. */
  | { readonly kind: 'repeat' }
  /** The page lacks its last objects, and is the last although there are more. */
  | { readonly kind: 'short'; readonly lacks: number }
  /** The page still shows these, which are gone. */
  | { readonly kind: 'stale'; readonly objects: readonly object[] }
  /** A body that is JSON and no page. */
  | { readonly kind: 'notAPage' };

export interface FaultPlan {
  /** Applies to the next requests whose path contains `path`, `times` of them. */
  readonly script?: { readonly path: string; readonly fault: Fault; times: number }[];
  /** Share of requests, 0 to 1, that meet a fault which a client must survive. */
  readonly chance?: number;
  readonly seed?: string;
}

const SURVIVABLE: readonly Fault[] = [
  { kind: 'status', status: 429, retryAfter: '0' },
  { kind: 'status', status: 503, retryAfter: '0' },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 504 },
  { kind: 'drop' },
  { kind: 'truncate' },
  { kind: 'emptyPage' },
  { kind: 'repeat' },
];

/** Answers the fault that the next request to a path meets, if any. */
export function makeFaults(plan: FaultPlan = {}): (path: string) => Fault | undefined {
  const random = makeRandom(plan.seed ?? 'faults');
  return (path) => {
    const scripted = plan.script?.find((entry) => entry.times > 0 && path.includes(entry.path));
    if (scripted !== undefined) {
      scripted.times -= 1;
      return scripted.fault;
    }
    if (random() >= (plan.chance ?? 0)) return undefined;
    return SURVIVABLE[Math.floor(random() * SURVIVABLE.length)];
  };
}
