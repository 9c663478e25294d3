// What the gateway says of a single field, in words for whoever fills in a form.
import { type Pair, say } from './i18n.ts';

const WORDS: readonly (readonly [said: RegExp, pair: Pair])[] = [
  [/^is missing$|^must be .*, not null$|^must not be empty$/, ['Fill this in.', '입력하세요.']],
  [/^must be a whole address/, ['Enter a whole address, with https://', 'https://로 시작하는 전체 주소를 입력하세요.']],
  [/^must be at most (?<n>[\d.]+)$/, ['At most {n}.', '{n} 이하여야 합니다.']],
  [/^must be at least (?<n>[\d.]+)$/, ['At least {n}.', '{n} 이상이어야 합니다.']],
  [/^must be a whole number/, ['Enter a whole number.', '정수를 입력하세요.']],
];

/** As the gateway says it where it says it for people. */
export function fieldProblem(said: string): string {
  for (const [pattern, pair] of WORDS) {
    const found = pattern.exec(said);
    if (found !== null) return say(pair, { n: found.groups?.['n'] ?? '' });
  }
  return said;
}
