import { ChevronRight } from 'lucide-react';
import css from './twist.module.css';

/** Opens and closes a branch of a tree; keeps its place where there is nothing to open. */
export function Twist({
  label,
  open,
  onOpen,
}: {
  readonly label: string;
  readonly open: boolean;
  readonly onOpen: ((open: boolean) => void) | undefined;
}) {
  if (onOpen === undefined) return <span />;
  return (
    <button type="button" className={css.twist} aria-expanded={open} aria-label={label} onClick={() => onOpen(!open)}>
      <ChevronRight size={16} aria-hidden />
    </button>
  );
}
