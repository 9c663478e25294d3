// Why a record is in scope or out, and what it maps to.
import type { MappingRule } from './mapping-rules.ts';

/** One thing that a scope or a mapping demands of a record, and how the record stands to it. */
export interface Clause {
  /** The setting that it comes from: `scope.filter`; `mapping` for what SCIM itself demands. */
  readonly setting: string;
  /** In words or as the filter's own text. */
  readonly demands: string;
  readonly holds: boolean;
  /** The values that it looked at, as the provider has them. */
  readonly seen: Readonly<Record<string, unknown>>;
  /** The code of core/reasons.ts for a clause that does not hold. */
  readonly reason: string | null;
  readonly detail: string | null;
}

/** What a provider concludes from a record, and by which values. */
export interface Evidence {
  /** `domain`, `licence`, `mailbox`. */
  readonly name: string;
  /** Null when the provider does not tell. */
  readonly value: unknown;
  readonly seen: Readonly<Record<string, unknown>>;
}

/** One attribute of a resource, and the provider's values that it was made of. */
export interface MappedAttribute {
  /** `title`; an extension's attributes with its URN in front. */
  readonly attribute: string;
  readonly value: unknown;
  readonly source: Readonly<Record<string, unknown>>;
  /** The rules that made it; those of the kind itself unless the settings have others. */
  readonly rules?: readonly MappingRule[];
}

/** Why a record is in scope or out, as `normalise` decides: the first clause that does not hold is its reason. */
export interface RecordExplanation {
  readonly clauses: readonly Clause[];
  readonly evidence: readonly Evidence[];
  /** What it maps to, in scope or not; empty where it maps to nothing. */
  readonly attributes: readonly MappedAttribute[];
}
