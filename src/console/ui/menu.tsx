import { Menu as Base } from '@base-ui/react/menu';
import type { ReactElement, ReactNode } from 'react';
import { classes } from './classes.ts';
import css from './menu.module.css';

export interface MenuItem {
  readonly label: string;
  readonly icon?: ReactNode;
  readonly danger?: boolean;
  /** Off, and why. */
  readonly off?: string | undefined;
  readonly onSelect: () => void;
}

/** @param trigger a button; `null` among the items draws a line */
export function Menu({
  trigger,
  items,
  head,
}: {
  readonly trigger: ReactElement;
  readonly items: readonly (MenuItem | null)[];
  readonly head?: ReactNode;
}) {
  return (
    <Base.Root>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner sideOffset={6} align="end" className={css.layer}>
          <Base.Popup className={css.popup}>
            {head === undefined ? null : <div className={css.note}>{head}</div>}
            {items.map((item, index) =>
              item === null ? (
                // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name
                <div key={`line-${index}`} className={css.line} />
              ) : (
                <Base.Item
                  key={item.label}
                  className={classes(css.item, item.danger && css.danger)}
                  disabled={item.off !== undefined}
                  onClick={item.onSelect}
                >
                  {item.icon}
                  {item.label}
                  {item.off === undefined ? null : <small>{item.off}</small>}
                </Base.Item>
              ),
            )}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
