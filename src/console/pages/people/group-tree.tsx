import { Link } from '@tanstack/react-router';
import { Network } from 'lucide-react';
import { useState } from 'react';
import { useList } from '../../api/queries.ts';
import type { Person } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { Empty } from '../../ui/banner.tsx';
import { Listed } from '../../ui/listed.tsx';
import { Twist } from '../../ui/twist.tsx';
import css from './people.module.css';
import { WORDS } from './words.ts';

/** Groups that are in no group, and what is in them as each is opened. */
export function GroupTree() {
  const t = useT(WORDS);
  const list = useList('GET /groups', { query: { top: true } as never });
  return (
    <Listed
      list={list}
      lines={8}
      empty={
        <Empty icon={<Network size={26} />} title={t('noTree')}>
          {t('noTreeText')}
        </Empty>
      }
    >
      <ul className={css.tree}>
        {list.items.map((group) => (
          <Branch key={group.id} group={group} above={[]} />
        ))}
      </ul>
    </Listed>
  );
}

/** A group that stands above itself is not opened again. */
function Branch({ group, above }: { readonly group: Person; readonly above: readonly string[] }) {
  const t = useT(WORDS);
  const [open, setOpen] = useState(false);
  const name = group.displayName ?? group.id;
  const isCircle = above.includes(group.id);
  return (
    <li>
      <div className={css.node}>
        <Twist
          label={t('subgroupsOf', { name })}
          open={open}
          onOpen={group.groupCount === 0 || isCircle ? undefined : setOpen}
        />
        <Link to="/groups/$id" params={{ id: group.id }}>
          {name}
        </Link>
        <small>
          {[
            t('membersN', { n: group.memberCount }),
            ...(group.groupCount === 0 ? [] : [t('subgroupsN', { n: group.groupCount })]),
            ...(isCircle ? [t('circle')] : []),
          ].join(' · ')}
        </small>
      </div>
      {open ? <Below id={group.id} name={name} above={[...above, group.id]} /> : null}
    </li>
  );
}

function Below({ id, name, above }: { readonly id: string; readonly name: string; readonly above: readonly string[] }) {
  const t = useT(WORDS);
  const list = useList('GET /groups', { query: { within: id } as never });
  return (
    <Listed list={list} lines={2} empty={<p className={css.none}>{t('noMembers')}</p>}>
      <ul aria-label={t('subgroupsOf', { name })}>
        {list.items.map((group) => (
          <Branch key={group.id} group={group} above={above} />
        ))}
      </ul>
    </Listed>
  );
}
