import { useT } from '../../app/i18n.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useTargets } from '../../app/targets.tsx';
import { Badge } from '../../ui/badge.tsx';
import { Page } from '../../ui/layout.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { DeadLetters } from './dead.tsx';
import { DeliveryList } from './list.tsx';
import { ResendButton } from './resend.tsx';
import { WORDS } from './words.ts';

/** Across all apps: what was sent, and what was given up. */
export function DeliveriesPage() {
  const t = useT(WORDS);
  const [search, change] = useSearchState();
  const { targets } = useTargets();
  const dead = targets.reduce((sum, target) => sum + target.dead, 0);
  const tab = search['tab'] === 'dead' ? 'dead' : 'all';
  return (
    <Page title={t('title')} lead={t('lead')} actions={<ResendButton />}>
      <Tabs
        label={t('title')}
        value={tab}
        onChange={(name) => change({ tab: name === 'all' ? undefined : name })}
        tabs={[
          { name: 'all', label: t('tabAll') },
          {
            name: 'dead',
            label: (
              <>
                {t('tabDead')}
                {dead === 0 ? null : <Badge tone="red">{dead}</Badge>}
              </>
            ),
          },
        ]}
      >
        {tab === 'dead' ? <DeadLetters /> : <DeliveryList />}
      </Tabs>
    </Page>
  );
}
