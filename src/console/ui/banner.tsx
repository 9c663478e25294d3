import { CircleAlert, CircleCheck, Info, TriangleAlert } from 'lucide-react';
import { type ReactNode, useEffect } from 'react';
import css from './banner.module.css';
import { classes } from './classes.ts';

const ICONS = { amber: TriangleAlert, red: CircleAlert, blue: Info, green: CircleCheck } as const;

interface BannerProps {
  readonly tone: keyof typeof ICONS;
  readonly title: ReactNode;
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
}

export function Banner({ tone, title, children, actions }: BannerProps) {
  const Icon = ICONS[tone];
  return (
    <div className={classes(css.banner, css[tone])} role={tone === 'red' ? 'alert' : 'status'}>
      <Icon size={18} aria-hidden />
      <div className={css.text}>
        <b>{title}</b>
        {children === undefined ? null : <p>{children}</p>}
      </div>
      {actions === undefined ? null : <div className={css.actions}>{actions}</div>}
    </div>
  );
}

/** Nothing to show: what would be here, and the one action that brings it. */
export function Empty({
  icon,
  title,
  children,
  action,
  whole = false,
}: {
  readonly icon?: ReactNode;
  readonly title: ReactNode;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
  /** It stands for the whole page, and is the title of the window. */
  readonly whole?: boolean;
}) {
  useEffect(() => {
    if (whole && typeof title === 'string') document.title = `${title} · Sluice`;
  }, [whole, title]);
  return (
    <div className={css.empty}>
      {icon}
      {whole ? <h1>{title}</h1> : <b>{title}</b>}
      {children === undefined ? null : <p>{children}</p>}
      {action === undefined ? null : <div>{action}</div>}
    </div>
  );
}

export function Skeleton({ lines = 5 }: { readonly lines?: number }) {
  return (
    <div className={css.skeleton} aria-hidden>
      {Array.from({ length: lines }, (_, index) => index).map((line) => (
        <span key={line} />
      ))}
    </div>
  );
}
