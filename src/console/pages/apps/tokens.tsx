import { Copy, KeyRound } from 'lucide-react';
import { useState } from 'react';
import { useCall, useList } from '../../api/queries.ts';
import type { App, Token } from '../../api/types.ts';
import { dateTime, relative } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { COMMON } from '../../app/words.ts';
import { Badge } from '../../ui/badge.tsx';
import { Banner, Empty, Skeleton } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { SelectField, TextField } from '../../ui/field.tsx';
import { Card, Pairs, Row } from '../../ui/layout.tsx';
import { Failure, Refusal } from '../../ui/loaded.tsx';
import { Table } from '../../ui/table.tsx';
import { copy } from './copy.ts';
import { useSees } from './sees.ts';
import { WORDS } from './words.ts';

const DAY_MS = 86_400_000;
const LIVES_DAYS = ['', '30', '90', '365'] as const;

/** Where an app reads, what it sees there, and the tokens that let it in. */
export function Access({ app }: { readonly app: App }) {
  const t = useT(WORDS);
  const language = useLanguage();
  const sees = useSees();
  const [search, change] = useSearchState();
  const address = `${window.location.origin}/scim/v2`;
  const { userFilter, groupFilter, attributes } = app.scope ?? {};
  const code = (name: string, text: string | undefined) =>
    text === undefined ? [] : [[name, <code key={name}>{text}</code>] as const];
  return (
    <>
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
            ...code(t('userFilter'), userFilter),
            ...code(t('groupFilter'), groupFilter),
            ...code(t('attributes'), attributes?.join(', ')),
            [t('added'), dateTime(app.createdAt, language)],
          ]}
        />
      </Card>
      <Tokens app={app} onMake={() => change({ token: 'new' })} />
      {search['token'] === 'new' ? <MakeToken app={app} onClose={() => change({ token: undefined })} /> : null}
    </>
  );
}

/** Tokens without their secret: only the last characters, and what became of them. */
function Tokens({ app, onMake }: { readonly app: App; readonly onMake: () => void }) {
  const t = useT(WORDS);
  const language = useLanguage();
  const needs = useNeeds('admin');
  const list = useList('GET /apps/{id}/tokens', { path: { id: app.id } });
  const revoke = useCall('DELETE /apps/{id}/tokens/{tokenId}');
  const [revoking, setRevoking] = useState<Token | undefined>(undefined);
  return (
    <Card
      title={t('tokens')}
      flush
      actions={
        <Button look="primary" small icon={<KeyRound size={15} />} off={needs} onClick={onMake}>
          {t('makeToken')}
        </Button>
      }
    >
      {list.error !== null ? (
        <Failure error={list.error} onRetry={() => void list.refetch()} />
      ) : list.isPending ? (
        <Skeleton lines={3} />
      ) : list.items.length === 0 ? (
        <Empty icon={<KeyRound size={26} />} title={t('noTokens')}>
          {t('noTokensText')}
        </Empty>
      ) : (
        <Table
          label={t('tokens')}
          items={list.items}
          keyOf={({ id }) => id}
          columns={[
            { name: t('token'), cell: (token) => token.name || '–' },
            { name: t('hint'), cell: (token) => <code>…{token.hint}</code> },
            { name: t('scope'), cell: (token) => t(token.scopes.includes('scim:write') ? 'write' : 'read') },
            { name: t('state'), cell: (token) => <TokenState token={token} /> },
            {
              name: t('lastUsed'),
              cell: (token) => (token.lastUsedAt === null ? t('notUsed') : relative(token.lastUsedAt, language)),
            },
            {
              name: t('expires'),
              cell: (token) => (token.expiresAt === null ? t('never') : dateTime(token.expiresAt, language)),
            },
            {
              name: '',
              end: true,
              cell: (token) =>
                token.revokedAt === null ? (
                  <Button small off={needs} onClick={() => setRevoking(token)}>
                    {t('revoke')}
                  </Button>
                ) : null,
            },
          ]}
        />
      )}
      <ConfirmDialog
        open={revoking !== undefined}
        onClose={() => setRevoking(undefined)}
        title={t('revokeTitle')}
        lead={t('revokeText')}
        action={t('revoke')}
        call={revoke}
        onConfirm={() =>
          revoke.mutate(
            { path: { id: app.id, tokenId: revoking?.id ?? '' } },
            { onSuccess: () => setRevoking(undefined) },
          )
        }
      />
    </Card>
  );
}

function TokenState({ token }: { readonly token: Token }) {
  const t = useT(WORDS);
  if (token.revokedAt !== null) return <Badge tone="red">{t('revoked')}</Badge>;
  if (token.expiresAt !== null && new Date(token.expiresAt) < new Date())
    return <Badge tone="amber">{t('ended')}</Badge>;
  return <Badge tone="green">{t('live')}</Badge>;
}

/** Makes a token and shows it once; nothing closes the dialog by accident. */
function MakeToken({ app, onClose }: { readonly app: App; readonly onClose: () => void }) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const create = useCall('POST /apps/{id}/tokens');
  const [name, setName] = useState('');
  const [scope, setScope] = useState<'scim:read' | 'scim:write'>('scim:read');
  const [days, setDays] = useState('');
  const token = create.data?.token;
  const expiresAt = days === '' ? null : new Date(Date.now() + Number(days) * DAY_MS).toISOString();
  return (
    <Dialog
      open
      sticky={token !== undefined}
      onClose={onClose}
      title={token === undefined ? t('makeToken') : t('once')}
      foot={
        token === undefined ? (
          <>
            <Button onClick={onClose}>{common('cancel')}</Button>
            <Button
              look="primary"
              busy={create.isPending}
              onClick={() =>
                create.mutate({
                  path: { id: app.id },
                  body: {
                    name,
                    scopes: scope === 'scim:read' ? ['scim:read'] : ['scim:read', 'scim:write'],
                    expiresAt,
                  },
                })
              }
            >
              {t('makeToken')}
            </Button>
          </>
        ) : (
          <Button look="primary" onClick={onClose}>
            {t('saved')}
          </Button>
        )
      }
    >
      <Refusal error={create.error} />
      {token === undefined ? (
        <>
          <TextField label={t('tokenName')} value={name} onChange={setName} />
          <SelectField
            label={t('scope')}
            value={scope}
            onChange={(next) => setScope(next as typeof scope)}
            options={[
              ['scim:read', t('read')],
              ['scim:write', t('write')],
            ]}
          />
          <SelectField
            label={t('expires')}
            value={days}
            onChange={setDays}
            options={LIVES_DAYS.map(
              (life) => [life, life === '' ? t('never') : t('days', { n: Number(life) })] as const,
            )}
          />
        </>
      ) : (
        <>
          <Banner tone="amber" title={t('onceText')} />
          <Row>
            <code style={{ overflowWrap: 'anywhere', flex: '1 1 240px' }}>{token}</code>
            <Button icon={<Copy size={15} />} onClick={() => void copy(token, t('copied'))}>
              {t('copy')}
            </Button>
          </Row>
        </>
      )}
    </Dialog>
  );
}
