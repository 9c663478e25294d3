import { CircleCheck, CircleMinus, CircleX } from 'lucide-react';
import type { ReactNode } from 'react';
import { classes } from './classes.ts';
import css from './steps.module.css';

export interface ShownStep {
  readonly name: string;
  readonly ok: boolean | undefined;
  readonly detail: ReactNode;
  readonly remedy?: ReactNode;
}

/** What was tried, one after the other, and what came of each. */
export function Steps({ items }: { readonly items: readonly ShownStep[] }) {
  return (
    <ol className={css.steps}>
      {items.map(({ name, ok, detail, remedy }, at) => {
        const Icon = ok === undefined ? CircleMinus : ok ? CircleCheck : CircleX;
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a step has its place, and may have its name from another
          <li key={at}>
            <Icon size={17} className={classes(ok === true && css.good, ok === false && css.bad)} aria-hidden />
            <b>{name}</b>
            <span>
              {detail}
              {remedy === null || remedy === undefined ? null : <small>{remedy}</small>}
            </span>
          </li>
        );
      })}
    </ol>
  );
}
