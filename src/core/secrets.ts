// Write-only values, apart from the settings that they belong to.

/** Write-only values by their path with dots; those of a map by `map.*.name`. */
export type Secrets = Readonly<Record<string, string>>;

const EACH = '*';

/**
 * The settings with each secret put at its path, where its parent exists and nothing is there yet. Of a map only where its
 * name stands, with null: a name that was taken out does not come back.
 */
export function mergeSecrets(settings: unknown, secrets: Secrets): unknown {
  const merged = structuredClone(settings);
  for (const [path, value] of Object.entries(secrets)) {
    const names = path.split('.');
    const last = names.pop() ?? '';
    const isInMap = names.at(-1) === EACH;
    const place = placeAt(merged, isInMap ? names.slice(0, -1) : names);
    if (place !== undefined && place[last] === (isInMap ? null : undefined)) place[last] = value;
  }
  return merged;
}

/** Settings without their write-only values, and those by path. A path `map.*` is every value of a map; its names stay, with null. */
export function splitSecrets(settings: unknown, paths: readonly string[]): { settings: unknown; secrets: Secrets } {
  const rest = structuredClone(settings);
  const secrets: Record<string, string> = {};
  for (const path of paths) {
    const names = path.split('.');
    const last = names.pop() ?? '';
    const place = placeAt(rest, names);
    for (const [name, value] of Object.entries(place ?? {})) {
      if (place === undefined || typeof value !== 'string' || (last !== EACH && last !== name)) continue;
      secrets[last === EACH ? `${path}.${name}` : path] = value;
      if (last === EACH) place[name] = null;
      else delete place[name];
    }
  }
  return { settings: rest, secrets };
}

function placeAt(settings: unknown, names: readonly string[]): Record<string, unknown> | undefined {
  let place = settings;
  for (const name of names) place = isRecord(place) ? place[name] : undefined;
  return isRecord(place) ? place : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
