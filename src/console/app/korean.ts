// The Korean of what the gateway says in English, for those who read Korean: it comes when it is first needed.
import { useEffect, useState } from 'react';
import { useLanguage } from './i18n.ts';

type Catalogue = typeof import('./korean-errors.ts');
let loaded: Catalogue | undefined;

/** Undefined for those who read English, and until it has come. */
export function useKorean(): Catalogue | undefined {
  const wanted = useLanguage() === 'ko';
  const [, arrived] = useState(loaded);
  useEffect(() => {
    if (!wanted || loaded !== undefined) return;
    void import('./korean-errors.ts').then(
      (catalogue) => {
        loaded = catalogue;
        arrived(catalogue);
      },
      () => undefined,
    );
  }, [wanted]);
  return wanted ? loaded : undefined;
}

/** What to do about a reason; that nothing needs to be done is left out in Korean. */
export function useReasonRemedy(): (reason: { readonly code: string; readonly remedy: string }) => string {
  const korean = useKorean();
  return ({ code, remedy }) => (korean === undefined ? remedy : (korean.KOREAN_REMEDIES[code] ?? ''));
}

interface Failed {
  readonly code: string;
  readonly message: string;
}

/** What failed, in a sentence. */
export function useFailed(): (failed: Failed) => string {
  const korean = useKorean();
  return ({ code, message }) => korean?.KOREAN_ERRORS[code]?.[0] ?? message;
}
