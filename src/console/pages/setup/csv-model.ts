// The settings of the CSV provider as the forms hold them.
import { type Read, settingsOf, USUAL_MATCHING } from './forms.ts';
import type { Json } from './model.ts';

export type SourceKind = 'upload' | 'folder' | 'url';

/** Columns that the files say something by, as the gateway names them. */
export const COLUMN_NAMES = {
  users: ['anchor', 'groups'],
  groups: ['groupAnchor', 'groupName', 'members'],
  memberships: ['membershipGroup', 'membershipMember', 'membershipType'],
} as const;
export type ColumnName = (typeof COLUMN_NAMES)[keyof typeof COLUMN_NAMES][number];

export interface Csv extends Read {
  readonly source: { readonly kind: SourceKind } & Readonly<Record<string, unknown>>;
  readonly format: { readonly encoding: string; readonly delimiter: string; readonly onBadLine: string };
  readonly columns: Readonly<Record<ColumnName | 'separator', string>>;
}

const COLUMNS: Csv['columns'] = {
  anchor: 'id',
  groups: 'groups',
  groupAnchor: 'id',
  groupName: 'displayName',
  members: 'members',
  membershipGroup: 'group',
  membershipMember: 'member',
  membershipType: 'type',
  separator: ';',
};

export function toCsv(saved: Json | undefined): Csv {
  const given = settingsOf(saved) as Partial<Csv>;
  return {
    initialRun: 'preview',
    matching: USUAL_MATCHING,
    adoptManual: 'ask',
    ...given,
    source: { kind: 'upload', ...given.source },
    format: { encoding: 'auto', delimiter: 'auto', onBadLine: 'removeNobody', ...given.format },
    columns: { ...COLUMNS, ...given.columns },
    scope: {
      filter: '',
      onLeaveScope: 'deactivate',
      onSourceSoftDelete: 'deactivate',
      onSourceHardDelete: 'delete',
      deleteAfterDays: 30,
      ...given.scope,
    },
  };
}

export function fromCsv(value: Csv): Json {
  return { ...value };
}
