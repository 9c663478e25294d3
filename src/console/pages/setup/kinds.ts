// The forms of each kind of source.
import { AccountsSection } from './accounts.tsx';
import { ConnectSection } from './connect.tsx';
import { CSV_FORMS } from './csv.tsx';
import { FiltersSection } from './filters.tsx';
import type { Forms } from './forms.ts';
import { LDAP_FORMS } from './ldap.tsx';
import { MappingSection } from './mapping.tsx';
import { fromM365, type Kind, type M365, toM365 } from './model.ts';
import { SCIM_FORMS } from './scim.tsx';
import { ScopeSection } from './scope.tsx';

const M365_FORMS: Forms<M365> = {
  kind: 'microsoft365',
  read: toM365,
  body: fromM365,
  missing: (value) => (['tenantId', 'clientId'] as const).filter((name) => value[name].trim() === ''),
  sections: [
    { name: 'connect', fields: /^(tenantId|clientId|credential|endpoints|cloud)/, Show: ConnectSection },
    { name: 'scope', fields: /^(scope\.(mode|group|nested|dynamic)|pathDisplay)/, Show: ScopeSection },
    { name: 'filters', fields: /^scope\.(filter|domains|exclude|require|mailbox)/, Show: FiltersSection },
    { name: 'accounts', fields: /^(scope\.(on|delete)|adopt|matching)/, Show: AccountsSection },
    { name: 'mapping', fields: /^mapping/, Show: MappingSection },
  ],
};

const FORMS = { microsoft365: M365_FORMS, scim: SCIM_FORMS, ldap: LDAP_FORMS, csv: CSV_FORMS } as const;

/** What they hold is the kind's own business: a page only hands it on. */
export function formsOf(kind: Kind): Forms<object> {
  return FORMS[kind] as unknown as Forms<object>;
}
