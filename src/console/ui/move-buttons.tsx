// Up and down in a list whose order means something.
import { ArrowDown, ArrowUp } from 'lucide-react';
import { Button } from './button.tsx';

export type Way = 'up' | 'down';

/** @param labels what each button is called for whoever does not see it; `isFirst` and `isLast` say why one is off */
export function MoveButtons({
  at,
  count,
  labels,
  onMove,
}: {
  readonly at: number;
  readonly count: number;
  readonly labels: Readonly<Record<Way | 'isFirst' | 'isLast', string>>;
  readonly onMove: (way: Way) => void;
}) {
  return (
    <>
      <Button
        small
        look="quiet"
        data-way="up"
        icon={<ArrowUp size={15} />}
        aria-label={labels.up}
        off={at === 0 ? labels.isFirst : undefined}
        onClick={() => onMove('up')}
      />
      <Button
        small
        look="quiet"
        data-way="down"
        icon={<ArrowDown size={15} />}
        aria-label={labels.down}
        off={at === count - 1 ? labels.isLast : undefined}
        onClick={() => onMove('down')}
      />
    </>
  );
}
