import { Copy, KeyRound } from 'lucide-react';
import { useState } from 'react';
import { useCall, useList } from '../../api/queries.ts';
import type { App, Token } from '../../api/types.ts';
import { dateTime, relative } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { Empty, Skeleton } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Card, Pairs, Row } from '../../ui/layout.tsx';
import { Failure } from '../../ui/loaded.tsx';
import { Table } from '../../ui/table.tsx';
import { MakeToken } from '../tokens/make.tsx';
import { TokenState } from '../tokens/state.tsx';
import { WORDS as TOKENS } from '../tokens/words.ts';
import { copy } from './copy.ts';
import { useSees } from './sees.ts';
import { WORDS } from './words.ts';

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
  const t = useT(TOKENS);
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
