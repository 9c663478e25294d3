import css from './bars.module.css';
import { classes } from './classes.ts';

export type BarTone = 'green' | 'amber' | 'red' | 'none';

export interface Bar {
  readonly key: string;
  readonly value: number;
  readonly tone: BarTone;
  /** What it says, in words. */
  readonly text: string;
}

/** A bar for each day. What it shows stands beside it as words for whoever cannot see it. */
export function Bars({
  label,
  bars,
  from,
  to,
}: {
  readonly label: string;
  readonly bars: readonly Bar[];
  readonly from: string;
  readonly to: string;
}) {
  const most = Math.max(1, ...bars.map(({ value }) => value));
  const spoken = bars.filter(({ tone }) => tone !== 'none').map(({ text }) => text);
  return (
    <div>
      <div className={css.bars} role="img" aria-label={`${label}. ${spoken.slice(-10).join('; ')}`}>
        {bars.map(({ key, value, tone, text }) => (
          <span
            key={key}
            className={tone === 'none' ? undefined : css[tone]}
            title={text}
            style={{ height: tone === 'none' ? 4 : `${20 + 80 * Math.sqrt(value / most)}%` }}
          />
        ))}
      </div>
      <div className={css.ends} aria-hidden>
        <span>{from}</span>
        <span>{to}</span>
      </div>
    </div>
  );
}

export function Legend({ items }: { readonly items: readonly (readonly [Exclude<BarTone, 'none'>, string])[] }) {
  return (
    <div className={css.legend}>
      {items.map(([tone, text]) => (
        <span key={tone}>
          <i className={css[tone]} />
          {text}
        </span>
      ))}
    </div>
  );
}

/** How far something is; without a percentage, that it goes on. */
export function Progress({ label, percent }: { readonly label: string; readonly percent: number | undefined }) {
  return (
    <div
      className={classes(css.track, percent === undefined && css.unknown)}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <span style={percent === undefined ? undefined : { width: `${percent}%` }} />
    </div>
  );
}

/** A share against its limit, both 0 to 100. */
export function LimitBar({
  share,
  limit,
  text,
}: {
  readonly share: number;
  readonly limit: number;
  readonly text: string;
}) {
  return (
    <div className={css.limit}>
      <div className={classes(css.track, share > limit && css.over)}>
        <span style={{ width: `${Math.min(100, share)}%` }} />
      </div>
      <span className={css.mark} style={{ left: `${Math.min(99.5, limit)}%` }} />
      <span className={css.markText} style={{ left: `${Math.min(92, Math.max(6, limit))}%` }}>
        {text}
      </span>
    </div>
  );
}
