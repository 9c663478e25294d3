import { cloneElement, lazy, type ReactElement, type ReactNode, Suspense, useState } from 'react';

export interface MenuItem {
  readonly label: string;
  readonly icon?: ReactNode;
  readonly danger?: boolean;
  /** Off, and why. */
  readonly off?: string | undefined;
  readonly onSelect: () => void;
}

export interface MenuProps {
  /** A button. */
  readonly trigger: ReactElement;
  /** `null` draws a line. */
  readonly items: readonly (MenuItem | null)[];
  readonly head?: ReactNode;
}

const Popup = lazy(() => import('./menu-popup.tsx').then(({ MenuPopup }) => ({ default: MenuPopup })));

/** The button is there at once; what positions the menu comes after the first screen, and opens if it was pressed meanwhile. */
export function Menu(props: MenuProps) {
  const [pressed, setPressed] = useState(false);
  const waiting = cloneElement(props.trigger as ReactElement<{ onClick?: () => void }>, {
    onClick: () => setPressed(true),
  });
  return (
    <Suspense fallback={waiting}>
      <Popup {...props} open={pressed} />
    </Suspense>
  );
}
