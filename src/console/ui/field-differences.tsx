import { useT } from '../app/i18n.ts';
import { COMMON } from '../app/words.ts';
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
  sayValue,
}: {
  readonly changes: readonly Difference[];
  readonly none?: string | undefined;
  /** What a field is called; undefined shows its path. */
  readonly nameOf?: ((path: string) => string | undefined) | undefined;
  /** A value in words; undefined shows it as it is. */
  readonly sayValue?: ((value: unknown) => string | undefined) | undefined;
}) {
  const common = useT(COMMON);
  if (changes.length === 0) return <span>{none}</span>;
  const shown = (value: unknown): string => {
    const said = sayValue?.(value);
    if (said !== undefined) return said;
    if (value === null || value === undefined || value === '') return common('none');
    if (typeof value === 'boolean') return common(value ? 'yes' : 'no');
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
  };
  return (
    <ul className={css.differences}>
      {changes.map(({ path, before, after }) => (
        <li key={path}>
          {nameOf?.(path) ?? <code>{path}</code>}{' '}
          {before === null || before === undefined ? null : (
            <>
              <del>{shown(before)}</del> →{' '}
            </>
          )}
          <ins>{shown(after)}</ins>
        </li>
      ))}
    </ul>
  );
}
