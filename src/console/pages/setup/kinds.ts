// The forms of each kind of source. Only those of the kind that is set up are loaded.
import type { Forms } from './forms.ts';
import type { Kind } from './model.ts';

/** What they hold is the kind's own business: a page only hands it on. */
type AnyForms = Forms<object>;

const LOAD: Readonly<Record<Kind, () => Promise<unknown>>> = {
  microsoft365: () => import('./microsoft365.tsx').then(({ M365_FORMS }) => M365_FORMS),
  scim: () => import('./scim.tsx').then(({ SCIM_FORMS }) => SCIM_FORMS),
  ldap: () => import('./ldap.tsx').then(({ LDAP_FORMS }) => LDAP_FORMS),
  csv: () => import('./csv.tsx').then(({ CSV_FORMS }) => CSV_FORMS),
};

const loading = new Map<Kind, Promise<AnyForms>>();

export function isKind(name: string): name is Kind {
  return Object.hasOwn(LOAD, name);
}

/** The same promise each time, for `use`. */
export function formsOf(kind: Kind): Promise<AnyForms> {
  const known = loading.get(kind) ?? (LOAD[kind]() as Promise<AnyForms>);
  loading.set(kind, known);
  return known;
}
