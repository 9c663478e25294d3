import { useNavigate, useParams } from '@tanstack/react-router';
import { Ellipsis, Pencil, Trash2 } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import type { Tagged } from '../../api/client.ts';
import { useCall, useGet } from '../../api/queries.ts';
import type { App } from '../../api/types.ts';
import { AppDocument, useAppDraft } from '../../app/conflict/app-draft.tsx';
import { useT } from '../../app/i18n.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { CHANNELS, HealthBadge, useTargets, worstOf } from '../../app/targets.tsx';
import { COMMON } from '../../app/words.ts';
import { Badge } from '../../ui/badge.tsx';
import { Skeleton } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Page } from '../../ui/layout.tsx';
import { Loaded, Refusal } from '../../ui/loaded.tsx';
import { Menu } from '../../ui/menu.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { toast } from '../../ui/toast.tsx';
import { AppOverview } from './app-overview.tsx';
import { AppFields, bodyOf, enteredOf } from './fields.tsx';
import { useSees } from './sees.ts';
import { Access } from './tokens.tsx';
import { WORDS } from './words.ts';

const Push = lazy(() => import('../push/push.tsx').then(({ PushTab }) => ({ default: PushTab })));
const Webhook = lazy(() => import('../streams/webhook.tsx').then(({ WebhookTab }) => ({ default: WebhookTab })));
const Events = lazy(() => import('../streams/events.tsx').then(({ EventsTab }) => ({ default: EventsTab })));
const Deliveries = lazy(() =>
  import('../deliveries/app-deliveries.tsx').then(({ AppDeliveries }) => ({ default: AppDeliveries })),
);

const TABS = ['overview', 'push', 'webhook', 'events', 'deliveries', 'access'] as const;
const OF_A_TAB = {
  view: undefined,
  open: undefined,
  replace: undefined,
  find: undefined,
  channel: undefined,
  state: undefined,
  code: undefined,
};

export function AppPage() {
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const app = useGet('GET /apps/{id}', { path: { id } });
  return <Loaded query={app}>{(data) => <AppView app={data} />}</Loaded>;
}

function AppView({ app }: { readonly app: App }) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const how = useT(CHANNELS);
  const needs = useNeeds('admin');
  const sees = useSees();
  const [search, change] = useSearchState();
  const [dialog, setDialog] = useState<'edit' | 'remove' | undefined>(undefined);
  const { targets } = useTargets(app.id);
  const worst = worstOf(targets);
  const tab = TABS.find((name) => name === search['tab']) ?? 'overview';
  const dead = targets.reduce((sum, target) => sum + target.dead, 0);
  const labels = {
    ...{ overview: t('tabOverview'), push: how('push'), webhook: how('webhook'), events: how('events') },
    deliveries: (
      <>
        {t('tabDeliveries')}
        {dead === 0 ? null : <Badge tone="red">{dead}</Badge>}
      </>
    ),
    access: t('tabAccess'),
  };
  return (
    <Page
      title={app.name}
      lead={sees(app)}
      badge={worst === undefined ? undefined : <HealthBadge health={worst} />}
      actions={
        <>
          <Button icon={<Pencil size={16} />} off={needs} onClick={() => setDialog('edit')}>
            {t('edit')}
          </Button>
          <Menu
            trigger={<Button aria-label={common('more')} icon={<Ellipsis size={17} />} />}
            items={[
              {
                label: t('remove'),
                icon: <Trash2 size={16} />,
                danger: true,
                off: needs,
                onSelect: () => setDialog('remove'),
              },
            ]}
          />
        </>
      }
    >
      <Tabs
        label={app.name}
        value={tab}
        onChange={(name) => change({ ...OF_A_TAB, tab: name === 'overview' ? undefined : name })}
        tabs={TABS.map((name) => ({ name, label: labels[name] }))}
      >
        <Suspense fallback={<Skeleton lines={6} />}>
          {tab === 'overview' ? <AppOverview app={app} /> : null}
          {tab === 'push' ? <Push app={app} /> : null}
          {tab === 'webhook' ? <Webhook app={app} /> : null}
          {tab === 'events' ? <Events app={app} /> : null}
          {tab === 'deliveries' ? <Deliveries app={app} /> : null}
          {tab === 'access' ? <Access app={app} /> : null}
        </Suspense>
      </Tabs>
      {dialog === 'edit' ? <EditApp app={app} onClose={() => setDialog(undefined)} /> : null}
      {dialog === 'remove' ? <RemoveApp app={app} onClose={() => setDialog(undefined)} /> : null}
    </Page>
  );
}

function EditApp({ app, onClose }: { readonly app: App; readonly onClose: () => void }) {
  return <AppDocument id={app.id}>{(saved) => <EditForm saved={saved} onClose={onClose} />}</AppDocument>;
}

function EditForm({ saved, onClose }: { readonly saved: Tagged<App>; readonly onClose: () => void }) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const draft = useAppDraft({
    saved,
    shape: enteredOf,
    body: bodyOf,
    nameOf: (name) => (name in WORDS ? t(name as keyof typeof WORDS) : undefined),
  });
  return (
    <Dialog
      open
      shape="wide"
      onClose={onClose}
      title={t('editTitle')}
      lead={t('editLead')}
      foot={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button
            look="primary"
            busy={draft.isPending}
            onClick={() =>
              draft.save(() => {
                toast(t('changed'));
                onClose();
              })
            }
          >
            {common('save')}
          </Button>
        </>
      }
    >
      <Refusal error={draft.error} />
      {draft.notice}
      <AppFields value={draft.value} onChange={draft.setValue} whole />
    </Dialog>
  );
}

function RemoveApp({ app, onClose }: { readonly app: App; readonly onClose: () => void }) {
  const t = useT(WORDS);
  const navigate = useNavigate();
  const remove = useCall('DELETE /apps/{id}');
  return (
    <ConfirmDialog
      onClose={onClose}
      title={t('removeTitle', { name: app.name })}
      lead={t('removeText')}
      action={t('remove')}
      call={remove}
      onConfirm={() =>
        remove.mutate(
          { path: { id: app.id } },
          {
            onSuccess: () => {
              toast(t('removed', { name: app.name }));
              void navigate({ to: '/apps' } as never);
            },
          },
        )
      }
    />
  );
}
