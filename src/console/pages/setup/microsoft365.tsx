// The forms of Microsoft 365.
import { AccountsSection } from './accounts.tsx';
import { ConnectSection } from './connect.tsx';
import { DestinationSection } from './destination.tsx';
import { FiltersSection } from './filters.tsx';
import { FirstRunSection } from './first-run.tsx';
import type { Forms } from './forms.ts';
import { MappingSection } from './later-mapping.tsx';
import { fromM365, type M365, toM365 } from './model.ts';
import { NoticesSection } from './notices.tsx';
import { ScopeSection } from './scope.tsx';

export const M365_FORMS: Forms<M365> = {
  kind: 'microsoft365',
  usual: true,
  read: toM365,
  body: fromM365,
  missing: (value) => (['tenantId', 'clientId'] as const).filter((name) => value[name].trim() === ''),
  sections: [
    { name: 'connect', fields: /^(tenantId|clientId|credential|endpoints|cloud)/, Show: ConnectSection },
    { name: 'scope', fields: /^(scope\.(mode|group|nested|maxDepth|dynamic)|pathDisplay)/, Show: ScopeSection },
    { name: 'filters', fields: /^scope\.(filter|domains|exclude|require|mailbox|guests)/, Show: FiltersSection },
    { name: 'mapping', fields: /^mapping/, Show: MappingSection },
    { name: 'accounts', fields: /^(scope\.(on|delete)|adopt|matching)/, Show: AccountsSection },
    { name: 'destination', fields: /^destination/, Show: DestinationSection },
    { name: 'notices', fields: /^notifications/, Show: NoticesSection },
    { name: 'first', fields: /^initialRun/, Show: FirstRunSection },
  ],
};
