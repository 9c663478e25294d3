import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { z } from 'zod';
import { crossCheck } from '#core/cross-check.ts';
import { ConfigError } from '#core/errors.ts';
import { checkForm, textOf } from '#core/problems.ts';

/** The release that runs here. */
export const VERSION: string = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;

/** The variables that depend on each other. */
type Crossed = Readonly<
  Partial<Record<'DATABASE_URL' | 'SECRET_KEY' | 'CONSOLE_OIDC_ISSUER' | 'CONSOLE_OIDC_CLIENT_ID', string | undefined>>
>;

const Environment = z
  .object({
    PORT: z.coerce.number().int().min(0).max(65_535).default(8080).describe('Port the HTTP server listens on'),
    HOST: z.string().min(1).default('127.0.0.1').describe('Address the HTTP server listens on'),
    PUBLIC_URL: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Address others reach; base of meta.location, redirect and notification URLs'),
    DATABASE_URL: z
      .url({ protocol: /^postgres(ql)?$/ })
      .optional()
      .describe('PostgreSQL 15 or later; embedded PGlite in DATA_DIR when absent'),
    DATA_DIR: z.string().min(1).default('./data').describe('Embedded database and generated keys'),
    INBOUND_DIR: z
      .string()
      .min(1)
      .optional()
      .describe('Folder below which the CSV provider may read files; DATA_DIR/inbound when absent'),
    ADMIN_TOKEN: z
      .string()
      .min(16)
      .optional()
      .describe('Bootstrap admin token; generated at the first start when absent'),
    SECRET_KEY: z
      .string()
      .refine(isKey, 'expected 32 bytes in base64')
      .optional()
      .describe('32 random bytes, base64; seals stored credentials. Required with DATABASE_URL'),
    SECRET_KEYS_ACCEPTED: z
      .string()
      .transform(listOf)
      .refine((keys) => keys.every(isKey), 'expected keys of 32 bytes in base64, with commas between')
      .optional()
      .describe('More keys, with commas between, that open what they sealed: for changing SECRET_KEY'),
    ROLE: z
      .enum(['all', 'api', 'worker'])
      .default('all')
      .describe('all, api (requests only) or worker (background only)'),
    TRUSTED_PROXIES: z
      .string()
      .transform(listOf)
      .refine((proxies) => proxies.every(isNetwork), 'expected addresses or networks (10.0.0.0/8), with commas between')
      .optional()
      .describe('Proxies whose X-Forwarded-For is believed; counts wrong tokens by the client behind them'),
    ALLOW_LOOPBACK_WEBHOOKS: z
      .enum(['true', 'false'])
      .default('false')
      .describe('true lets webhooks and push targets lead to this machine, also without TLS: for trying things out'),
    CONSOLE_OIDC_ISSUER: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('OpenID provider that people sign in to the console with; by token only when absent'),
    CONSOLE_OIDC_CLIENT_ID: z.string().min(1).optional().describe('The console at that provider'),
    CONSOLE_OIDC_CLIENT_SECRET: z.string().min(1).optional().describe('Its secret'),
    CONSOLE_OIDC_TITLE: z
      .string()
      .min(1)
      .default('OpenID Connect')
      .describe('What the sign-in button calls the provider'),
    CONSOLE_OIDC_ROLES_CLAIM: z
      .string()
      .min(1)
      .default('roles')
      .describe('Claim of the ID token that names roles or groups'),
    CONSOLE_OIDC_ADMIN: z
      .string()
      .min(1)
      .default('Gateway.Admin')
      .describe('Value of that claim that makes an administrator'),
    CONSOLE_OIDC_OPERATOR: z.string().min(1).default('Gateway.Operator').describe('Value that makes an operator'),
    CONSOLE_OIDC_VIEWER: z.string().min(1).default('Gateway.Viewer').describe('Value that makes a viewer'),
    LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('debug, info, warn or error'),
  })
  .check(
    crossCheck<Crossed>([
      {
        needs: [],
        path: 'SECRET_KEY',
        problem: ({ DATABASE_URL, SECRET_KEY }) =>
          DATABASE_URL !== undefined && SECRET_KEY === undefined ? 'is required when DATABASE_URL is set' : undefined,
      },
      {
        needs: [],
        path: 'CONSOLE_OIDC_CLIENT_ID',
        problem: ({ CONSOLE_OIDC_ISSUER, CONSOLE_OIDC_CLIENT_ID }) =>
          CONSOLE_OIDC_ISSUER !== undefined && CONSOLE_OIDC_CLIENT_ID === undefined
            ? 'is required when CONSOLE_OIDC_ISSUER is set'
            : undefined,
      },
      {
        needs: ['CONSOLE_OIDC_ISSUER'],
        path: 'CONSOLE_OIDC_ISSUER',
        problem({ CONSOLE_OIDC_ISSUER }) {
          const issuer = URL.parse(CONSOLE_OIDC_ISSUER ?? '');
          const isOpen = issuer?.protocol === 'http:' && !['127.0.0.1', 'localhost', '[::1]'].includes(issuer.hostname);
          return isOpen ? 'must be an https address' : undefined;
        },
      },
    ]),
  );

function listOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((item) => item !== '');
}

function isNetwork(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/');
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return (
    bits > 0 && more.length === 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits))
  );
}

function isKey(text: string): boolean {
  return Buffer.from(text, 'base64').length === 32;
}

export type Config = Readonly<z.output<typeof Environment>> & {
  /** Names of the variables that were set; the others have their defaults. */
  readonly given: ReadonlySet<string>;
};

/** Each variable with its default and meaning: a test holds the table of README.md to this. */
export function describeEnvironment(): { name: string; fallback: string; meaning: string }[] {
  return Object.entries(Environment.shape).map(([name, schema]) => {
    const fallback: unknown = schema.safeParse(undefined).data;
    return { name, fallback: fallback === undefined ? '' : String(fallback), meaning: schema.description ?? '' };
  });
}

/**
 * Reads the configuration once, at start. An empty variable counts as absent.
 * @throws {ConfigError} one message naming every variable that is missing or wrong
 */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const checked = checkForm(Environment, given);
  if (checked.problems !== undefined) {
    const problems = checked.problems.map((problem) => textOf([problem]));
    throw new ConfigError(`configuration: ${problems.join('; ')}`, {
      reason: 'environment-invalid',
      remedy: 'Correct the variables named; the table in README.md says what each takes.',
      details: { problems },
    });
  }
  return Object.freeze({
    ...checked.value,
    given: new Set(Object.keys(given).filter((name) => name in Environment.shape)),
  });
}

/** The base of every URL we hand out, without a trailing slash. */
export function publicUrl(config: Pick<Config, 'PUBLIC_URL' | 'HOST'>, port: number): string {
  if (config.PUBLIC_URL !== undefined) return config.PUBLIC_URL.replace(/\/+$/, '');
  const host = config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST;
  return `http://${host === '0.0.0.0' || host === '[::]' ? '127.0.0.1' : host}:${port}`;
}
