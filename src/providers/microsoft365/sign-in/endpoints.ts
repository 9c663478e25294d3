import type { Microsoft365Settings } from '../settings.ts';

export interface Endpoints {
  /** Origin, without `/v1.0`. */
  readonly graph: string;
  /** Origin, without the tenant. */
  readonly login: string;
  /** Hosts of somebody's own: MSAL must not ask the public cloud about them. */
  readonly custom: boolean;
}

/** Source: learn.microsoft.com/graph/deployments, checked 2026-11. */
const CLOUDS: Readonly<Record<Microsoft365Settings['cloud'], { graph: string; login: string }>> = {
  global: { graph: 'https://graph.microsoft.com', login: 'https://login.microsoftonline.com' },
  usgov: { graph: 'https://graph.microsoft.us', login: 'https://login.microsoftonline.us' },
  usgovdod: { graph: 'https://dod-graph.microsoft.us', login: 'https://login.microsoftonline.us' },
  china: { graph: 'https://microsoftgraph.chinacloudapi.cn', login: 'https://login.chinacloudapi.cn' },
};

/** The hosts in force: those of the settings, else the cloud's. */
export function endpointsOf({ cloud, endpoints }: Pick<Microsoft365Settings, 'cloud' | 'endpoints'>): Endpoints {
  return endpoints === undefined ? { ...CLOUDS[cloud], custom: false } : { ...endpoints, custom: true };
}

/**
 * What a token is asked for, in order of preference. A host of somebody's own may stand in for the cloud's Graph under
 * the cloud's name, so that name is the second choice; but not of the machine's identity, whose tokens for the cloud's
 * Graph are for that alone.
 */
export function tokenScopes(
  settings: Pick<Microsoft365Settings, 'cloud' | 'endpoints' | 'credential'>,
): readonly string[] {
  if (settings.credential.kind === 'managedIdentity') return [`${endpointsOf(settings).graph}/.default`];
  const scopes = [endpointsOf(settings).graph, CLOUDS[settings.cloud].graph].map((origin) => `${origin}/.default`);
  return [...new Set(scopes)];
}
