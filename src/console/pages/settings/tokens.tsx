import { Link } from '@tanstack/react-router';
import { KeyRound } from 'lucide-react';
import { useState } from 'react';
import { type ItemOf, useCall, useList } from '../../api/queries.ts';
import { dateTime, relative } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { COMMON } from '../../app/words.ts';
import { Badge } from '../../ui/badge.tsx';
import { Empty, Skeleton } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Chips } from '../../ui/field.tsx';
import { Card, Row } from '../../ui/layout.tsx';
import { Failure } from '../../ui/loaded.tsx';
import { More, Table } from '../../ui/table.tsx';
import { MakeToken } from '../tokens/make.tsx';
import { isOver, TokenState } from '../tokens/state.tsx';
import { WORDS } from '../tokens/words.ts';

type AnyToken = ItemOf<'GET /tokens'>;

/** Every token that there is, whoever it lets in. */
export function TokensTab() {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const needs = useNeeds('admin');
  const [search, change] = useSearchState();
  const tokens = useList('GET /tokens', { query: { state: search['state'] } as never });
  const apps = useList('GET /apps');
  const [revoking, setRevoking] = useState<AnyToken | undefined>(undefined);
  return (
    <Card
      title={t('tokens')}
      note={t('tokensLead')}
      flush
      actions={
        <Row>
          <Chips
            label={t('state')}
            value={search['state'] ?? ''}
            onChange={(state) => change({ state })}
            options={[
              ['', common('all')],
              ['live', t('live')],
              ['over', t('over')],
            ]}
          />
          <Button
            look="primary"
            small
            icon={<KeyRound size={15} />}
            off={needs}
            onClick={() => change({ token: 'new' })}
          >
            {t('makeToken')}
          </Button>
        </Row>
      }
    >
      {tokens.error !== null && tokens.items.length === 0 ? (
        <Failure error={tokens.error} onRetry={() => void tokens.refetch()} />
      ) : tokens.isPending ? (
        <Skeleton lines={4} />
      ) : tokens.items.length === 0 ? (
        <Empty
          icon={<KeyRound size={26} />}
          title={t('noMatch')}
          action={<Button onClick={() => change({ state: undefined })}>{common('clear')}</Button>}
        />
      ) : (
        <Listed tokens={tokens.items} onRevoke={setRevoking} />
      )}
      <More list={tokens} />
      {search['token'] === 'new' ? <MakeToken apps={apps.items} onClose={() => change({ token: undefined })} /> : null}
      <Revoke token={revoking} onClose={() => setRevoking(undefined)} />
    </Card>
  );
}

function Listed({
  tokens,
  onRevoke,
}: {
  readonly tokens: readonly AnyToken[];
  readonly onRevoke: (token: AnyToken) => void;
}) {
  const t = useT(WORDS);
  const language = useLanguage();
  const needs = useNeeds('admin');
  return (
    <Table
      label={t('tokens')}
      items={tokens}
      keyOf={({ id }) => id}
      columns={[
        { name: t('token'), cell: (token) => <Name token={token} /> },
        {
          name: t('whose'),
          cell: ({ appId, appName }) =>
            appId === null ? (
              t('programs')
            ) : (
              <Link to="/apps/$id" params={{ id: appId }} search={{ tab: 'access' } as never}>
                {appName}
              </Link>
            ),
        },
        { name: t('hint'), cell: ({ hint }) => <code>…{hint}</code> },
        {
          name: t('scope'),
          cell: ({ scopes }) => <span>{scopes.map((scope) => t(scope as 'admin')).join(', ')}</span>,
        },
        { name: t('state'), cell: (token) => <TokenState token={token} /> },
        {
          name: t('lastUsed'),
          cell: ({ lastUsedAt }) => (lastUsedAt === null ? t('notUsed') : relative(lastUsedAt, language)),
        },
        {
          name: t('expires'),
          cell: ({ expiresAt }) => (expiresAt === null ? t('never') : dateTime(expiresAt, language)),
        },
        {
          name: '',
          end: true,
          cell: (token) =>
            isOver(token) ? null : (
              <Button small off={needs} onClick={() => onRevoke(token)}>
                {t('revoke')}
              </Button>
            ),
        },
      ]}
    />
  );
}

function Name({ token: { name, bootstrap, own } }: { readonly token: AnyToken }) {
  const t = useT(WORDS);
  return (
    <Row>
      <span>{bootstrap ? t('bootstrap') : name || '–'}</span>
      {own ? <Badge tone="blue">{t('own')}</Badge> : null}
    </Row>
  );
}

function Revoke({ token, onClose }: { readonly token: AnyToken | undefined; readonly onClose: () => void }) {
  const t = useT(WORDS);
  const revoke = useCall('DELETE /tokens/{id}');
  const close = (): void => {
    revoke.reset();
    onClose();
  };
  const text = token?.own ? 'revokeOwn' : token?.appId === null ? 'revokeProgram' : 'revokeText';
  return (
    <ConfirmDialog
      open={token !== undefined}
      onClose={close}
      title={t('revokeTitle')}
      lead={
        <>
          {t(text)} {token?.bootstrap ? t('revokeBootstrap') : null}
        </>
      }
      action={t('revoke')}
      call={revoke}
      onConfirm={() => revoke.mutate({ path: { id: token?.id ?? '' } }, { onSuccess: close })}
    />
  );
}
