// Why the guard holds a plan: the gateway says it in English, and here is the same in Korean.
import type { Verdict } from '../../api/types.ts';
import { useLanguage } from '../../app/i18n.ts';

type Hold = Verdict['reasons'][number];

const CLASSES: Readonly<Record<string, string>> = {
  create: '생성',
  update: '업데이트',
  remove: '사용 안 함 또는 제거',
  membership: '구성원 변경',
};

/** `사용자 400명 중 85명, 그룹 24개 중 2개`: what there is none of is left out. */
function inWords({ users, groups, count, total, returning = 0 }: Hold): string {
  const staying = (users?.count ?? 0) - returning;
  const parts = [
    ...(users === undefined || staying === 0 ? [] : [`사용자 ${users.total}명 중 ${staying}명`]),
    ...(returning === 0 ? [] : [`떠났다가 돌아오는 사용자 ${returning}명(현재 ${users?.total ?? '?'}명)`]),
    ...(groups === undefined || groups.count === 0 ? [] : [`그룹 ${groups.total}개 중 ${groups.count}개`]),
  ];
  return parts.length === 0 ? `${total ?? '?'}개 중 ${count ?? '?'}개` : parts.join(', ');
}

function newOnes({ users, groups, count }: Hold): string {
  if (users === undefined || groups === undefined) return `${count ?? '?'}개`;
  return `사용자 ${users.count}명과 그룹 ${groups.count}개(현재 사용자 ${users.total}명, 그룹 ${groups.total}개)`;
}

const KOREAN: Readonly<Record<Hold['code'], (hold: Hold) => string>> = {
  'first-run': () => '첫 실행은 누군가 확인할 때까지 기다립니다.',
  'account-mapping-reset': () => '계정 연결을 다시 만드는 실행은 누군가 확인할 때까지 기다립니다.',
  revert: () => '실행 취소는 확인을 기다립니다.',
  'source-empty': () => '소스가 아무도 없다고 응답했습니다.',
  'source-incomplete': () => '소스를 끝까지 읽지 못했습니다.',
  'groups-empty': () => '소스가 그룹이 없다고 응답했습니다.',
  'groups-exceeded': ({ count, total }) => `그룹 ${total ?? '?'}개 중 ${count ?? '?'}개가 삭제됩니다.`,
  'share-exceeded': (hold) =>
    `${CLASSES[hold.class ?? ''] ?? '변경'}: ${hold.class === 'create' ? newOnes(hold) : inWords(hold)}. 제한은 ${hold.total === hold.users?.total ? '사용자 수' : '사용자와 그룹을 합한 수'}의 ${hold.limit}%입니다.`,
  'deletions-exceeded': (hold) => `사용 안 함 또는 제거: ${inWords(hold)}. 한 번에 ${hold.limit}개까지 허용됩니다.`,
  'burst-exceeded': ({ count, total }) => `기간 안에 ${total}개 중 ${count}개가 제거되어 제한을 초과합니다.`,
  'memberships-exceeded': ({ count, total, limit }) =>
    `구성원 관계 ${total ?? '?'}개 중 ${count ?? '?'}개가 끝납니다. 제한은 ${limit ?? '?'}%입니다.`,
  'group-emptied': ({ count }) => `그룹 ${count ?? ''}개가 모든 구성원을 잃습니다.`,
  'group-memberships-exceeded': ({ count, limit }) =>
    `그룹 ${count ?? ''}개가 구성원의 ${limit ?? '?'}% 넘게 잃습니다.`,
  'attribute-changed': ({ attribute, count = 0, total = 0, limit }) =>
    count > total
      ? `"${attribute}" 값이 돌아오는 사용자를 포함해 ${count}명에게서 바뀝니다. 제한은 현재 ${total}명의 ${limit ?? '?'}%입니다.`
      : `"${attribute}" 값이 ${total}명 중 ${count}명에게서 바뀝니다. 제한은 ${limit ?? '?'}%입니다.`,
  'attribute-emptied': ({ attribute, count, total, limit }) =>
    `"${attribute}" 값을 가진 ${total ?? '?'}명 중 ${count ?? '?'}명이 값을 잃습니다. 제한은 ${limit ?? '?'}%입니다.`,
  protected: ({ count }) => `보호된 개체 ${count ?? ''}개가 사용 안 함, 제거 또는 비워집니다.`,
};

export function useHold(): (hold: Hold) => string {
  const language = useLanguage();
  return (hold) => shorten(language === 'ko' ? (KOREAN[hold.code]?.(hold) ?? hold.message) : hold.message);
}

/** The name of an attribute says enough without the schema in front of it. */
function shorten(text: string): string {
  return text.replaceAll(/urn:[\w:.]+:(?=[\w.]+")/g, '');
}
