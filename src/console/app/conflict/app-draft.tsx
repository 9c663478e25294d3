// A form over a part of an app's settings: what it sees, or one of its ways out.
import type { ReactNode } from 'react';
import { callTagged, type Tagged } from '../../api/client.ts';
import { useDocument } from '../../api/queries.ts';
import type { App, NewApp } from '../../api/types.ts';
import { Loaded } from '../../ui/loaded.tsx';
import { type Draft, type DraftOf, useDraft } from './draft.tsx';

/** The app with the version that a form over it begins with. */
export function AppDocument({
  id,
  children,
}: {
  readonly id: string;
  readonly children: (saved: Tagged<App>) => ReactNode;
}) {
  const saved = useDocument('GET /apps/{id}', { path: { id } });
  return <Loaded query={saved}>{children}</Loaded>;
}

export function useAppDraft<Value extends object>({
  saved,
  body,
  ...rest
}: Pick<DraftOf<App, Value>, 'saved' | 'shape' | 'nameOf'> & {
  /** What is sent of the form. */
  readonly body: (value: Value) => Partial<NewApp>;
}): Draft<App, Value> {
  const path = { id: saved.value.id };
  return useDraft<App, Value>({
    ...rest,
    saved,
    read: () => callTagged('GET /apps/{id}', { path }),
    write: (value, { etag: ifMatch }) => callTagged('PATCH /apps/{id}', { path, body: body(value) as never, ifMatch }),
    topic: 'apps',
  });
}
