import { useLanguage } from '../app/i18n.ts';
import css from './table.module.css';

interface Difference {
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Fields that differ, each with both values; where there are none, the words that say why. */
export function FieldDifferences({
  changes,
  none,
  nameOf,
}: {
  readonly changes: readonly Difference[];
  readonly none?: string | undefined;
  /** What a field is called; undefined shows its path. */
  readonly nameOf?: (path: string) => string | undefined;
}) {
  const language = useLanguage();
  if (changes.length === 0) return <span>{none}</span>;
  const shown = (value: unknown): string => {
    if (value === null || value === undefined || value === '') return language === 'ko' ? '없음' : 'none';
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
  };
  return (
    <ul className={css.differences}>
      {changes.map(({ path, before, after }) => (
        <li key={path}>
          {nameOf?.(path) ?? <code>{path}</code>} <del>{shown(before)}</del> → <ins>{shown(after)}</ins>
        </li>
      ))}
    </ul>
  );
}
