import { lazy, Suspense } from 'react';
import { Skeleton } from '../../ui/banner.tsx';
import type { SectionProps, Shared } from './forms.ts';

/** Comes when it is asked for: what the first screen loads is at its limit of bytes. */
const Section = lazy(() => import('./mapping.tsx').then((part) => ({ default: part.MappingSection })));

export function MappingSection<Value extends Shared>(props: SectionProps<Value>) {
  return (
    <Suspense fallback={<Skeleton lines={4} />}>
      <Section {...(props as unknown as SectionProps<Shared>)} />
    </Suspense>
  );
}
