import { useT } from '../../app/i18n.ts';
import { useSearchState } from '../../app/search-state.ts';
import { Page } from '../../ui/layout.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { AboutTab } from './about.tsx';
import { DiagnosticsTab } from './diagnostics.tsx';
import { DirectoryTab } from './directory.tsx';
import { LimitsTab } from './limits.tsx';
import { NotificationsTab } from './notifications.tsx';
import { RetentionTab } from './retention.tsx';
import { TokensTab } from './tokens.tsx';
import { WORDS } from './words.ts';

const TABS = {
  limits: LimitsTab,
  notifications: NotificationsTab,
  retention: RetentionTab,
  directory: DirectoryTab,
  tokens: TokensTab,
  diagnostics: DiagnosticsTab,
  about: AboutTab,
} as const;
type Tab = keyof typeof TABS;
const NAMES = Object.keys(TABS) as Tab[];

export function SettingsPage() {
  const t = useT(WORDS);
  const [search, change] = useSearchState();
  const tab = NAMES.find((name) => name === search['tab']) ?? 'limits';
  const Shown = TABS[tab];
  return (
    <Page title={t('title')} lead={t('lead')}>
      <Tabs
        label={t('tabs')}
        value={tab}
        onChange={(name) => change({ tab: name, state: undefined })}
        tabs={NAMES.map((name) => ({ name, label: t(name) }))}
      >
        <Shown />
      </Tabs>
    </Page>
  );
}
