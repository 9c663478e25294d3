// What a source shows to somebody who sets it up: groups to pick, fields, permissions, first rows.

import type { Permission } from './connect.ts';
import type { Normalised } from './provider.ts';
import { foldCase } from './search.ts';

export interface GroupChoice {
  readonly id: string;
  readonly displayName: string;
  readonly type: string;
  readonly memberCount: number | null;
}

export interface GroupSearch {
  readonly search?: string | undefined;
  /** Groups on a page. */
  readonly limit: number;
  /** Where the page before has ended. */
  readonly cursor?: string | undefined;
}

export interface GroupPage {
  readonly items: readonly GroupChoice[];
  readonly nextCursor: string | null;
  /** Null where nothing is left out, or the cursor leads to it. */
  readonly truncated: Truncated | null;
}

/** Why a list ends before its end: it shows, or enters, no more than that many. */
export interface Truncated {
  readonly by: 'members' | 'groups' | 'depth';
  readonly limit: number;
}

export interface MemberChoice {
  readonly id: string;
  readonly displayName: string;
  readonly type: 'user' | 'group';
  /** How a user signs in, where the source says. */
  readonly userName?: string;
  /** The type of a group, in the words of `GroupChoice`, where the source says. */
  readonly groupType?: string;
  /** Display names from the selected group down to this member's group. */
  readonly path: readonly string[];
}

export interface MemberSearch {
  readonly groupId: string;
  /** Whether those of the groups in it are listed too. */
  readonly transitive: boolean;
}

export interface MemberList {
  readonly items: readonly MemberChoice[];
  readonly truncated: Truncated | null;
}

/** How many people and groups a list has; somebody who is reached by two ways counts once. */
export function countMembers(items: readonly MemberChoice[]): { readonly users: number; readonly groups: number } {
  const count = (of: MemberChoice['type']): number =>
    new Set(items.flatMap(({ id, type }) => (type === of ? [id] : []))).size;
  return { users: count('user'), groups: count('group') };
}

/** `groups`: the groups that somebody is a direct member of, by id, name or address. */
export type FieldType = 'string' | 'boolean' | 'dateTime' | 'strings' | 'groups';

export interface SourceField {
  readonly name: string;
  readonly type: FieldType;
  /** What a filter may do with it; none where only rules can name it. */
  readonly operators: readonly string[];
  /** A filter; empty where there are no operators. */
  readonly example: string;
}

const TEXT = ['eq', 'ne', 'co', 'sw', 'ew', 'pr'] as const;

export const OPERATORS_OF: Readonly<Record<FieldType, readonly string[]>> = {
  string: TEXT,
  strings: TEXT,
  groups: TEXT,
  boolean: ['eq', 'ne', 'pr'],
  dateTime: ['eq', 'ne', 'gt', 'ge', 'lt', 'le', 'pr'],
};

/** Those whose name begins so, without case; the name behind a URN counts as well. */
export function fieldsFrom(fields: readonly SourceField[], prefix: string): readonly SourceField[] {
  const wanted = foldCase(prefix);
  return fields.filter(({ name }) => {
    const folded = foldCase(name);
    return folded.startsWith(wanted) || folded.slice(folded.lastIndexOf(':') + 1).startsWith(wanted);
  });
}

export interface PermissionReview {
  readonly granted: readonly string[];
  readonly required: readonly Permission[];
  readonly missing: readonly Permission[];
  readonly superfluous: readonly string[];
  /** Roles of the source's own directory that the application has, where that shows. None is needed. */
  readonly directoryRoles?: readonly string[];
  /** A sync goes on without these, and knows less. */
  readonly optional?: readonly (Permission & { readonly granted: boolean })[];
  /** The page on which an administrator of the source sees and grants them. */
  readonly entraUrl?: string;
}

/** What a file of a source looks like, before anything of it is taken. */
export interface FilePreview {
  readonly role: string;
  readonly name: string;
  readonly bytes: number;
  readonly encoding: string;
  readonly delimiter: string;
  /** In their order, with the name that rules and filters know each by; null for a column that is not read. */
  readonly columns: readonly { readonly heading: string; readonly name: string | null }[];
  readonly rows: readonly {
    readonly line: number;
    readonly cells: readonly string[];
    readonly problem: string | null;
  }[];
}

export interface SourcePreview {
  readonly files: readonly FilePreview[];
  /** What becomes of the same first lines. */
  readonly resources: readonly { readonly line: number; readonly outcome: Normalised }[];
}
