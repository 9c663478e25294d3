import type { ProviderKind } from '#core/provider.ts';
import { mergeSecrets, type Secrets } from '#core/secrets.ts';
import type { Seal } from '#platform/seal.ts';
import type { ProviderRow } from '#store/source/settings.ts';

/**
 * The saved settings of a provider with their credentials opened.
 * @throws {ConfigError} `secret-key-wrong`
 * @throws {InputError} the settings were saved by a release that knew other ones
 */
export function openSettings<Settings>(
  kind: ProviderKind<Settings>,
  row: Pick<ProviderRow, 'settings' | 'secrets'>,
  seal: Seal,
): Settings {
  const secrets: Secrets = row.secrets === null ? {} : JSON.parse(seal.open(row.secrets));
  return kind.parseSettings(mergeSecrets(row.settings, secrets));
}

/** The values that must be seen nowhere; none when they cannot be opened. */
export function secretsOf({ secrets }: Pick<ProviderRow, 'secrets'>, seal: Seal): readonly string[] {
  try {
    return secrets === null ? [] : Object.values(JSON.parse(seal.open(secrets)) as Secrets);
  } catch {
    return [];
  }
}
