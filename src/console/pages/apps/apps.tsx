import { Link, useNavigate } from '@tanstack/react-router';
import { AppWindow, Plus } from 'lucide-react';
import { useState } from 'react';
import { useCall, useList } from '../../api/queries.ts';
import type { App } from '../../api/types.ts';
import { dateTime, initials } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useNeeds } from '../../app/session.tsx';
import { COMMON } from '../../app/words.ts';
import { Who } from '../../ui/badge.tsx';
import { Empty, Skeleton } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Card, Page } from '../../ui/layout.tsx';
import { Failure, Refusal } from '../../ui/loaded.tsx';
import { More, Table } from '../../ui/table.tsx';
import { AppFields, bodyOf, type EnteredApp, NO_APP } from './fields.tsx';
import { WORDS } from './words.ts';

export function AppsPage() {
  const t = useT(WORDS);
  const language = useLanguage();
  const needs = useNeeds('admin');
  const sees = useSees();
  const list = useList('GET /apps');
  const [adding, setAdding] = useState(false);
  const add = (
    <Button look="primary" icon={<Plus size={16} />} off={needs} onClick={() => setAdding(true)}>
      {t('add')}
    </Button>
  );
  return (
    <Page title={t('title')} lead={t('lead')} actions={add}>
      <Card flush>
        {list.error !== null && list.items.length === 0 ? (
          <Failure error={list.error} onRetry={() => void list.refetch()} />
        ) : list.isPending ? (
          <Skeleton />
        ) : list.items.length === 0 ? (
          <Empty icon={<AppWindow size={26} />} title={t('empty')} action={add}>
            {t('emptyText')}
          </Empty>
        ) : (
          <Table
            first
            label={t('title')}
            items={list.items}
            keyOf={({ id }) => id}
            columns={[
              {
                name: t('app'),
                cell: (app) => (
                  <Link to="/apps/$id" params={{ id: app.id }} style={{ color: 'inherit' }}>
                    <Who mark={initials(app.name)} name={app.name} square />
                  </Link>
                ),
              },
              { name: t('sees'), cell: sees },
              { name: t('added'), end: true, cell: (app) => dateTime(app.createdAt, language) },
            ]}
          />
        )}
        <More list={list} />
      </Card>
      {adding ? <AddApp onClose={() => setAdding(false)} /> : null}
    </Page>
  );
}

/** What an app may see, in words. */
export function useSees(): (app: App) => string {
  const t = useT(WORDS);
  return ({ scope }) => {
    const types = scope?.resourceTypes;
    const base = types?.length === 1 ? t(types[0] === 'User' ? 'usersOnly' : 'groupsOnly') : t('everything');
    const limited = scope?.userFilter !== undefined || scope?.groupFilter !== undefined || scope?.groups !== undefined;
    return limited ? `${base}, ${t('limited').toLowerCase()}` : base;
  };
}

function AddApp({ onClose }: { readonly onClose: () => void }) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const navigate = useNavigate();
  const create = useCall('POST /apps');
  const [value, setValue] = useState<EnteredApp>(NO_APP);
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('add')}
      lead={t('addLead')}
      foot={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button
            look="primary"
            busy={create.isPending}
            onClick={() =>
              create.mutate(
                { body: bodyOf(value) },
                {
                  onSuccess: (app) =>
                    void navigate({ to: '/apps/$id', params: { id: app.id }, search: { token: 'new' } } as never),
                },
              )
            }
          >
            {t('add')}
          </Button>
        </>
      }
    >
      <Refusal error={create.error} />
      <AppFields value={value} onChange={setValue} />
    </Dialog>
  );
}
