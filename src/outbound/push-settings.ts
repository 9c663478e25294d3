// Saving and showing the settings of a push target. Credentials are sealed, and never shown.
import { InputError } from '#core/errors.ts';
import { mergeSecrets, type Secrets, splitSecrets } from '#core/secrets.ts';
import type { TargetKind } from '#core/target.ts';
import { checkOutgoingUrl, type OutgoingPolicy } from '#platform/fetch.ts';
import { keptSecrets, type Seal } from '#platform/seal.ts';
import type { Db } from '#store/database.ts';
import { changeTarget, deleteTarget, readTarget, saveTarget } from '#store/target/targets.ts';
import type { TargetKinds } from './push/open-target.ts';

export interface PushSettingsParts {
  readonly targetKinds: TargetKinds;
  readonly seal: Seal;
  readonly outgoing: OutgoingPolicy;
}

/**
 * The settings that a body means: credentials that it leaves out stay those that were saved, unless requests would go
 * to another host than before. `elsewhere` are those, first settings, and those that believe other certificates; `anew` also
 * those by which another base URL is asked, or with other credentials.
 * @throws {InputError} `invalid-push`, `url-refused`
 */
export async function parsePush(
  db: Db,
  { targetKinds, seal, outgoing }: PushSettingsParts,
  appId: string | undefined,
  body: unknown,
): Promise<{
  readonly settings: unknown;
  readonly whole: unknown;
  readonly secrets: Secrets;
  readonly elsewhere: boolean;
  readonly anew: boolean;
}> {
  const name = typeof body === 'object' && body !== null && 'kind' in body ? String(body.kind) : 'scim';
  const kind = targetKinds.get(name);
  if (kind === undefined)
    throw new InputError(`There is no kind of target "${name.slice(0, 40)}".`, {
      reason: 'invalid-push',
      remedy: 'Use "scim".',
    });
  const before = appId === undefined ? undefined : await readTarget(db, appId);
  const kept = keptSecrets(seal, before?.push_secrets);
  let whole = kind.parseSettings(mergeSecrets(body, ofSameKind(kept, before?.push, body)));
  const known = before === undefined ? undefined : placeOf(kind, mergeSecrets(before.push, kept));
  const moves = kind.urls(whole).some((url) => known?.hosts.includes(new URL(url).origin) !== true);
  const elsewhere = moves || kind.trust(whole) !== known?.trust;
  // A credential goes to nobody whom it was not entered for.
  if (moves) whole = kind.parseSettings(body);
  for (const url of kind.urls(whole)) checkOutgoingUrl(url, outgoing);
  const anew = elsewhere || accessOf(kind, whole) !== known?.access;
  return { ...splitSecrets(whole, kind.secretPaths), whole, elsewhere, anew };
}

/** Of saved settings; none of those that only an earlier release took. */
function placeOf(
  kind: TargetKind,
  saved: unknown,
): { readonly hosts: readonly string[]; readonly trust: string; readonly access: string } | undefined {
  try {
    const settings = kind.parseSettings(saved);
    const hosts = kind.urls(settings).map((url) => new URL(url).origin);
    return { hosts, trust: kind.trust(settings), access: accessOf(kind, settings) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return undefined;
  }
}

/** Where requests go, and what they are let in by. */
function accessOf(kind: TargetKind, settings: unknown): string {
  const parts = new Set(kind.secretPaths.map((path) => path.split('.')[0] ?? ''));
  const credentials = [...parts].map((part) => (settings as Record<string, unknown>)[part] ?? null);
  return JSON.stringify([kind.urls(settings), credentials]);
}

/** Those that belong to a credential of the kind that the body has: a token is no part of a password. */
function ofSameKind(secrets: Secrets, before: unknown, body: unknown): Secrets {
  const kindAt = (settings: unknown, part: string): unknown =>
    (settings as Record<string, { kind?: unknown } | null | undefined> | null)?.[part]?.kind;
  return Object.fromEntries(
    Object.entries(secrets).filter(([path]) => {
      const [part = ''] = path.split('.');
      return kindAt(before, part) === kindAt(body, part);
    }),
  );
}

/**
 * Saves what the body says; null takes the target away and leaves there what is there. With `paused` nothing is sent until
 * it is resumed.
 */
export async function savePush(tx: Db, parts: PushSettingsParts, appId: string, body: unknown): Promise<void> {
  if (body === undefined) return;
  if (body === null) return deleteTarget(tx, appId);
  const { paused, rest } = withoutPaused(body);
  const { settings, secrets, anew } = await parsePush(tx, parts, appId, rest);
  const sealed = Object.keys(secrets).length === 0 ? null : parts.seal.seal(JSON.stringify(secrets));
  await saveTarget(tx, { appId, push: settings, secrets: sealed, restsOn: !anew });
  if (paused) await changeTarget(tx, appId, { state: 'paused' });
}

/** How a target starts is no setting of its kind. */
function withoutPaused(body: unknown): { readonly paused: boolean; readonly rest: unknown } {
  if (typeof body !== 'object' || body === null || !('paused' in body)) return { paused: false, rest: body };
  const { paused, ...rest } = body;
  if (typeof paused === 'boolean') return { paused, rest };
  throw new InputError('push.paused: expected true or false', {
    reason: 'invalid-push',
    remedy: 'Correct the fields named; docs/targets.md lists them.',
    details: { problems: ['push.paused: expected true or false'] },
  });
}
