// The settings of inbound SCIM as the forms hold them.
import { type Shared, settingsOf, USUAL_MATCHING } from './forms.ts';
import type { Json } from './model.ts';

export interface Scim extends Shared {
  /** The app whose tokens are the identity provider's; null when all tokens that may write are. */
  readonly appId: string | null;
  readonly scope: Shared['scope'] & { readonly groupFilter: string };
  readonly removalWindowMinutes: number;
}

export function toScim(saved: Json | undefined): Scim {
  const given = settingsOf(saved) as Partial<Scim>;
  return {
    appId: null,
    matching: USUAL_MATCHING,
    adoptManual: 'never',
    removalWindowMinutes: 60,
    ...given,
    scope: {
      filter: '',
      groupFilter: '',
      onLeaveScope: 'deactivate',
      onSourceHardDelete: 'delete',
      deleteAfterDays: 30,
      ...given.scope,
    },
  };
}
