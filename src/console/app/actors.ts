import { useGet } from '../api/queries.ts';
import { useT } from './i18n.ts';
import { COMMON } from './words.ts';

/** Says who did something: `token:<id>`, `user:<name>`, `schedule` or `sync` in words. */
export function useActorName(): (actor: string) => string {
  const t = useT(COMMON);
  const { data } = useGet('GET /actors');
  const names = new Map((data?.items ?? []).map(({ actor, name }) => [actor, name]));
  return (actor) => {
    if (actor === 'schedule') return t('schedule');
    if (actor === 'sync') return t('sync');
    return names.get(actor) ?? actor.replace(/^(user|token):/, '').slice(0, 40);
  };
}
