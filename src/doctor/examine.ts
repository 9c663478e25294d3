// Puts the checks in order: each is made even when another one failed, as far as it can be.
import { join } from 'node:path';
import { describeError } from '#core/failure.ts';
import { systemClock } from '#platform/clock.ts';
import type { Config } from '#platform/config.ts';
import { makeSeal } from '#platform/seal.ts';
import { providerKinds } from '#providers/index.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';
import { type Database, sql } from '#store/database.ts';
import { explainForbidden } from '#store/database-errors.ts';
import { uploadsOf } from '#store/source/uploads.ts';
import { targetKinds } from '#targets/index.ts';
import { lookAtDatabase } from './database.ts';
import type { Finding } from './report.ts';
import { openSecrets } from './secrets.ts';
import { lookAtSource } from './source.ts';
import { lookAtWaysOut } from './ways-out.ts';

export interface Examined {
  readonly findings: readonly Finding[];
  /** Every stored secret, opened: to be kept out of what is shown. */
  readonly secrets: readonly string[];
}

/** Reads only; sends what a connection test sends. */
export async function examineDatabase(
  database: Database,
  config: Config,
  secretKey: string | undefined,
): Promise<Examined> {
  const findings: Finding[] = await attempt('Database', () => lookAtDatabase(database, config));
  // Null without such a table.
  const { rows } = await sql(
    database.knex,
    `select has_table_privilege(to_regclass('provider_settings'), 'select') as there`,
  );
  if (rows[0].there !== true) return { findings, secrets: [] };
  if (secretKey === undefined) {
    const detail = 'SECRET_KEY is not set, and there is no secret.key in DATA_DIR.';
    const missing: Finding = {
      area: 'Secrets',
      name: 'SECRET_KEY',
      level: 'problem',
      detail,
      remedy: 'Give the key that the gateway has.',
    };
    return { findings: [...findings, missing], secrets: [] };
  }
  const db = database.knex;
  const seal = makeSeal(secretKey, config.SECRET_KEYS_ACCEPTED);
  const opened = await openSecrets(db, seal);
  const outgoing = { allowLoopback: config.ALLOW_LOOPBACK_WEBHOOKS === 'true' };
  const inboundDir = config.INBOUND_DIR ?? join(config.DATA_DIR, 'inbound');
  const uploads = uploadsOf(db, 'csv');
  const kinds = providerKinds({ clock: systemClock, schemas: RESOURCE_SCHEMAS, outgoing, uploads, inboundDir });
  const targets = targetKinds({ clock: systemClock, outgoing });
  findings.push(...opened.findings);
  findings.push(...(await attempt('Source', () => lookAtSource({ db, kinds, seal }))));
  findings.push(...(await attempt('Targets', () => lookAtWaysOut({ db, kinds: targets, seal }))));
  return { findings, secrets: opened.plain };
}

async function attempt(area: string, work: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await work();
  } catch (error) {
    const { message, remedy } = describeError(explainForbidden(error));
    return [{ area, name: 'examination', level: 'problem', detail: message, remedy }];
  }
}
