import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { type ItemOf, useCall } from '../../api/queries.ts';
import { dateTime, relative } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useNeeds } from '../../app/session.tsx';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Row } from '../../ui/layout.tsx';
import { Listed } from '../../ui/listed.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { isOver, TokenState } from './state.tsx';
import { WORDS } from './words.ts';

type AnyToken = ItemOf<'GET /tokens'>;
type OfApp = ItemOf<'GET /apps/{id}/tokens'>;
type ListedToken = OfApp | AnyToken;

/** Tokens without their secret: what each may, whether it still works, and an end to it. Whose they are, unless all are of one app. */
export function TokenList({
  list,
  empty,
}: {
  readonly list: Parameters<typeof Listed<ListedToken>>[0]['list'];
  readonly empty: ReactNode;
}) {
  const t = useT(WORDS);
  const language = useLanguage();
  const needs = useNeeds('admin');
  const [revoking, setRevoking] = useState<ListedToken | undefined>(undefined);
  const whose: Column<ListedToken> = { name: t('whose'), cell: (token) => <Whose token={token} /> };
  return (
    <>
      <Listed list={list} lines={4} empty={empty}>
        <Table<ListedToken>
          label={t('tokens')}
          items={list.items}
          keyOf={({ id }) => id}
          columns={[
            { name: t('token'), cell: (token) => <Name token={token} /> },
            ...(list.items.some(isOfAnybody) ? [whose] : []),
            { name: t('hint'), cell: ({ hint }) => <code>…{hint}</code> },
            { name: t('scope'), cell: ({ scopes }) => <May scopes={scopes} /> },
            { name: t('state'), cell: (token) => <TokenState token={token} /> },
            {
              name: t('lastUsed'),
              tight: true,
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
                  <Button small off={needs} onClick={() => setRevoking(token)}>
                    {t('revoke')}
                  </Button>
                ),
            },
          ]}
        />
      </Listed>
      <Revoke token={revoking} onClose={() => setRevoking(undefined)} />
    </>
  );
}

function isOfAnybody(token: ListedToken): token is AnyToken {
  return 'appId' in token;
}

function Name({ token }: { readonly token: ListedToken }) {
  const t = useT(WORDS);
  return (
    <Row>
      <span>{isOfAnybody(token) && token.bootstrap ? t('bootstrap') : token.name || '–'}</span>
      {token.own ? <Badge tone="blue">{t('own')}</Badge> : null}
    </Row>
  );
}

function Whose({ token }: { readonly token: ListedToken }) {
  const t = useT(WORDS);
  if (!isOfAnybody(token) || token.appId === null) return t('programs');
  return (
    <Link to="/apps/$id" params={{ id: token.appId }} search={{ tab: 'access' } as never}>
      {token.appName}
    </Link>
  );
}

/** Who may write the directory may read it too. */
function May({ scopes }: Pick<ListedToken, 'scopes'>) {
  const t = useT(WORDS);
  const told = scopes.includes('scim:write') ? scopes.filter((scope) => scope !== 'scim:read') : scopes;
  return <span>{told.map((scope) => t(scope as 'admin')).join(', ')}</span>;
}

function Revoke({ token, onClose }: { readonly token: ListedToken | undefined; readonly onClose: () => void }) {
  const t = useT(WORDS);
  const revoke = useCall('DELETE /tokens/{id}');
  const close = (): void => {
    revoke.reset();
    onClose();
  };
  const isProgram = token !== undefined && isOfAnybody(token) && token.appId === null;
  return (
    <ConfirmDialog
      open={token !== undefined}
      onClose={close}
      title={t('revokeTitle')}
      lead={
        <>
          {t(token?.own ? 'revokeOwn' : isProgram ? 'revokeProgram' : 'revokeText')}{' '}
          {token !== undefined && isOfAnybody(token) && token.bootstrap ? t('revokeBootstrap') : null}
        </>
      }
      action={t('revoke')}
      call={revoke}
      onConfirm={() => revoke.mutate({ path: { id: token?.id ?? '' } }, { onSuccess: close })}
    />
  );
}
