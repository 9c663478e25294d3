import { useNavigate, useParams } from '@tanstack/react-router';
import { Copy, KeyRound, Pencil, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useCall, useGet } from '../../api/queries.ts';
import type { App } from '../../api/types.ts';
import { dateTime } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { COMMON } from '../../app/words.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Card, Page, Pairs, Row } from '../../ui/layout.tsx';
import { Loaded, Refusal } from '../../ui/loaded.tsx';
import { toast } from '../../ui/toast.tsx';
import { useSees } from './apps.tsx';
import { copy } from './copy.ts';
import { AppFields, bodyOf, enteredOf } from './fields.tsx';
import { MakeToken, Tokens } from './tokens.tsx';
import { WORDS } from './words.ts';

export function AppPage() {
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const app = useGet('GET /apps/{id}', { path: { id } });
  return <Loaded query={app}>{(data) => <AppView app={data} />}</Loaded>;
}

function AppView({ app }: { readonly app: App }) {
  const t = useT(WORDS);
  const language = useLanguage();
  const needs = useNeeds('admin');
  const sees = useSees();
  const [search, change] = useSearchState();
  const [dialog, setDialog] = useState<'edit' | 'remove' | undefined>(undefined);
  const address = `${window.location.origin}/scim/v2`;
  return (
    <Page
      title={app.name}
      lead={sees(app)}
      actions={
        <>
          <Button icon={<Pencil size={16} />} off={needs} onClick={() => setDialog('edit')}>
            {t('edit')}
          </Button>
          <Button icon={<Trash2 size={16} />} off={needs} onClick={() => setDialog('remove')}>
            {t('remove')}
          </Button>
          <Button look="primary" icon={<KeyRound size={16} />} off={needs} onClick={() => change({ token: 'new' })}>
            {t('makeToken')}
          </Button>
        </>
      }
    >
      <Card title={t('connection')}>
        <Pairs
          items={[
            [
              t('address'),
              <Row key="address">
                <code>{address}</code>
                <Button small icon={<Copy size={14} />} onClick={() => void copy(address, t('copied'))}>
                  {t('copy')}
                </Button>
              </Row>,
            ],
            [t('sees'), sees(app)],
            ...(app.scope?.userFilter === undefined
              ? []
              : [[t('userFilter'), <code key="filter">{app.scope.userFilter}</code>] as const]),
            [t('added'), dateTime(app.createdAt, language)],
          ]}
        />
      </Card>
      <Tokens app={app} />
      {search['token'] === 'new' ? <MakeToken app={app} onClose={() => change({ token: undefined })} /> : null}
      {dialog === 'edit' ? <EditApp app={app} onClose={() => setDialog(undefined)} /> : null}
      {dialog === 'remove' ? <RemoveApp app={app} onClose={() => setDialog(undefined)} /> : null}
    </Page>
  );
}

function EditApp({ app, onClose }: { readonly app: App; readonly onClose: () => void }) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const save = useCall('PATCH /apps/{id}');
  const [value, setValue] = useState(() => enteredOf(app));
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('edit')}
      foot={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button
            look="primary"
            busy={save.isPending}
            onClick={() =>
              save.mutate(
                { path: { id: app.id }, body: bodyOf(value) },
                {
                  onSuccess: () => {
                    toast(t('changed'));
                    onClose();
                  },
                },
              )
            }
          >
            {common('save')}
          </Button>
        </>
      }
    >
      <Refusal error={save.error} />
      <AppFields value={value} onChange={setValue} />
    </Dialog>
  );
}

function RemoveApp({ app, onClose }: { readonly app: App; readonly onClose: () => void }) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const navigate = useNavigate();
  const remove = useCall('DELETE /apps/{id}');
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('removeTitle', { name: app.name })}
      lead={t('removeText')}
      foot={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button
            look="danger"
            busy={remove.isPending}
            onClick={() =>
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
          >
            {t('remove')}
          </Button>
        </>
      }
    >
      <Refusal error={remove.error} />
    </Dialog>
  );
}
