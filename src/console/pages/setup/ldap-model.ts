// The settings of the LDAP provider as the forms hold them.
import { type Read, settingsOf, USUAL_MATCHING } from './forms.ts';
import type { Json } from './model.ts';

export interface Search {
  readonly base: string;
  /** The preset's when it is empty. */
  readonly filter?: string;
  readonly scope: 'sub' | 'one' | 'base';
}

export interface Ldap extends Read {
  readonly preset: 'activeDirectory' | 'openldap';
  readonly url: string;
  readonly startTls: boolean;
  readonly allowPlaintext: boolean;
  readonly tls: { readonly ca?: string; readonly serverName?: string };
  readonly bind: { readonly dn: string; readonly password?: string } | null;
  readonly users: Search;
  readonly groups: Search | null;
  /** The preset's when they are empty. */
  readonly anchor?: string;
  readonly memberAttribute?: string;
  readonly incremental: 'auto' | 'off';
}

export type Encryption = 'ldaps' | 'startTls' | 'plain';

export const SEARCH: Search = { base: '', scope: 'sub' };

export function toLdap(saved: Json | undefined): Ldap {
  const given = settingsOf(saved) as Partial<Ldap>;
  return {
    preset: 'activeDirectory',
    url: 'ldaps://',
    startTls: false,
    allowPlaintext: false,
    bind: { dn: '' },
    groups: SEARCH,
    incremental: 'auto',
    initialRun: 'preview',
    matching: USUAL_MATCHING,
    adoptManual: 'ask',
    ...given,
    tls: { ...given.tls },
    users: { ...SEARCH, ...given.users },
    scope: {
      filter: '',
      onLeaveScope: 'deactivate',
      onSourceSoftDelete: 'deactivate',
      onSourceHardDelete: 'delete',
      deleteAfterDays: 30,
      ...given.scope,
    },
  };
}

/** What is left empty is the preset's, or stays as it is saved. */
export function fromLdap({ tls, bind, users, groups, anchor, memberAttribute, ...rest }: Ldap): Json {
  return {
    ...rest,
    ...filled({ anchor, memberAttribute }),
    tls: filled(tls),
    bind: bind === null ? null : filled(bind),
    users: filled(users),
    groups: groups === null ? null : filled(groups),
  };
}

function filled(values: object): Json {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== '' && value !== undefined));
}

export function encryptionOf({ url, startTls }: Ldap): Encryption {
  return url.toLowerCase().startsWith('ldaps:') ? 'ldaps' : startTls ? 'startTls' : 'plain';
}

/** The server without how it is spoken to. */
export function hostOf({ url }: Ldap): string {
  return url.replace(/^ldaps?:\/\//i, '');
}

export function withServer(value: Ldap, host: string, encryption: Encryption): Ldap {
  return {
    ...value,
    url: `${encryption === 'ldaps' ? 'ldaps' : 'ldap'}://${host.trim().replace(/^ldaps?:\/\//i, '')}`,
    startTls: encryption === 'startTls',
    allowPlaintext: encryption === 'plain',
  };
}
