import { Menu as Base } from '@base-ui/react/menu';
import { classes } from './classes.ts';
import css from './menu.module.css';
import type { MenuProps } from './menu.tsx';

/** @param trigger a button; `null` among the items draws a line */
export function MenuPopup({ trigger, items, head, open }: MenuProps & { readonly open: boolean }) {
  return (
    <Base.Root defaultOpen={open}>
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
