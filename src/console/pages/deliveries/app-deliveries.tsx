import type { App } from '../../api/types.ts';
import { Together } from '../../ui/loaded.tsx';
import { DeadLetters, useCauses } from './dead.tsx';
import { DeliveryList } from './list.tsx';

/** What was sent to one app: what was given up first. */
export function AppDeliveries({ app }: { readonly app: App }) {
  const causes = useCauses(app.id);
  return (
    <Together of={[causes]}>
      <DeadLetters appId={app.id} quiet />
      <DeliveryList appId={app.id} />
    </Together>
  );
}
