import { Fragment, type ReactNode } from 'react';
import { useT, words } from '../app/i18n.ts';
import { Button } from './button.tsx';
import { classes } from './classes.ts';
import css from './table.module.css';

export interface Column<Item> {
  readonly name: string;
  readonly end?: boolean;
  /** On a phone, where the first cell heads its card, its name is said too: a number alone says nothing. */
  readonly named?: boolean;
  /** Never broken into lines where there is room for a table. */
  readonly tight?: boolean;
  /** Says nothing of this row, so that a phone leaves it out. */
  readonly nothing?: (item: Item) => boolean;
  readonly cell: (item: Item) => ReactNode;
}

interface TableProps<Item> {
  /** What a screen reader calls it. */
  readonly label: string;
  readonly columns: readonly Column<Item>[];
  readonly items: readonly Item[];
  readonly keyOf: (item: Item) => string;
  /** Below a row, over the whole width; undefined for rows without. */
  readonly detail?: ((item: Item) => ReactNode) | undefined;
  /** True while the rows are those of an earlier question. */
  readonly old?: boolean;
  /** It begins its card: no line above its head. */
  readonly first?: boolean;
}

/** Rows become cards on a phone; the roles stay those of a table, which some browsers drop with the layout. */
export function Table<Item>({ label, columns, items, keyOf, detail, old = false, first = false }: TableProps<Item>) {
  return (
    <div className={css.scroll}>
      {/* biome-ignore-start lint/a11y/noRedundantRoles: a table that is laid out as blocks loses its roles in Safari */}
      {/* biome-ignore-start lint/a11y/useSemanticElements: the same */}
      <table className={classes(css.table, first && css.first, old && css.old)} role="table" aria-label={label}>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map(({ name, end }) => (
              <th key={name} role="columnheader" scope="col" className={end ? css.end : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {items.map((item) => {
            const below = detail?.(item);
            return (
              <Fragment key={keyOf(item)}>
                <tr role="row">
                  {columns.map(({ name, end, named, tight, nothing, cell }) => (
                    <td
                      key={name}
                      role="cell"
                      data-label={name}
                      data-named={named}
                      className={classes(end && css.end, tight && css.tight, nothing?.(item) === true && css.nothing)}
                    >
                      {cell(item)}
                    </td>
                  ))}
                </tr>
                {below === undefined || below === null ? null : (
                  <tr role="row" className={css.open}>
                    <td role="cell" colSpan={columns.length} data-label="">
                      {below}
                    </td>
                  </tr>
                )}
              </Fragment>
            );
          })}
        </tbody>
      </table>
      {/* biome-ignore-end lint/a11y/useSemanticElements: the same */}
      {/* biome-ignore-end lint/a11y/noRedundantRoles: the same */}
    </div>
  );
}

const WORDS = words({
  showing: ['Showing {n} of {total}', '{total}개 중 {n}개 표시'],
  shown: ['Showing {n}', '{n}개 표시'],
  more: ['Show more', '더 보기'],
});

export function More({
  list,
  total,
}: {
  readonly list: {
    readonly items: readonly unknown[];
    readonly hasNextPage: boolean;
    readonly isFetchingNextPage: boolean;
    fetchNextPage(): unknown;
  };
  readonly total?: number | undefined;
}) {
  const t = useT(WORDS);
  if (!list.hasNextPage) return null;
  const n = list.items.length;
  return (
    <div className={css.more}>
      <span>{total === undefined ? t('shown', { n }) : t('showing', { n, total })}</span>
      <Button small busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
        {t('more')}
      </Button>
    </div>
  );
}
