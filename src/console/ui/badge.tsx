import type { ReactNode } from 'react';
import css from './badge.module.css';
import { classes } from './classes.ts';

export type Tone = 'green' | 'amber' | 'red' | 'blue' | 'violet' | 'grey';

export function Badge({
  tone = 'grey',
  icon,
  dot,
  children,
}: {
  readonly tone?: Tone;
  readonly icon?: ReactNode;
  readonly dot?: boolean;
  readonly children: ReactNode;
}) {
  return (
    <span className={classes(css.badge, css[tone], dot && css.dot)}>
      {icon}
      {children}
    </span>
  );
}

export function Avatar({ text, square = false }: { readonly text: string; readonly square?: boolean }) {
  return (
    <span className={classes(css.avatar, square && css.square)} aria-hidden>
      {text}
    </span>
  );
}

/** Somebody or something: letters, name, and what tells it from others. */
export function Who({
  mark,
  name,
  note,
  square = false,
}: {
  readonly mark: string;
  readonly name: ReactNode;
  readonly note?: ReactNode;
  readonly square?: boolean;
}) {
  return (
    <span className={css.who}>
      <Avatar text={mark} square={square} />
      <span>
        <b>{name}</b>
        {note === undefined || note === null || note === '' ? null : <small>{note}</small>}
      </span>
    </span>
  );
}

/** Numbers with their names in a row, each with its colour. */
export function Tallies({
  items,
}: {
  readonly items: readonly { readonly value: string; readonly name: string; readonly tone?: Tone }[];
}) {
  return (
    <div className={css.tallies}>
      {items.map(({ value, name, tone = 'grey' }) => (
        <span key={name} className={TALLY[tone]}>
          <b>{value}</b> {name}
        </span>
      ))}
    </div>
  );
}

const TALLY: Readonly<Record<Tone, string | undefined>> = {
  green: css.tGreen,
  violet: css.tViolet,
  amber: css.tAmber,
  red: css.tRed,
  blue: undefined,
  grey: undefined,
};
