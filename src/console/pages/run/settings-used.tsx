import { Link } from '@tanstack/react-router';
import { Settings2 } from 'lucide-react';
import { useGet } from '../../api/queries.ts';
import type { Run } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { COMMON } from '../../app/words.ts';
import { Empty } from '../../ui/banner.tsx';
import { Card } from '../../ui/layout.tsx';
import { Loaded } from '../../ui/loaded.tsx';
import { Table } from '../../ui/table.tsx';
import { textOf } from './field-changes.tsx';
import { WORDS } from './words.ts';

/** The settings by which the plan was made, whatever they are now. */
export function SettingsUsed({ run, version }: { readonly run: Run; readonly version: number | undefined }) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const saved = useGet('GET /providers/{kind}/versions/{version}', {
    path: { kind: run.provider, version: String(version ?? 0) },
    enabled: version !== undefined,
  });
  if (version === undefined)
    return (
      <Card flush>
        <Empty icon={<Settings2 size={26} />} title={t('settingsNone')}>
          {t('settingsNoneText')}
        </Empty>
      </Card>
    );
  if (saved.error !== null && saved.data === undefined)
    return (
      <Card flush>
        <Empty icon={<Settings2 size={26} />} title={t('settingsGone')} />
      </Card>
    );
  const said = (value: unknown): string => {
    if (typeof value === 'boolean') return common(value ? 'yes' : 'no');
    return value === null || value === '' || (Array.isArray(value) && value.length === 0)
      ? common('none')
      : textOf(value);
  };
  return (
    <Card
      flush
      title={t('versionN', { n: String(version) })}
      actions={
        <Link
          to="/inbound/$provider/settings"
          params={{ provider: run.provider }}
          search={{ tab: 'versions' } as never}
        >
          {t('toVersions')}
        </Link>
      }
    >
      <Loaded query={saved}>
        {({ settings }) => (
          <Table
            label={t('tab-settings')}
            items={flat(settings)}
            keyOf={([path]) => path}
            columns={[
              { name: t('setting'), cell: ([path]) => <code>{path}</code> },
              { name: t('settingValue'), cell: ([, value]) => <span>{said(value)}</span> },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}

/** Each value by its path, as the API names it. */
function flat(settings: Readonly<Record<string, unknown>>, before = ''): readonly (readonly [string, unknown])[] {
  return Object.entries(settings).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? flat(value as Readonly<Record<string, unknown>>, `${before}${name}.`)
      : [[`${before}${name}`, value] as const],
  );
}
