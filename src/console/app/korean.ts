// The Korean of what the gateway says in English, for those who read Korean: it comes when it is first needed.
import { useEffect, useState } from 'react';
import { useLanguage } from './i18n.ts';

interface Catalogues {
  readonly errors: typeof import('./korean-errors.ts');
  readonly sentences: typeof import('./korean-sentences.ts');
}

const LOAD: { readonly [Name in keyof Catalogues]: () => Promise<Catalogues[Name]> } = {
  errors: () => import('./korean-errors.ts'),
  sentences: () => import('./korean-sentences.ts'),
};
const loaded: { -readonly [Name in keyof Catalogues]?: Catalogues[Name] } = {};

/** Undefined for those who read English, and until it has come. */
function useCatalogue<Name extends keyof Catalogues>(name: Name): Catalogues[Name] | undefined {
  const wanted = useLanguage() === 'ko';
  const [, arrived] = useState<Catalogues[Name]>();
  useEffect(() => {
    if (!wanted || loaded[name] !== undefined) return;
    void LOAD[name]().then(
      (catalogue) => {
        loaded[name] = catalogue;
        arrived(catalogue);
      },
      () => undefined,
    );
  }, [wanted, name]);
  return wanted ? loaded[name] : undefined;
}

export function useKorean(): Catalogues['errors'] | undefined {
  return useCatalogue('errors');
}

export function useKoreanSentences(): Catalogues['sentences'] | undefined {
  return useCatalogue('sentences');
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

/** The same of another system, with the status of its answer. */
export function useFailedThere(): (failed: Failed) => string {
  const say = useFailed();
  return (failed) => {
    const said = say(failed);
    const status = said === failed.message ? null : /\b[1-5]\d\d\b/.exec(failed.message);
    return status === null ? said : said.replace(/\.?$/, ` (${status[0]}).`);
  };
}

/** What to do about it; empty where nothing can be done. */
export function useFailedRemedy(): (failed: Failed & { readonly remedy: string | null }) => string {
  const korean = useKorean();
  return ({ code, remedy }) => korean?.KOREAN_ERRORS[code]?.[1] ?? remedy ?? '';
}

/** Why something would be refused, and what to do about it. */
export function useRefusal(): (refusal: Failed & { readonly remedy: string | null }) => string {
  const korean = useKorean();
  return ({ code, message, remedy }) =>
    (korean?.KOREAN_ERRORS[code] ?? [message, remedy ?? undefined]).filter(Boolean).join(' ');
}
