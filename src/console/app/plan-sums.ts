// What a plan would do, in a sentence: users and groups each by their own number, never added up.
import { useGet } from '../api/queries.ts';
import { useLanguage, useT, words } from './i18n.ts';
import { type Change, plannedSums, type Sum, type Sums, totalOf } from './run-facts.ts';

const WORDS = words({
  users: ['{n} {n|user|users}', '사용자 {n}명'],
  groups: ['{n} {n|group|groups}', '그룹 {n}개'],
  usersOf: ['{n} of {total} {total|user|users}', '사용자 {total}명 중 {n}명'],
  groupsOf: ['{n} of {total} {total|group|groups}', '그룹 {total}개 중 {n}개'],
  others: ['{n} other {n|object|objects}', '기타 개체 {n}개'],
  memberships: ['{n} {n|membership|memberships}', '구성원 관계 {n}개'],
  delete: ['remove {what}', '{what} 제거'],
  deactivate: ['disable {what}', '{what} 사용 안 함'],
  create: ['create {what}', '{what} 생성'],
  update: ['update {what}', '{what} 업데이트'],
  link: ['link {what}', '{what} 연결'],
  membership: ['change the members of {what}', '{what} 구성원 변경'],
  wouldDo: ['It would {list}.', '적용하면 {list}입니다.'],
  wouldDoNothing: ['It would change nothing.', '적용해도 변경되는 내용이 없습니다.'],
});

export type Act = Exclude<Change, 'skip'>;

/** By kind of change; undefined until it is known. */
export function usePlanSums(planId: string | null): Sums | undefined {
  const { data } = useGet('GET /plans/{id}', { path: { id: planId ?? '' }, enabled: planId !== null });
  return planId === null || data === undefined ? undefined : plannedSums(data.countsByType);
}

/** Those who lose something: what a large change is about. */
export const REMOVING = ['delete', 'deactivate'] as const;
export const EVERY_ACT = [...REMOVING, 'create', 'update', 'link', 'membership'] as const;

export interface SumWords {
  /** `400 users`, `24 groups`; empty when there is neither. */
  parts(sum: Sum): readonly string[];
  /** All that a plan or a run is about: `400 users`, `24 groups`, `329 memberships`. */
  about(sums: Sums): readonly string[];
  /** `400 users and 24 groups`; of how many, where that is known. */
  what(sum: Sum, total?: Sum): string;
  /** `remove 3 users and disable 80 users and 2 groups`; empty when there is nothing of it. */
  list(sums: Sums, acts: readonly Act[], total?: Sum): string;
  /** The whole plan as a sentence. */
  sentence(sums: Sums): string;
}

export function useSumWords(): SumWords {
  const t = useT(WORDS);
  const language = useLanguage();
  const and = (parts: readonly string[]): string => new Intl.ListFormat(language).format(parts);
  const parts = ({ users, groups, others = 0 }: Sum, total?: Sum): readonly string[] => [
    ...(users === 0
      ? []
      : [total === undefined ? t('users', { n: users }) : t('usersOf', { n: users, total: total.users })]),
    ...(groups === 0
      ? []
      : [total === undefined ? t('groups', { n: groups }) : t('groupsOf', { n: groups, total: total.groups })]),
    ...(others === 0 ? [] : [t('others', { n: others })]),
  ];
  const about = (sums: Sums): readonly string[] => {
    const n = sums.memberships.added + sums.memberships.removed;
    return [...parts(totalOf(sums)), ...(n === 0 ? [] : [t('memberships', { n })])];
  };
  const what = (sum: Sum, total?: Sum): string => and(parts(sum, total));
  const list = (sums: Sums, acts: readonly Act[], total?: Sum): string =>
    and(
      acts.flatMap((act) => {
        const sum = sums[act];
        return sum.users + sum.groups === 0 ? [] : [t(act, { what: what(sum, total) })];
      }),
    );
  const sentence = (sums: Sums): string => {
    const all = list(sums, EVERY_ACT);
    return all === '' ? t('wouldDoNothing') : t('wouldDo', { list: all });
  };
  return { parts, about, what, list, sentence };
}

/** As the beginning of a title or the name of a button. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
