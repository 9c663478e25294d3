import { useT } from '../app/i18n.ts';
import { COMMON } from '../app/words.ts';
import css from './table.module.css';

interface Difference {
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

export interface FieldWords {
  /** What a field is called; undefined shows its path. */
  readonly nameOf?: (path: string) => string | undefined;
  /** A value in words; undefined shows it as it is. */
  readonly sayValue?: (path: string, value: unknown) => string | undefined;
}

/** Fields that differ, each with both values; where there are none, the words that say why. */
export function FieldDifferences({
  changes,
  none,
  words = {},
}: {
  readonly changes: readonly Difference[];
  readonly none?: string | undefined;
  readonly words?: FieldWords;
}) {
  const common = useT(COMMON);
  if (changes.length === 0) return <span>{none}</span>;
  const shown = (path: string, value: unknown): string => {
    const said = words.sayValue?.(path, value);
    if (said !== undefined) return said;
    if (value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0))
      return common('none');
    if (typeof value === 'boolean') return common(value ? 'yes' : 'no');
    if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join(', ');
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
  };
  return (
    <ul className={css.differences}>
      {changes.map(({ path, before, after }) => (
        <li key={path}>
          {words.nameOf?.(path) ?? <code>{path}</code>}{' '}
          {before === null || before === undefined ? null : (
            <>
              <del>{shown(path, before)}</del> →{' '}
            </>
          )}
          <ins>{shown(path, after)}</ins>
        </li>
      ))}
    </ul>
  );
}
