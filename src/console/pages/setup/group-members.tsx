import { UserRound, UsersRound } from 'lucide-react';
import { useGet } from '../../api/queries.ts';
import { useT } from '../../app/i18n.ts';
import { Loaded } from '../../ui/loaded.tsx';
import type { Branch } from './group-tree.tsx';
import { GROUP_WORDS } from './group-words.ts';
import type { Kind } from './model.ts';
import css from './setup.module.css';

const MEMBERS_SHOWN = 40;

/** Everybody below a group, subgroups first, each with the groups on the way to it. */
export function GroupMembers({ kind, branch }: { readonly kind: Kind; readonly branch: Branch }) {
  const t = useT(GROUP_WORDS);
  const members = useGet('GET /providers/{kind}/source/groups/{id}/members', { path: { kind, id: branch.id } });
  return (
    <Loaded query={members}>
      {({ items, truncated, counts }) => {
        const subgroups = items.filter(({ type }) => type === 'group');
        const users = items.filter(({ type }) => type === 'user');
        const left = items.length - MEMBERS_SHOWN;
        return (
          <>
            <h3>{branch.name}</h3>
            <p>{items.length === 0 ? t('nobody') : t('users', { n: counts.users, g: counts.groups })}</p>
            <ul className={css.memberList}>
              {[...subgroups, ...users].slice(0, MEMBERS_SHOWN).map(({ id, displayName, type, path, userName }) => (
                <li key={`${id}-${path.join('/')}`}>
                  {type === 'group' ? <UsersRound size={14} aria-hidden /> : <UserRound size={14} aria-hidden />}
                  <span>
                    {displayName}
                    {path.length > 1 ? <small>{path.join(' / ')}</small> : null}
                  </span>
                  <small>{userName}</small>
                </li>
              ))}
              {left > 0 ? <li>{t('more', { n: left })}</li> : null}
            </ul>
            {truncated === null ? null : <p>{t(`cutBy_${truncated.by}`, { n: truncated.limit })}</p>}
          </>
        );
      }}
    </Loaded>
  );
}
