import { Fragment } from 'react';
import { GroupName } from './group-name.tsx';
import { useKoreanSentences } from './korean.ts';

/** An id of Microsoft's, as it stands in a sentence. */
const ID = /([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})/i;

/** What the gateway says without a code, in the reader's language as far as it is known; else in English, as it came. */
export function Sentence({ children: said }: { readonly children: string }) {
  const korean = useKoreanSentences()?.sentenceInKorean(said);
  return korean === undefined ? <span lang="en">{said}</span> : <span>{korean}</span>;
}

/** Each name is a question to the gateway. */
const NAMED_MAX = 20;

/** The same of a sentence that tells groups by their ids: each by its name, as far as the directory has it. */
export function SentenceOfGroups({ children: said }: { readonly children: string }) {
  const korean = useKoreanSentences()?.sentenceInKorean(said);
  // What was split by is every second part.
  const parts = (korean ?? said)
    .split(ID)
    .map((text, place) => ({ text, place, isId: place % 2 === 1 && place < 2 * NAMED_MAX }));
  return (
    <span lang={korean === undefined ? 'en' : undefined}>
      {parts.map(({ text, place, isId }) => (
        <Fragment key={place}>{isId ? <GroupName id={text} /> : text}</Fragment>
      ))}
    </span>
  );
}
