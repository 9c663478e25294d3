import { Link } from '@tanstack/react-router';
import { UsersRound } from 'lucide-react';
import { useList } from '../../api/queries.ts';
import type { ScimResource } from '../../api/types.ts';
import { initials } from '../../app/format.ts';
import { useT } from '../../app/i18n.ts';
import { Badge, Who } from '../../ui/badge.tsx';
import { Empty, Skeleton } from '../../ui/banner.tsx';
import { Card } from '../../ui/layout.tsx';
import { Failure } from '../../ui/loaded.tsx';
import { More, Table } from '../../ui/table.tsx';
import { WORDS } from './words.ts';

/** Direct members of a group: users and groups. */
export function Members({ id }: { readonly id: string }) {
  const t = useT(WORDS);
  const list = useList('GET /groups/{id}/members', { path: { id } });
  if (list.isPending) return <Skeleton />;
  if (list.error !== null) return <Failure error={list.error} onRetry={() => void list.refetch()} />;
  return (
    <Card flush>
      {list.items.length === 0 ? (
        <Empty icon={<UsersRound size={26} />} title={t('noMembers')} />
      ) : (
        <Table
          first
          label={t('members')}
          items={list.items}
          keyOf={({ id: member }) => member}
          columns={[
            {
              name: t('member'),
              cell: (member) => (
                <Link
                  to={member.type === 'User' ? '/users/$id' : '/groups/$id'}
                  params={{ id: member.id }}
                  style={{ color: 'inherit' }}
                >
                  <Who mark={initials(member.display)} name={member.display} square={member.type === 'Group'} />
                </Link>
              ),
            },
            { name: t('type'), cell: (member) => t(member.type === 'User' ? 'user' : 'group') },
            {
              name: t('state'),
              cell: (member) =>
                member.active ? <Badge tone="green">{t('active')}</Badge> : <Badge tone="amber">{t('disabled')}</Badge>,
            },
          ]}
        />
      )}
      <More list={list} />
    </Card>
  );
}

/** The groups of a user. */
export function MemberOf({ resource }: { readonly resource: ScimResource }) {
  const t = useT(WORDS);
  const { groups = [] } = resource as unknown as { groups?: readonly { value: string; display?: string }[] };
  return (
    <Card flush>
      {groups.length === 0 ? (
        <Empty icon={<UsersRound size={26} />} title={t('noGroupsOf')} />
      ) : (
        <Table
          first
          label={t('memberOf')}
          items={groups}
          keyOf={({ value }) => value}
          columns={[
            {
              name: t('group'),
              cell: ({ value, display }) => (
                <Link to="/groups/$id" params={{ id: value }} style={{ color: 'inherit' }}>
                  <Who mark={initials(display ?? '?')} name={display ?? value} square />
                </Link>
              ),
            },
          ]}
        />
      )}
    </Card>
  );
}
