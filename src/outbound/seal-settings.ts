// What an earlier release kept of push settings in the clear, and this one seals.
import { type Secrets, splitSecrets } from '#core/secrets.ts';
import { openKept, type Seal } from '#platform/seal.ts';
import { type Db, sql } from '#store/database.ts';
import { kindOf, type TargetKinds } from './push/open-target.ts';

interface SavedPush {
  readonly id: string;
  readonly push: unknown;
  readonly push_secrets: string | null;
}

/**
 * Seals what should be. With nothing to do it costs one look-up; several replicas may do it at once. Targets go on as
 * they are: their settings have not changed.
 */
export async function sealPushSettings(db: Db, kinds: TargetKinds, seal: Seal): Promise<void> {
  const { rows } = await sql<SavedPush>(db, 'select id, push, push_secrets from apps where push is not null');
  for (const { id, push, push_secrets: before } of rows) {
    const { settings, secrets } = splitSecrets(push, kindOf(kinds, push).secretPaths);
    if (Object.keys(secrets).length === 0) continue;
    const known = before === null ? '{}' : openKept(seal, before);
    // Without the key the target does not work either, and says so.
    if (known === undefined) continue;
    await sql(
      db,
      'update apps set push = ?::jsonb, push_secrets = ? where id = ? and push = ?::jsonb and push_secrets is not distinct from ?',
      [
        JSON.stringify(settings),
        seal.seal(JSON.stringify({ ...(JSON.parse(known) as Secrets), ...secrets })),
        id,
        JSON.stringify(push),
        before,
      ],
    );
  }
}
