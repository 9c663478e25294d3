import { Toast } from '@base-ui/react/toast';
import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { say } from '../app/i18n.ts';
import { Button } from './button.tsx';
import css from './toast.module.css';

const manager = Toast.createToastManager();

/** The toast that was shown last of each thing. */
const shownOf = new Map<string, string>();

/** Says that something is done. Never the only place where an undo is. What was said before `of` the same thing goes. */
export function toast(
  title: string,
  { text, tone = 'green', of }: { text?: string; tone?: 'green' | 'red' | 'amber'; of?: string } = {},
): void {
  const before = of === undefined ? undefined : shownOf.get(of);
  if (before !== undefined) manager.close(before);
  const id = manager.add({ title, ...(text === undefined ? {} : { description: text }), type: tone });
  if (of !== undefined) shownOf.set(of, id);
}

export function Toasts({ children }: { readonly children: ReactNode }) {
  return (
    <Toast.Provider toastManager={manager}>
      {children}
      <Toast.Portal>
        <Toast.Viewport className={css.viewport}>
          <Shown />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

function Shown() {
  const { toasts } = Toast.useToastManager();
  return toasts.map((one) => (
    <Toast.Root key={one.id} toast={one} className={css.toast}>
      <div>
        <Toast.Title className={css.title} />
        <Toast.Description />
      </div>
      <Toast.Close render={<Button look="quiet" small aria-label={say(['Close', '닫기'])} icon={<X size={15} />} />} />
    </Toast.Root>
  ));
}
