import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { Fingerprint, Pencil, Trash2, UserRoundSearch, Waypoints } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { useCall, useGet } from '../../api/queries.ts';
import type { ScimResource } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { PROVIDERS } from '../../app/words.ts';
import { Skeleton } from '../../ui/banner.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Page } from '../../ui/layout.tsx';
import { Loaded } from '../../ui/loaded.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { toast } from '../../ui/toast.tsx';
import { Attributes } from './attributes.tsx';
import { EditDialog } from './edit.tsx';
import { History } from './history.tsx';
import { MemberOf, Members } from './members.tsx';
import { nameOf } from './name-of.ts';
import { PathGroup } from './path-group.tsx';
import { type Noun, PersonState } from './people.tsx';
import { RemovedPage, RestoreButton } from './removed.tsx';
import { WORDS } from './words.ts';

export function UserPage() {
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const query = useGet('GET /users/{id}', { path: { id } });
  if (isGone(query)) return <RemovedPage noun="users" id={id} />;
  return <Loaded query={query}>{(data) => <Person noun="users" resource={data} />}</Loaded>;
}

export function GroupPage() {
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const query = useGet('GET /groups/{id}', { path: { id } });
  if (isGone(query)) return <RemovedPage noun="groups" id={id} />;
  return <Loaded query={query}>{(data) => <Person noun="groups" resource={data} />}</Loaded>;
}

/** Not here: perhaps it was removed. */
function isGone({ error }: { readonly error: unknown }): boolean {
  return error instanceof ApiError && error.status === 404;
}

const InApps = lazy(() => import('../deliveries/in-apps.tsx').then((part) => ({ default: part.InApps })));

const GATEWAY = 'urn:sluice:params:scim:schemas:extension:gateway:2.0:User';

function Person({ noun, resource }: { readonly noun: Noun; readonly resource: ScimResource }) {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const needs = useNeeds('operator');
  const [search, change] = useSearchState();
  const [dialog, setDialog] = useState<'edit' | 'remove' | undefined>(undefined);
  const { origin, leftAt, overridden } = resource.state;
  const from = names(origin as keyof typeof PROVIDERS);
  const owned = origin === 'manual' ? needs : t('owned', { name: from });
  const tabs =
    noun === 'users'
      ? (['overview', 'memberOf', 'apps', 'history'] as const)
      : (['members', 'overview', 'apps', 'history'] as const);
  const tab = tabs.find((name) => name === search['tab']) ?? tabs[0];
  const path = (resource as unknown as Record<string, { affiliationPath?: string } | undefined>)[GATEWAY]
    ?.affiliationPath;
  const active = (resource as unknown as { active?: boolean }).active ?? true;
  return (
    <Page
      title={nameOf(resource)}
      {...(origin === 'manual' ? {} : { lead: t('owned', { name: from }) })}
      badge={noun === 'users' ? <PersonState person={{ active, leftAt, overridden }} /> : undefined}
      meta={
        <>
          <span>
            <Fingerprint size={15} aria-hidden />
            {from}
          </span>
          {path === undefined ? null : (
            <span>
              <Waypoints size={15} aria-hidden />
              {path}
            </span>
          )}
        </>
      }
      actions={
        <>
          {noun === 'users' ? (
            <Link to="/check" search={{ subject: resource.id } as never} className={buttonClass()}>
              <UserRoundSearch size={16} aria-hidden />
              {t('check')}
            </Link>
          ) : (
            <PathGroup resource={resource} />
          )}
          {leftAt === null ? null : <RestoreButton noun={noun} id={resource.id} name={nameOf(resource)} />}
          <Button icon={<Pencil size={16} />} off={owned} onClick={() => setDialog('edit')}>
            {t('edit')}
          </Button>
          <Button icon={<Trash2 size={16} />} off={owned} onClick={() => setDialog('remove')}>
            {t('remove')}
          </Button>
        </>
      }
    >
      <Tabs
        label={nameOf(resource)}
        value={tab}
        onChange={(name) => change({ tab: name })}
        tabs={tabs.map((name) => ({ name, label: t(name) }))}
      >
        {tab === 'overview' ? <Attributes resource={resource} /> : null}
        {tab === 'memberOf' ? <MemberOf resource={resource} /> : null}
        {tab === 'members' ? <Members id={resource.id} name={nameOf(resource)} /> : null}
        {tab === 'apps' ? (
          <Suspense fallback={<Skeleton />}>
            <InApps resourceId={resource.id} />
          </Suspense>
        ) : null}
        {tab === 'history' ? <History noun={noun} id={resource.id} /> : null}
      </Tabs>
      {dialog === 'edit' ? <EditDialog noun={noun} resource={resource} onClose={() => setDialog(undefined)} /> : null}
      {dialog === 'remove' ? (
        <RemoveDialog noun={noun} resource={resource} onClose={() => setDialog(undefined)} />
      ) : null}
    </Page>
  );
}

function RemoveDialog({
  noun,
  resource,
  onClose,
}: {
  readonly noun: Noun;
  readonly resource: ScimResource;
  readonly onClose: () => void;
}) {
  const t = useT(WORDS);
  const navigate = useNavigate();
  const users = useCall('DELETE /users/{id}');
  const groups = useCall('DELETE /groups/{id}');
  const remove = noun === 'users' ? users : groups;
  const name = nameOf(resource);
  return (
    <ConfirmDialog
      onClose={onClose}
      title={t('removeTitle', { name })}
      lead={t('removeText')}
      action={t('remove')}
      call={remove}
      onConfirm={() =>
        remove.mutate(
          { path: { id: resource.id } },
          {
            onSuccess: () => {
              toast(t('removed', { name }));
              void navigate({ to: `/${noun}` } as never);
            },
          },
        )
      }
    />
  );
}
