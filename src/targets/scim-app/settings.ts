import { z } from 'zod';
import { InputError } from '#core/errors.ts';
import { parsePath } from '#core/filter.ts';
import { checkForm, textOf } from '#core/problems.ts';
import type { PushPolicy } from '#core/target.ts';
import { PRESETS, withPreset } from './presets.ts';
import { problemOfPems } from './tls.ts';

const attributePath = z
  .string()
  .min(1)
  .max(300)
  .superRefine((text, context) => {
    try {
      parsePath(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'expected an attribute path, such as emails[type eq "work"].value' });
    }
  });

const Rule = z
  .strictObject({
    to: attributePath,
    from: attributePath.optional(),
    value: z.union([z.string().max(2_000), z.number(), z.boolean()]).optional(),
    template: z.string().max(2_000).optional(),
    when: z.enum(['always', 'create', 'update']).default('always'),
    required: z.boolean().default(false),
  })
  .refine(
    ({ from, value, template }) => [from, value, template].filter((given) => given !== undefined).length <= 1,
    'expected one of from, value and template; none of them sends nothing',
  );

const pem = z.string().min(1).max(50_000);
const secret = z.string().min(1).max(20_000);
/** What stands in a header as it is (RFC 9110 section 5.5). */
const IN_HEADER = /^[\t\x20-\x7e\x80-\xff]*$/;
const NOT_IN_HEADER = 'has a character that no header carries, such as a line break';
const Auth = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('bearer'), token: secret.regex(IN_HEADER, NOT_IN_HEADER) }),
  z.strictObject({ kind: z.literal('basic'), username: z.string().min(1).max(500), password: secret }),
  z.strictObject({
    kind: z.literal('oauth'),
    tokenUrl: z.url(),
    clientId: z.string().min(1).max(500),
    clientSecret: secret,
    scope: z.string().max(2_000).optional(),
    style: z.enum(['basic', 'form']).default('basic'),
  }),
]);
export type Auth = z.output<typeof Auth>;

/** For a target that asks for a certificate of ours. */
const Tls = z
  .strictObject({ certificate: pem, key: pem, ca: pem.nullable().default(null) })
  .superRefine(({ certificate, key, ca }, context) => {
    const [code, message] = problemOfPems(certificate, key, ca) ?? [];
    if (code !== undefined) context.addIssue({ code: 'custom', path: [code], message: message ?? '' });
  });

const FORBIDDEN_HEADERS =
  /^(authorization|host|content-length|content-type|accept|connection|transfer-encoding|cookie)$/i;
const fate = z.enum(['deactivate', 'delete', 'keep']);
const way = z.enum(['auto', 'patch', 'put']);
const rate = z.number().positive().max(1_000).nullable();

