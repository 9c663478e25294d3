import { useGet } from '../api/queries.ts';
import { useT } from './i18n.ts';
import { COMMON } from './words.ts';

/** Parts of the gateway that do things by themselves. */
export const OWN_ACTORS = ['schedule', 'sync', 'push', 'retention'] as const;

/** Everybody who may stand in a list: the parts of the gateway first, then people and tokens. */
export function useKnownActors(): readonly string[] {
  const { data } = useGet('GET /actors');
  const known = (data?.items ?? []).map(({ actor }) => actor);
  return [...OWN_ACTORS, ...known.filter((actor) => !OWN_ACTORS.some((own) => own === actor))];
}

/** Says who did something: `token:<id>`, `user:<name>`, or a part of the gateway in words. */
export function useActorName(): (actor: string) => string {
  const t = useT(COMMON);
  const { data } = useGet('GET /actors');
  const names = new Map((data?.items ?? []).map(({ actor, name }) => [actor, name]));
  return (actor) => {
    const own = OWN_ACTORS.find((name) => name === actor);
    if (own !== undefined) return t(own);
    return names.get(actor) ?? actor.replace(/^(user|token):/, '').slice(0, 40);
  };
}
