import type { App } from '../../api/types.ts';
import { DeadLetters } from './dead.tsx';
import { DeliveryList } from './list.tsx';

/** What was sent to one app: what was given up first. */
export function AppDeliveries({ app }: { readonly app: App }) {
  return (
    <>
      <DeadLetters appId={app.id} quiet />
      <DeliveryList appId={app.id} />
    </>
  );
}
