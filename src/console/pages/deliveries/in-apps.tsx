import { Send } from 'lucide-react';
import { useList } from '../../api/queries.ts';
import { useT } from '../../app/i18n.ts';
import { useSearchState } from '../../app/search-state.ts';
import { Empty, Skeleton } from '../../ui/banner.tsx';
import { Card } from '../../ui/layout.tsx';
import { Failure } from '../../ui/loaded.tsx';
import { More } from '../../ui/table.tsx';
import { DeliveryDrawer } from './drawer.tsx';
import { DeliveryTable } from './list.tsx';
import { WORDS } from './words.ts';

/** One user or group at every app. */
export function InApps({ resourceId }: { readonly resourceId: string }) {
  const t = useT(WORDS);
  const [search, change] = useSearchState();
  const list = useList('GET /deliveries', { query: { resourceId } });
  return (
    <Card title={t('inApps')} flush>
      {list.error !== null && list.items.length === 0 ? (
        <Failure error={list.error} onRetry={() => void list.refetch()} />
      ) : list.isPending ? (
        <Skeleton />
      ) : list.items.length === 0 ? (
        <Empty icon={<Send size={26} />} title={t('inAppsNone')}>
          {t('inAppsNoneText')}
        </Empty>
      ) : (
        <DeliveryTable items={list.items} old={false} withApp onOpen={(open) => change({ open })} />
      )}
      <More list={list} />
      {search['open'] === undefined ? null : (
        <DeliveryDrawer id={search['open']} onClose={() => change({ open: undefined })} />
      )}
    </Card>
  );
}
