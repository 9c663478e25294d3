// What a plan would do, in a sentence: users and groups each by their own number, never added up.
import { useGet } from '../api/queries.ts';
import { useLanguage, useT, words } from './i18n.ts';
import { actOf, type ChangeCounts } from './run-facts.ts';

const WORDS = words({
  users: ['{n} {n|user|users}', '사용자 {n}명'],
  groups: ['{n} {n|group|groups}', '그룹 {n}개'],
  onlyUsers: ['{n|user|users}', '사용자'],
  onlyGroups: ['{n|group|groups}', '그룹'],
  usersOf: ['{n} of {total} {total|user|users}', '사용자 {total}명 중 {n}명'],
  groupsOf: ['{n} of {total} {total|group|groups}', '그룹 {total}개 중 {n}개'],
  delete: ['remove {what}', '{what} 제거'],
  deactivate: ['disable {what}', '{what} 사용 안 함'],
  create: ['create {what}', '{what} 생성'],
  update: ['update {what}', '{what} 업데이트'],
  link: ['link {what}', '{what} 연결'],
  membership: ['change the members of {what}', '{what} 구성원 변경'],
  wouldDo: ['It would {list}.', '적용하면 {list}입니다.'],
});

export type Act = Exclude<keyof ChangeCounts, 'skip'>;

/** Of one kind of change: so many users, so many groups. */
export interface Sum {
  readonly users: number;
  readonly groups: number;
}

export type Sums = Readonly<Partial<Record<keyof ChangeCounts, Sum>>>;

/** By kind of change; undefined until it is known. */
export function usePlanSums(planId: string | null): Sums | undefined {
  const causes = useGet('GET /plans/{id}/causes', { path: { id: planId ?? '' }, enabled: planId !== null });
  if (planId === null || causes.data === undefined) return undefined;
  const sums: Partial<Record<keyof ChangeCounts, Sum>> = {};
  for (const { action, reason, resourceType, count } of causes.data.causes) {
    const act = actOf({ action, reason });
    const { users, groups } = sums[act] ?? { users: 0, groups: 0 };
    sums[act] = resourceType === 'Group' ? { users, groups: groups + count } : { users: users + count, groups };
  }
  return sums;
}

/** Those who lose something: what a large change is about. */
export const REMOVING = ['delete', 'deactivate'] as const;
export const EVERY_ACT = [...REMOVING, 'create', 'update', 'link', 'membership'] as const;

export interface SumWords {
  /** Beside the whole number: `users`, or `400 users and 24 groups`. */
  kinds(sum: Sum): string;
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
  const what = ({ users, groups }: Sum, total?: Sum): string =>
    and([
      ...(users === 0
        ? []
        : [total === undefined ? t('users', { n: users }) : t('usersOf', { n: users, total: total.users })]),
      ...(groups === 0
        ? []
        : [total === undefined ? t('groups', { n: groups }) : t('groupsOf', { n: groups, total: total.groups })]),
    ]);
  const list = (sums: Sums, acts: readonly Act[], total?: Sum): string =>
    and(
      acts.flatMap((act) => {
        const sum = sums[act];
        return sum === undefined || sum.users + sum.groups === 0 ? [] : [t(act, { what: what(sum, total) })];
      }),
    );
  const kinds = (sum: Sum): string =>
    sum.groups === 0
      ? t('onlyUsers', { n: sum.users })
      : sum.users === 0
        ? t('onlyGroups', { n: sum.groups })
        : what(sum);
  return { kinds, what, list, sentence: (sums) => t('wouldDo', { list: list(sums, EVERY_ACT) }) };
}

/** As the beginning of a title or the name of a button. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
