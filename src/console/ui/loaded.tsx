import type { ReactNode } from 'react';
import { ApiError } from '../api/client.ts';
import { useT, words } from '../app/i18n.ts';
import { Banner, Empty, Skeleton } from './banner.tsx';
import { Button } from './button.tsx';

const WORDS = words({
  failed: ['This could not be loaded', '불러오지 못했습니다'],
  again: ['Try again', '다시 시도'],
  forbidden: ["You can't see this page", '이 페이지를 볼 수 없습니다'],
  askRole: ['Ask an administrator for the viewer role.', '관리자에게 뷰어 역할을 요청하세요.'],
  back: ['Go back', '뒤로'],
  missing: ['This does not exist, or was deleted', '존재하지 않거나 삭제되었습니다'],
});

interface Query<Data> {
  readonly data: Data | undefined;
  readonly error: unknown;
  readonly isPending: boolean;
  refetch(): unknown;
}

/** What a panel shows while it loads, when it failed, and when it has its data. The rest of the page goes on. */
export function Loaded<Data>({
  query,
  lines,
  children,
}: {
  readonly query: Query<Data>;
  readonly lines?: number;
  readonly children: (data: Data) => ReactNode;
}) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.error !== null && query.error !== undefined)
    return <Failure error={query.error} onRetry={() => void query.refetch()} />;
  return <Skeleton {...(lines === undefined ? {} : { lines })} />;
}

/**
 * What is shown at once, when the first answer to each question has come or failed: what came later would push the rest
 * of the page down.
 */
export function Together({
  of,
  lines,
  children,
}: {
  readonly of: readonly { readonly isLoading: boolean }[];
  readonly lines?: number;
  readonly children: ReactNode;
}) {
  if (of.some(({ isLoading }) => isLoading)) return <Skeleton {...(lines === undefined ? {} : { lines })} />;
  return <>{children}</>;
}

export function Failure({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  const t = useT(WORDS);
  const status = error instanceof ApiError ? error.status : 0;
  if (status === 403)
    return (
      <Empty whole title={t('forbidden')}>
        {t('askRole')}
      </Empty>
    );
  if (status === 404)
    return (
      <Empty whole title={t('missing')} action={<Button onClick={() => window.history.back()}>{t('back')}</Button>}>
        {error instanceof Error ? error.message : ''}
      </Empty>
    );
  return (
    <Banner
      tone="red"
      title={t('failed')}
      actions={
        onRetry === undefined ? undefined : (
          <Button small onClick={onRetry}>
            {t('again')}
          </Button>
        )
      }
    >
      <ErrorText error={error} />
    </Banner>
  );
}

/** What went wrong and what to do about it. */
export function ErrorText({ error }: { readonly error: unknown }) {
  if (!(error instanceof Error)) return null;
  return (
    <>
      {error.message} {error instanceof ApiError ? error.remedy : null}
      <Original error={error} />
    </>
  );
}

/** The gateway's own sentence below its translation: it has the names, and can be looked up. */
function Original({ error }: { readonly error: unknown }) {
  if (!(error instanceof ApiError) || error.original === undefined) return null;
  return (
    <small lang="en" style={{ display: 'block', marginTop: 4 }}>
      {error.original}
    </small>
  );
}

/** A write that was refused, above the form it was for. */
export function Refusal({ error }: { readonly error: unknown }) {
  if (error === null || error === undefined) return null;
  return (
    <Banner tone="red" title={error instanceof Error ? error.message : String(error)}>
      {error instanceof ApiError ? error.remedy : undefined}
      <Original error={error} />
    </Banner>
  );
}
