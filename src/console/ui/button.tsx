import { LoaderCircle } from 'lucide-react';
import { type ComponentProps, type ReactNode, useId } from 'react';
import css from './button.module.css';
import { classes } from './classes.ts';

export interface ButtonProps extends Omit<ComponentProps<'button'>, 'disabled'> {
  readonly look?: 'primary' | 'danger' | 'quiet' | undefined;
  readonly small?: boolean | undefined;
  readonly icon?: ReactNode;
  /** Turns it off, and says why: shown as its title and read out. */
  readonly off?: string | undefined;
  readonly busy?: boolean | undefined;
}

/** Never hidden for a role or a state: off, with the reason where a keyboard finds it. */
export function Button({
  look,
  small,
  icon,
  off,
  busy,
  children,
  className,
  onClick,
  type = 'button',
  ...rest
}: ButtonProps) {
  const id = useId();
  const disabled = off !== undefined || busy === true;
  return (
    <>
      <button
        {...rest}
        type={type}
        className={classes(
          css.button,
          look && css[look],
          small && css.small,
          children === undefined && css.icon,
          className,
        )}
        aria-disabled={disabled || undefined}
        aria-busy={busy || undefined}
        aria-describedby={off === undefined ? rest['aria-describedby'] : id}
        title={off ?? rest.title}
        onClick={(event) => {
          if (disabled) event.preventDefault();
          else onClick?.(event);
        }}
      >
        {busy ? <LoaderCircle size={16} className={css.spin} aria-hidden /> : icon}
        {children}
      </button>
      {off === undefined ? null : (
        <span id={id} className="hidden">
          {off}
        </span>
      )}
    </>
  );
}

/** A link that looks like a button. */
export function buttonClass(look?: 'primary' | 'danger' | 'quiet', small = false): string {
  return classes(css.button, look && css[look], small && css.small);
}

export function Spinner({ size = 16 }: { readonly size?: number }) {
  return <LoaderCircle size={size} className={css.spin} aria-hidden />;
}
