import { Link } from '@tanstack/react-router';
import { Plus, Users } from 'lucide-react';
import { useCallback, useState } from 'react';
import { useList } from '../../api/queries.ts';
import type { Person } from '../../api/types.ts';
import { count, initials, relative } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { COMMON, PROVIDERS } from '../../app/words.ts';
import { Badge, Who } from '../../ui/badge.tsx';
import { Empty } from '../../ui/banner.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { Chips, FilterSelect, SearchField } from '../../ui/field.tsx';
import { Card, Page, Row } from '../../ui/layout.tsx';
import { Listed } from '../../ui/listed.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { AddDialog } from './edit.tsx';
import { GroupTree } from './group-tree.tsx';
import { NoneRemoved } from './removed.tsx';
import { WORDS } from './words.ts';

export type Noun = 'users' | 'groups';

export function UsersPage() {
  return <People noun="users" />;
}

export function GroupsPage() {
  return <People noun="groups" />;
}

const ORIGINS = ['microsoft365', 'scim', 'ldap', 'csv', 'manual'] as const;

function People({ noun }: { readonly noun: Noun }) {
  const t = useT(WORDS);
  const needs = useNeeds('operator');
  const [search] = useSearchState();
  const [adding, setAdding] = useState(false);
  const query = {
    search: search['find'],
    origin: search['origin'],
    active: search['active'],
    removed: search['removed'],
  } as never;
  const users = useList('GET /users', { query, enabled: noun === 'users' });
  const groups = useList('GET /groups', { query, enabled: noun === 'groups' });
  const list = noun === 'users' ? users : groups;
  const isRemoved = search['removed'] === 'true';
  const isTree = !isRemoved && noun === 'groups' && search['view'] === 'tree';
  const filtered = ['find', 'origin', 'active'].some((name) => search[name] !== undefined);
  return (
    <Page
      title={t(noun)}
      lead={t(noun === 'users' ? 'usersLead' : 'groupsLead')}
      actions={
        <Button icon={<Plus size={16} />} off={needs} onClick={() => setAdding(true)}>
          {t(noun === 'users' ? 'addUser' : 'addGroup')}
        </Button>
      }
    >
      <Card flush title={t(noun)} actions={<Filters noun={noun} tree={isTree} />}>
        {isTree ? (
          <GroupTree />
        ) : (
          <Listed list={list} lines={8} empty={<Nobody noun={noun} filtered={filtered} removed={isRemoved} />}>
            <PeopleTable noun={noun} items={list.items} old={list.isPlaceholderData} removed={isRemoved} />
          </Listed>
        )}
      </Card>
      {adding ? <AddDialog noun={noun} onClose={() => setAdding(false)} /> : null}
    </Page>
  );
}

function Nobody({
  noun,
  filtered,
  removed,
}: {
  readonly noun: Noun;
  readonly filtered: boolean;
  readonly removed: boolean;
}) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const [, change] = useSearchState();
  if (filtered)
    return (
      <Empty
        icon={<Users size={26} />}
        title={t('noMatch')}
        action={
          <Button onClick={() => change({ find: undefined, origin: undefined, active: undefined })}>
            {common('clear')}
          </Button>
        }
      />
    );
  if (removed) return <NoneRemoved />;
  return (
    <Empty
      icon={<Users size={26} />}
      title={t(noun === 'users' ? 'noUsers' : 'noGroups')}
      action={
        <Link to="/inbound" className={buttonClass()}>
          {t('toSource')}
        </Link>
      }
    >
      {t('noPeopleText')}
    </Empty>
  );
}

