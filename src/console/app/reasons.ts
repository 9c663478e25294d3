// Why something happened, in words: the gateway says it in English, and here is the same in Korean.
import { useLanguage } from './i18n.ts';
import { KOREAN_REASONS } from './korean-reasons.ts';

/** The sentence of a reason: the gateway's own, or the Korean one. */
export function useReason(): (code: string, sentence: string) => string {
  const language = useLanguage();
  return (code, sentence) => (language === 'ko' ? (KOREAN_REASONS[code] ?? sentence) : sentence);
}
