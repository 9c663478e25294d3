import { type ReactNode, useEffect } from 'react';
import { classes } from './classes.ts';
import css from './layout.module.css';

interface PageProps {
  /** Also the title of the window. */
  readonly title: string;
  readonly lead?: ReactNode;
  readonly badge?: ReactNode;
  readonly meta?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** A page: its title, what can be done, and what it shows. */
export function Page({ title, lead, badge, meta, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Sluice`;
  }, [title]);
  return (
    <div className={css.page}>
      <header className={css.header}>
        <div className={css.titles}>
          <div className={css.titleRow}>
            <h1>{title}</h1>
            {badge}
          </div>
          {lead === undefined ? null : <p className={css.lead}>{lead}</p>}
          {meta === undefined ? null : <div className={css.meta}>{meta}</div>}
        </div>
        {actions === undefined ? null : <div className={css.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

interface CardProps {
  readonly title?: ReactNode;
  readonly note?: ReactNode;
  readonly actions?: ReactNode;
  readonly foot?: ReactNode;
  /** Without padding: for tables and rows that reach the edge. */
  readonly flush?: boolean;
  readonly className?: string | undefined;
  readonly children?: ReactNode;
}

export function Card({ title, note, actions, foot, flush = false, className, children }: CardProps) {
  return (
    <section className={classes(css.card, className)}>
      {title === undefined && actions === undefined ? null : (
        <div className={css.cardHead}>
          <div className={css.cardTitle}>
            <h2>{title}</h2>
            {note === undefined ? null : <span>{note}</span>}
          </div>
          {actions === undefined ? null : <div className={css.actions}>{actions}</div>}
        </div>
      )}
      {flush ? children : children === undefined ? null : <div className={css.cardBody}>{children}</div>}
      {foot === undefined ? null : <div className={css.cardFoot}>{foot}</div>}
    </section>
  );
}

/** A row of figures or settings, each with its name and a word that explains it. */
export function Facts({
  items,
  big = false,
}: {
  readonly items: readonly { readonly name: string; readonly value: ReactNode; readonly note?: ReactNode }[];
  readonly big?: boolean;
}) {
  return (
    <dl className={css.facts}>
      {items.map(({ name, value, note }) => (
        <div key={name} className={classes(css.fact, big && css.big)}>
          <dt>{name}</dt>
          <dd>
            {value}
            {note === undefined ? null : <small>{note}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

export function Pairs({ items }: { readonly items: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className={css.pairs}>
      {items.map(([name, value]) => (
        <div key={name} style={{ display: 'contents' }}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Columns({ many = false, children }: { readonly many?: boolean; readonly children: ReactNode }) {
  return <div className={many ? css.grid3 : css.grid2}>{children}</div>;
}

export function Stack({ children }: { readonly children: ReactNode }) {
  return <div className={css.stack}>{children}</div>;
}

/** Things side by side; `end` puts their lower edges in one line, for a button beside a field. */
export function Row({ end = false, children }: { readonly end?: boolean; readonly children: ReactNode }) {
  return <div className={classes(css.row, end && css.rowEnd)}>{children}</div>;
}
