import type { Config } from '#platform/config.ts';

/** Sign-in at an OpenID provider. */
export interface OidcSignIn {
  /** What the button says. */
  readonly title: string;
}

/** Undefined when no issuer is configured. */
export function makeOidc(_config: Config, _publicUrl: () => string): OidcSignIn | undefined {
  return undefined;
}
