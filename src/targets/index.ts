// The kinds of targets that are written to: the only file that names them all.
import type { TargetKind } from '#core/target.ts';
import { type ScimAppParts, scimAppKind } from './scim-app/index.ts';

export function targetKinds(parts: ScimAppParts): ReadonlyMap<string, TargetKind> {
  const kinds = [scimAppKind(parts) as TargetKind];
  return new Map(kinds.map((kind) => [kind.kind, kind]));
}
