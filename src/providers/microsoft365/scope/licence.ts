import { foldCase } from '#core/search.ts';
import { type GraphUser, listOf } from '../map/records.ts';

/**
 * Whether an Exchange plan is in force. Licences count by themselves while no plan is listed, since plans
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
