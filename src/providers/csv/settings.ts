import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { authorizationValue } from '#core/authorization.ts';
import { leaveScope, parseKindSettings, runSettings } from '#core/kind-settings.ts';

/** The three things that files can say. The first is always there; the others may be columns of the first. */
export const FILE_ROLES = ['users', 'groups', 'memberships'] as const;
export type FileRole = (typeof FILE_ROLES)[number];

const column = z.string().trim().min(1).max(200);
const fileName = z
  .string()
  .min(1)
  .max(200)
  .refine(
    (name) => !/[\\/\0]/.test(name) && name !== '.' && name !== '..',
    'expected the name of a file, without a path',
  );
const httpsUrl = z.url({ protocol: /^https?$/, error: 'expected an https URL' });

const FILE_SOURCE = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('upload') }),
  z.strictObject({
    kind: z.literal('folder'),
    /** Below the inbound folder of the gateway. */
    path: z
      .string()
      .max(500)
      .default('')
      .refine(
        (path) => !isAbsolute(path) && !path.split(/[\\/]/).includes('..'),
        'expected a path below the inbound folder',
      ),
    users: fileName.default('users.csv'),
    groups: fileName.nullable().default(null),
    memberships: fileName.nullable().default(null),
    /** A file that was written to more recently may still be written to. */
    settleSeconds: z.number().int().min(0).max(3600).default(10),
  }),
  z.strictObject({
    kind: z.literal('url'),
    users: httpsUrl,
    groups: httpsUrl.nullable().default(null),
    memberships: httpsUrl.nullable().default(null),
    authorization: authorizationValue.optional(),
  }),
]);

/** One character that is no quote and no end of a line. */
const delimiter = z.string().regex(/^(auto|[^\s"]|\t| )$/, 'expected "auto" or one character');

/** openapi.yaml has the same fields. */
export const Settings = z.strictObject({
  source: FILE_SOURCE.default({ kind: 'upload' }),
  format: z
    .strictObject({
      encoding: z.enum(['auto', 'utf-8', 'utf-16le', 'utf-16be', 'cp949', 'windows-1252']).default('auto'),
      delimiter: delimiter.default('auto'),
      /** What a line that cannot be read means for those who are not seen. */
      onBadLine: z.enum(['removeNobody', 'skip']).default('removeNobody'),
    })
    .prefault({}),
  columns: z
    .strictObject({
      /** The stable id of a person: what never changes, whatever else does. */
      anchor: column.default('id'),
      /** Where one file has everything: what a line is, `user`, `group` or `membership`. */
      kind: column.nullable().default(null),
      /** Groups of a person, within the file of users. */
      groups: column.default('groups'),
      groupAnchor: column.default('id'),
      groupName: column.default('displayName'),
      /** Members of a group, within the file of groups. */
      members: column.default('members'),
      membershipGroup: column.default('group'),
      membershipMember: column.default('member'),
      /** `user` or `group`; where there is no such column, whoever has the id is meant. */
      membershipType: column.default('type'),
      /** Between several values in one cell. */
      separator: z.string().min(1).max(5).default(';'),
    })
    .prefault({}),
  scope: z.strictObject(leaveScope).prefault({}),
  ...runSettings,
});

export type CsvSettings = z.output<typeof Settings>;
export type FileSource = CsvSettings['source'];

/** Write-only parts of the settings. */
export const SECRET_PATHS = ['source.authorization'] as const;

/** @throws {InputError} `settings-invalid` with every problem in `details.problems` */
export function parseSettings(value: unknown): CsvSettings {
  return parseKindSettings(Settings, value);
}

/** The hosts of the URLs. */
export function destinationOf(settings: unknown): string {
  const { source } = settings as Record<string, unknown>;
  const urls = (source ?? {}) as Record<string, unknown>;
  const hosts = FILE_ROLES.map((role) => {
    const url = urls[role];
    return typeof url === 'string' && URL.canParse(url) ? new URL(url).origin : null;
  });
  return JSON.stringify(hosts);
}
