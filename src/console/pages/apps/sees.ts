import type { App } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { WORDS } from './words.ts';

/** What an app may see, in words. */
export function useSees(): (app: Pick<App, 'scope'>) => string {
  const t = useT(WORDS);
  return ({ scope }) => {
    const types = scope?.resourceTypes;
    const base = types?.length === 1 ? t(types[0] === 'User' ? 'usersOnly' : 'groupsOnly') : t('everything');
    const limits = [
      ...(scope?.groups === undefined ? [] : [t('byGroups', { n: scope.groups.length })]),
      ...(scope?.userFilter === undefined && scope?.groupFilter === undefined ? [] : [t('limited').toLowerCase()]),
      ...(scope?.attributes === undefined ? [] : [t('byAttributes', { n: scope.attributes.length })]),
    ];
    return [base, ...limits].join(', ');
  };
}
