import { foldCase } from '#core/search.ts';
import { hasProxyAddress } from './addresses.ts';
import { type GraphUser, listOf } from './records.ts';

/**
 * Whether an Exchange plan is in force (S1.18). Licences count by themselves while no plan is listed, since plans
 * follow an assignment with some delay. Undefined when neither was read.
 * Source: learn.microsoft.com/graph/api/resources/assignedplan, checked 2026-11.
 */
export function isLicensed({ assignedPlans, assignedLicenses }: GraphUser): boolean | undefined {
  const plans = listOf(assignedPlans);
  if (plans.length > 0)
    return plans.some(
      ({ service, capabilityStatus }) =>
        foldCase(String(service)) === 'exchange' && foldCase(String(capabilityStatus)) === 'enabled',
    );
  if (!Array.isArray(assignedLicenses) && !Array.isArray(assignedPlans)) return undefined;
  return listOf(assignedLicenses).length > 0;
}

/**
 * Whether a mailbox is likely: a licence for one, or an `SMTP:` address of a member. Guests have such an address for
 * mail that goes elsewhere. Certainty needs MailboxSettings.Read, which is not asked for yet.
 */
export function hasMailbox(user: GraphUser): boolean {
  if (isLicensed(user) === true) return true;
  return user.userType !== 'Guest' && hasProxyAddress(user);
}
