import { Link } from '@tanstack/react-router';
import { UsersRound } from 'lucide-react';
import { Fragment } from 'react';
import { useGet, useList } from '../../api/queries.ts';
import type { Member, ScimResource } from '../../api/types.ts';
import { initials } from '../../app/format.ts';
import { useT } from '../../app/i18n.ts';
import { useSearchState } from '../../app/search-state.ts';
import { Badge, Who } from '../../ui/badge.tsx';
import { Empty, Skeleton } from '../../ui/banner.tsx';
import { Chips, FilterSelect } from '../../ui/field.tsx';
import { Card, Row } from '../../ui/layout.tsx';
import { Failure } from '../../ui/loaded.tsx';
import { More, Table } from '../../ui/table.tsx';
import { WORDS } from './words.ts';

/** Members of a group, those of its subgroups included, each with the way to it; or the direct ones alone. */
export function Members({ id, name }: { readonly id: string; readonly name: string }) {
  const t = useT(WORDS);
  const [search, change] = useSearchState();
  const isDirect = search['direct'] === 'true';
  const type = search['type'];
  const counts = useGet('GET /groups/{id}/members/count', { path: { id } });
  const list = useList('GET /groups/{id}/members', { path: { id }, query: { transitive: !isDirect, type } as never });
  const all = counts.data;
  if (list.isPending) return <Skeleton />;
  if (list.error !== null && list.items.length === 0)
    return <Failure error={list.error} onRetry={() => void list.refetch()} />;
  return (
    <Card
      flush
      title={t('members')}
      note={all === undefined ? undefined : t('membersAll', all)}
      actions={
        <Row>
          <Chips
            label={t('reach')}
            value={isDirect ? 'true' : ''}
            onChange={(direct) => change({ direct: direct === '' ? undefined : direct })}
            options={[
              ['', t('throughGroups')],
              ['true', t('directOnly')],
            ]}
          />
          <FilterSelect
            label={t('type')}
            value={type ?? ''}
            onChange={(next) => change({ type: next === '' ? undefined : next })}
            options={[
              ['', t('anyType')],
              ['User', t('users')],
              ['Group', t('groups')],
            ]}
          />
        </Row>
      }
    >
      {list.items.length === 0 ? (
        <Empty icon={<UsersRound size={26} />} title={t(type === undefined ? 'noMembers' : 'noMatch')} />
      ) : (
        <Table
          label={t('members')}
          old={list.isPlaceholderData}
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
            ...(isDirect ? [] : [{ name: t('way'), cell: (member: Member) => <Way member={member} name={name} /> }]),
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

/** From the group down to a member, each group on the way a link. */
function Way({ member: { path = [], ways = 1 }, name }: { readonly member: Member; readonly name: string }) {
  const t = useT(WORDS);
  if (path.length === 0 && ways < 2) return <span style={{ color: 'var(--muted)' }}>{t('direct')}</span>;
  return (
    <span>
      {name}
      {path.map(({ id, display }) => (
        <Fragment key={id}>
          {' / '}
          <Link to="/groups/$id" params={{ id }}>
            {display}
          </Link>
        </Fragment>
      ))}
      {ways > 1 ? (
        <small style={{ display: 'block', color: 'var(--muted)' }}>{t('otherWays', { n: ways - 1 })}</small>
      ) : null}
    </span>
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