const Settings = z.strictObject({
  kind: z.literal('scim').default('scim'),
  preset: z
    .enum(Object.keys(PRESETS) as [string, ...string[]])
    .nullable()
    .default(null),
  baseUrl: z
    .url()
    .max(2_000)
    .refine((text) => !/[?#]/.test(text), 'must have no query and no fragment: paths such as /Users are added to it')
    .transform((text) => text.replace(/\/+$/, '')),
  auth: Auth,
  nextAuth: Auth.nullable().default(null),
  tls: Tls.nullable().default(null),
  headers: z
    .record(
      z
        .string()
        .regex(/^[\w-]{1,100}$/)
        .refine((name) => !FORBIDDEN_HEADERS.test(name), 'is set by the gateway'),
      z
        .string('expected its value: one that was saved is kept for the same host only')
        .max(2_000)
        .regex(IN_HEADER, NOT_IN_HEADER),
    )
    .default({}),
  types: z
    .array(z.enum(['User', 'Group']))
    .min(1)
    .default(['User', 'Group']),
  externalId: z.enum(['id', 'externalId']).default('id'),
  matching: z
    .strictObject({
      User: z.array(attributePath).max(5).default(['externalId', 'userName']),
      Group: z.array(attributePath).max(5).default(['externalId', 'displayName']),
    })
    .prefault({}),
  mapping: z
    .strictObject({ User: z.array(Rule).max(100).default([]), Group: z.array(Rule).max(100).default([]) })
    .prefault({}),
  exclude: z.array(attributePath).max(100).default([]),
  singleValued: z.array(z.string().min(1).max(100)).max(20).default([]),
  deprovision: z
    .strictObject({
      sourceDeleted: fate.default('deactivate'),
      sourceDisabled: fate.default('deactivate'),
      outOfScope: fate.default('deactivate'),
      groups: z.enum(['delete', 'keep']).default('delete'),
      deleteAfterDays: z.number().int().min(0).max(3_650).nullable().default(null),
    })
    .prefault({}),
  pace: z
    .strictObject({
      concurrency: z.number().int().min(1).max(32).default(4),
      readsPerSecond: rate.default(null),
      writesPerSecond: rate.default(null),
    })
    .prefault({}),
  members: z
    .strictObject({
      perRequest: z.number().int().min(1).max(10_000).default(100),
      requestBytes: z.number().int().min(1_000).max(10_000_000).default(256_000),
      hidden: z.boolean().default(false),
    })
    .prefault({}),
  dialect: z
    .strictObject({
      users: way.default('auto'),
      groups: way.default('auto'),
      capitalOps: z.boolean().default(false),
      pathless: z.boolean().default(false),
      onePerRequest: z.boolean().default(false),
      booleansAsText: z.boolean().default(false),
      removeMembers: z.enum(['filter', 'value']).default('filter'),
      changeMembers: z.enum(['auto', 'each', 'whole']).default('auto'),
      attributes: z.enum(['auto', 'all', 'declared']).default('auto'),
      ifMatch: z.enum(['auto', 'always', 'never']).default('auto'),
      filter: z.enum(['auto', 'always', 'never']).default('auto'),
      contentType: z.enum(['application/scim+json', 'application/json']).default('application/scim+json'),
      pageSize: z.number().int().min(1).max(1_000).default(100),
    })
    .prefault({}),
  bulk: z.boolean().default(false),
  maxAttempts: z.number().int().min(1).max(50).default(8),
  guard: z
    .strictObject({ max: z.number().int().min(0).default(50), percent: z.number().min(0).max(100).default(10) })
    .nullable()
    .prefault({}),
  reconcile: z
    .strictObject({
      everyHours: z
        .number()
        .int()
        .min(1)
        .max(24 * 31)
        .nullable()
        .default(24),
      repair: z
        .strictObject({
          missing: z.boolean().default(true),
          changed: z.boolean().default(true),
          members: z.boolean().default(true),
        })
        .prefault({}),
    })
    .prefault({}),
  timeoutSeconds: z.number().int().min(1).max(300).default(20),
});

export type ScimSettings = z.output<typeof Settings>;

export const SECRET_PATHS = [
  'auth.token',
  'auth.password',
  'auth.clientSecret',
  'nextAuth.token',
  'nextAuth.password',
  'nextAuth.clientSecret',
  'tls.key',
  'headers.*',
] as const;

/** @throws {InputError} naming every field that is wrong */
export function parseSettings(value: unknown): ScimSettings {
  const checked = checkForm(Settings, withPreset(value));
  if (checked.problems === undefined) return checked.value;
  const problems = checked.problems.map(({ path, message }) =>
    textOf([{ path: path === '' ? 'push' : `push.${path}`, message }]),
  );
  throw new InputError(problems.join('; '), {
    reason: 'invalid-push',
    remedy: 'Correct the fields named; docs/targets.md lists them.',
    details: { problems },
  });
}

/** What one member takes in a request, at most: its id and what surrounds it. */
const MEMBER_BYTES = 100;
const BULK_CONCURRENCY = 32;

export function policyOf(settings: ScimSettings): PushPolicy {
  const {
    types,
    externalId,
    mapping,
    exclude,
    singleValued,
    deprovision,
    pace,
    members,
    maxAttempts,
    guard,
    reconcile,
    bulk,
    timeoutSeconds,
  } = settings;
  return {
    types,
    externalId,
    mapping,
    exclude,
    singleValued,
    deprovision,
    // Creates that wait for each other go out in one request.
    concurrency: bulk ? Math.max(pace.concurrency, BULK_CONCURRENCY) : pace.concurrency,
    membersPerRequest: Math.min(members.perRequest, Math.floor(members.requestBytes / MEMBER_BYTES)),
    maxAttempts,
    guard,
    reconcile,
    bulk,
    timeoutMs: timeoutSeconds * 1_000,
  };
}
