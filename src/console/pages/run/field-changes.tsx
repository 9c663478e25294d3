import { Fragment } from 'react';
import { useT } from '../../app/i18n.ts';
import type { Item } from './changes.tsx';
import css from './run.module.css';
import { WORDS } from './words.ts';

/** What a change does, attribute by attribute. */
export function FieldChanges({ item }: { readonly item: Item }) {
  const t = useT(WORDS);
  const rows = item.diff.length > 0 ? item.diff : whole(item);
  if (rows.length === 0) return <p>{t('members', { added: item.added, removed: item.removed })}</p>;
  return (
    <div className={css.diff}>
      <span className={css.head}>{t('field')}</span>
      <span className={css.head}>{t('before')}</span>
      <span className={css.head}>{t('after')}</span>
      {rows.map(({ path, before, after }) => (
        <Fragment key={path}>
          <span>{path}</span>
          <del>{textOf(before)}</del>
          <ins>{textOf(after)}</ins>
        </Fragment>
      ))}
    </div>
  );
}

/** What comes or goes as a whole: every attribute is on one side only. */
function whole({ before, after, action }: Item): readonly { path: string; before: unknown; after: unknown }[] {
  const side = (after ?? before ?? {}) as Readonly<Record<string, unknown>>;
  const gone = action === 'delete' || action === 'deactivate';
  return Object.entries(side)
    .filter(([path]) => path !== 'schemas')
    .map(([path, value]) => ({ path, before: gone ? value : null, after: gone ? null : value }));
}

export function textOf(value: unknown): string {
  if (value === null || value === undefined) return '–';
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return value.map(textOf).join(', ');
  const record = value as Readonly<Record<string, unknown>>;
  if (record['value'] !== undefined) return textOf(record['value']);
  return Object.values(record).map(textOf).join(' · ');
}
