import { mergeSecrets, type Secrets } from '#core/secrets.ts';
import type { PushPolicy, Target, TargetContext, TargetKind } from '#core/target.ts';
import type { Seal } from '#platform/seal.ts';
import type { TargetRow } from '#store/target/targets.ts';

/** Kinds of targets by their name. */
export type TargetKinds = ReadonlyMap<string, TargetKind>;

export interface OpenedTarget {
  readonly target: Target;
  readonly policy: PushPolicy;
}

/** The kind that the settings of a push name. */
export function kindOf(kinds: TargetKinds, push: unknown): TargetKind {
  const name = typeof push === 'object' && push !== null && 'kind' in push ? String(push.kind) : '';
  const kind = kinds.get(name);
  if (kind === undefined) throw new Error(`there is no kind of target "${name}"`);
  return kind;
}

/** The saved settings with their credentials opened. */
export function pushSettings(kind: TargetKind, push: unknown, secrets: string | null, seal: Seal): unknown {
  const opened: Secrets = secrets === null ? {} : JSON.parse(seal.open(secrets));
  return kind.parseSettings(mergeSecrets(push, opened));
}

/**
 * A target as it is saved, ready to be talked to.
 * @throws {ConfigError} `secret-key-wrong` @throws {InputError} saved by a release that knew other settings
 */
export function openTarget(
  kinds: TargetKinds,
  row: Pick<TargetRow, 'push' | 'push_secrets' | 'learned' | 'capabilities'>,
  seal: Seal,
  trace: TargetContext['trace'],
  { dryRun = false, ...hooks }: Partial<Pick<TargetContext, 'dryRun' | 'permit' | 'askedToRest'>> = {},
): OpenedTarget {
  const kind = kindOf(kinds, row.push);
  const settings = pushSettings(kind, row.push, row.push_secrets, seal);
  const { learned, capabilities } = row;
  const context = { learned, capabilities: capabilities ?? undefined, trace, dryRun, ...hooks };
  return { target: kind.open(settings, context), policy: kind.policy(settings) };
}