/** What the list is narrowed to, kept in the address. */
function Filters({ noun, tree }: { readonly noun: Noun; readonly tree: boolean }) {
  const t = useT(WORDS);
  const [search, change] = useSearchState();
  const find = useCallback((text: string) => change({ find: text }), [change]);
  return (
    <Row>
      <Chips
        label={t('removedOnes')}
        value={search['removed'] ?? ''}
        onChange={(removed) => change({ removed: removed === '' ? undefined : removed, active: undefined })}
        options={[
          ['', t('here')],
          ['true', t('removedOnes')],
        ]}
      />
      {search['removed'] === 'true' ? null : noun === 'users' ? (
        <Chips
          label={t('state')}
          value={search['active'] ?? ''}
          onChange={(active) => change({ active })}
          options={[
            ['', t('any')],
            ['true', t('active')],
            ['false', t('disabled')],
          ]}
        />
      ) : (
        <Chips
          label={t('view')}
          value={tree ? 'tree' : ''}
          onChange={(view) => change({ view: view === '' ? undefined : view })}
          options={[
            ['', t('asList')],
            ['tree', t('asTree')],
          ]}
        />
      )}
      {tree ? null : <Narrow find={find} />}
    </Row>
  );
}

function Narrow({ find }: { readonly find: (text: string) => void }) {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const [search, change] = useSearchState();
  return (
    <>
      <FilterSelect
        label={t('origin')}
        value={search['origin'] ?? ''}
        onChange={(origin) => change({ origin })}
        options={[['', t('anyOrigin')], ...ORIGINS.map((origin) => [origin, names(origin)] as const)]}
      />
      <SearchField label={t('find')} value={search['find'] ?? ''} onChange={find} />
    </>
  );
}

function PeopleTable({
  noun,
  items,
  old,
  removed,
}: {
  readonly noun: Noun;
  readonly items: readonly Person[];
  readonly old: boolean;
  readonly removed: boolean;
}) {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const language = useLanguage();
  const named: Column<Person> = {
    name: t(noun === 'users' ? 'user' : 'group'),
    cell: (person) => (
      <Link to={`/${noun}/$id`} params={{ id: person.id } as never} style={{ color: 'inherit' }}>
        <Who
          mark={initials(person.displayName ?? person.userName ?? '?')}
          name={person.displayName ?? person.userName ?? person.id}
          note={person.userName ?? undefined}
          square={noun === 'groups'}
        />
      </Link>
    ),
  };
  const origin: Column<Person> = {
    name: t('origin'),
    cell: (person) => names(person.origin as keyof typeof PROVIDERS),
  };
  const changed: Column<Person> = {
    name: t('changed'),
    end: true,
    cell: (person) => relative(person.updatedAt, language),
  };
  const columns: readonly Column<Person>[] = removed
    ? [named, origin, { name: t('removedAt'), end: true, cell: ({ deletedAt }) => relative(deletedAt ?? '', language) }]
    : noun === 'users'
      ? [
          named,
          { name: t('state'), cell: (person) => <PersonState person={person} /> },
          placeOf(items, t),
          origin,
          changed,
        ]
      : [
          named,
          { name: t('members'), end: true, cell: (person) => count(person.memberCount, language) },
          origin,
          changed,
        ];
  return <Table label={t(noun)} items={items} keyOf={({ id }) => id} old={old} columns={columns} />;
}

/** Where somebody belongs; an address where no group path is shown at all. */
function placeOf(items: readonly Person[], t: (word: 'path' | 'noPath' | 'email') => string): Column<Person> {
  if (!items.some(({ affiliationPath }) => affiliationPath !== null))
    return { name: t('email'), cell: ({ email }) => email ?? '–' };
  return {
    name: t('path'),
    cell: ({ affiliationPath }) => affiliationPath ?? <span style={{ color: 'var(--muted)' }}>{t('noPath')}</span>,
  };
}

export function PersonState({ person }: { readonly person: Pick<Person, 'active' | 'leftAt' | 'overridden'> }) {
  const t = useT(WORDS);
  return (
    <Row>
      {person.active ? <Badge tone="green">{t('active')}</Badge> : <Badge tone="amber">{t('disabled')}</Badge>}
      {person.leftAt === null ? null : <Badge>{t('left')}</Badge>}
      {person.overridden ? <Badge tone="violet">{t('edited')}</Badge> : null}
    </Row>
  );
}
