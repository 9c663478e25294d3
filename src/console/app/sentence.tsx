import { useKoreanSentences } from './korean.ts';

/** What the gateway says without a code, in the reader's language as far as it is known; else in English, as it came. */
export function Sentence({ children: said }: { readonly children: string }) {
  const korean = useKoreanSentences()?.sentenceInKorean(said);
  return korean === undefined ? <span lang="en">{said}</span> : <span>{korean}</span>;
}
