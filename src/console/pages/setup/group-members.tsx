import { UserRound, UsersRound } from 'lucide-react';
import { useState } from 'react';
import type { Answer } from '../../api/client.ts';
import { useGet } from '../../api/queries.ts';
import { useT } from '../../app/i18n.ts';
import { Loaded } from '../../ui/loaded.tsx';
import { More } from '../../ui/table.tsx';
import type { Branch } from './group-tree.tsx';
import { GROUP_WORDS } from './group-words.ts';
import type { Kind } from './model.ts';
import css from './setup.module.css';

const MEMBERS = 'GET /providers/{kind}/source/groups/{id}/members';
/** How many more are shown at a time: all of them are here, and thousands would make a browser wait. */
const MEMBERS_MORE = 40;

/** Everybody below a group, subgroups first, each with the groups on the way to it. */
export function GroupMembers({ kind, branch }: { readonly kind: Kind; readonly branch: Branch }) {
  const members = useGet(MEMBERS, { path: { kind, id: branch.id } });
  return <Loaded query={members}>{(data) => <Members name={branch.name} {...data} />}</Loaded>;
}

function Members({
  name,
  items,
  counts,
  truncated,
}: Pick<Answer<typeof MEMBERS>, 'items' | 'counts' | 'truncated'> & {
  readonly name: string;
}) {
  const t = useT(GROUP_WORDS);
  const [shown, setShown] = useState(MEMBERS_MORE);
  const subgroups = items.filter(({ type }) => type === 'group');
  const users = items.filter(({ type }) => type === 'user');
  const first = [...subgroups, ...users].slice(0, shown);
  return (
    <>
      <h3>{name}</h3>
      <p>{items.length === 0 ? t('nobody') : t('users', { n: counts.users, g: counts.groups })}</p>
      <ul className={css.memberList}>
        {first.map(({ id, displayName, type, path, userName }) => (
          <li key={`${id}-${path.join('/')}`}>
            {type === 'group' ? <UsersRound size={14} aria-hidden /> : <UserRound size={14} aria-hidden />}
            <span>
              {displayName}
              {path.length > 1 ? <small>{path.join(' / ')}</small> : null}
            </span>
            <small>{userName}</small>
          </li>
        ))}
      </ul>
      <More
        list={{
          items: first,
          hasNextPage: first.length < items.length,
          isFetchingNextPage: false,
          fetchNextPage: () => setShown(shown + MEMBERS_MORE),
        }}
        total={items.length}
      />
      {truncated === null ? null : <p>{t(`cutBy_${truncated.by}`, { n: truncated.limit })}</p>}
    </>
  );
}
