import type { ReactNode } from 'react';
import css from './save-bar.module.css';

/** What is not saved yet, and what can be done about it; stays in sight at the foot. */
export function SaveBar({ text, children }: { readonly text: string; readonly children: ReactNode }) {
  return (
    <div className={css.bar} role="status">
      <span>{text}</span>
      {children}
    </div>
  );
}
