// Write-only values, apart from the settings that they belong to.

/** Write-only values by their path with dots. */
export type Secrets = Readonly<Record<string, string>>;

/** The settings with each secret put at its path, where its parent exists and nothing is there yet. */
export function mergeSecrets(settings: unknown, secrets: Secrets): unknown {
  const merged = structuredClone(settings);
  for (const [path, value] of Object.entries(secrets)) {
    const names = path.split('.');
    const last = names.pop() ?? '';
    let place: unknown = merged;
    for (const name of names) place = isRecord(place) ? place[name] : undefined;
    if (isRecord(place) && place[last] === undefined) place[last] = value;
  }
  return merged;
}

/** Settings without their write-only values, and those by path. */
export function splitSecrets(settings: unknown, paths: readonly string[]): { settings: unknown; secrets: Secrets } {
  const rest = structuredClone(settings);
  const secrets: Record<string, string> = {};
  for (const path of paths) {
    const names = path.split('.');
    const last = names.pop() ?? '';
    let place: unknown = rest;
    for (const name of names) place = isRecord(place) ? place[name] : undefined;
    if (!isRecord(place) || typeof place[last] !== 'string') continue;
    secrets[path] = place[last];
    delete place[last];
  }
  return { settings: rest, secrets };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
