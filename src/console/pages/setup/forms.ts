// What the forms of a kind of source are made of: one description serves the set-up, step by step, and the settings, tab
// by tab.
import type { ReactNode } from 'react';
import type { MappingRule } from '../../api/types.ts';
import type { Json, Kind } from './model.ts';

export type SectionName =
  | 'connect'
  | 'scope'
  | 'filters'
  | 'accounts'
  | 'mapping'
  | 'destination'
  | 'notices'
  | 'bursts'
  | 'first';

export interface SectionProps<Value> {
  readonly kind: Kind;
  readonly value: Value;
  readonly onChange: (next: Value) => void;
  /** What is wrong, by the path of the field. */
  readonly errors: Readonly<Record<string, string>>;
  /** Takes back what is wrong: it names places in a list, and they have changed. */
  readonly clearErrors: () => void;
  /** Paths of secrets that are saved and never shown. */
  readonly secretsSet: readonly string[];
}

export interface Section<Value> {
  readonly name: SectionName;
  /** The settings that are entered here, so that a refusal leads to them. */
  readonly fields: RegExp;
  readonly Show: (props: SectionProps<Value>) => ReactNode;
}

export interface Forms<Value> {
  readonly kind: Kind;
  /** True for a kind that writes to us: it has no schedule, and nothing of it can be previewed. */
  readonly pushed?: true;
  /** True where everything after the first step has a usual answer, so that the preview may follow it. */
  readonly usual?: true;
  /** Whole settings for the forms, whatever is there so far. */
  read(saved: Json | undefined): Value;
  /** What is sent; the gateway completes and checks it. */
  body(value: Value): Json;
  /** Paths of fields that must be filled in before anything can be asked of the gateway. */
  missing(value: Value): readonly string[];
  readonly sections: readonly Section<Value>[];
}

export type Leave = 'deactivate' | 'delete' | 'keep';

/** By what somebody new is known again, besides the link that a sync has made. */
export type MatchAttribute = 'externalId' | 'anchors' | 'userName' | 'emails' | 'employeeNumber';

/** What kinds of source that know no anchors compare, as long as nobody has chosen. */
export const USUAL_MATCHING: readonly MatchAttribute[] = ['externalId', 'userName', 'emails'];

/** What becomes of the very first sync. */
export type InitialRun = 'preview' | 'auto' | 'manual';

/** What the settings of all kinds have in common. */
export interface Shared {
  readonly scope: {
    readonly filter: string;
    readonly onLeaveScope: Leave;
    /** Absent where a kind has no recycle bin. */
    readonly onSourceSoftDelete?: Leave;
    readonly onSourceHardDelete: Leave;
    readonly deleteAfterDays: number | null;
  };
  /** The first that fits decides. */
  readonly matching: readonly MatchAttribute[];
  readonly adoptManual: 'never' | 'ask' | 'onMatch';
  readonly mapping?: { readonly users?: readonly MappingRule[] };
}

/** What the kinds that are read have in common beyond that. */
export interface Read extends Shared {
  readonly initialRun: InitialRun;
}

/** Saved settings without what an answer adds to them. */
export function settingsOf(saved: Json | undefined): Json {
  const { configVersion: _version, secretsSet: _set, ...settings } = saved ?? {};
  return settings;
}

/** The first words said of a field, or of one below it. */
export function errorAt(errors: Readonly<Record<string, string>>, path: string): string | undefined {
  return Object.entries(errors).find(([at]) => at === path || at.startsWith(`${path}.`))?.[1];
}

type Title =
  | SectionName
  | 'schedule'
  | 'preview'
  | 'versions'
  | 'limits'
  | 'turnOn'
  | 'files'
  | 'columns'
  | 'filterOnly';

const OTHER_TITLES: Readonly<Partial<Record<Kind, Readonly<Record<string, Title>>>>> = {
  csv: { connect: 'files', scope: 'columns', filters: 'filterOnly' },
  ldap: { filters: 'filterOnly' },
  scim: { filters: 'filterOnly', schedule: 'limits', preview: 'turnOn' },
};

/** What a step or tab is called: some kinds have another word for it. */
export function titleOf(name: SectionName | 'schedule' | 'preview' | 'versions', { kind }: Forms<object>): Title {
  return OTHER_TITLES[kind]?.[name] ?? name;
}
