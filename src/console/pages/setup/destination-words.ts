import { words } from '../../app/i18n.ts';

export const DESTINATION = words({
  lead: [
    'Each rule puts the people whom its filter fits into a group that is kept here by hand, whatever their groups in the source are. A group that is not here yet is made, and a sync takes back only what it has put there itself.',
    '규칙은 필터에 맞는 사용자를 소스의 그룹과 관계없이 여기에서 직접 관리하는 그룹에 넣습니다. 없는 그룹은 만들며, 동기화는 직접 넣은 구성원만 다시 뺍니다.',
  ],
  none: [
    'There is no rule: people are in the groups of the source only.',
    '규칙이 없습니다. 소스의 그룹만 사용합니다.',
  ],
  rules: ['Rules', '규칙'],
  rule: ['Rule {n}', '규칙 {n}'],
  who: ['Whom it fits', '대상'],
  whoHint: [
    "In the words of Graph, such as department eq 'Sales'.",
    "Graph 구문을 사용합니다. 예: department eq 'Sales'",
  ],
  group: ['Group here', '여기의 그룹'],
  groupHint: ['By its display name.', '표시 이름으로 지정합니다.'],
  add: ['Add a rule', '규칙 추가'],
  up: ['Move rule {n} up', '규칙 {n} 위로'],
  down: ['Move rule {n} down', '규칙 {n} 아래로'],
  isFirst: ['It is the first one.', '첫 번째 규칙입니다.'],
  isLast: ['It is the last one.', '마지막 규칙입니다.'],
  remove: ['Remove rule {n}', '규칙 {n} 제거'],
  moved: ['It is rule {n} of {total} now', '이제 규칙 {total}개 중 {n}번째입니다'],
  fits: ['{n} of {total} users fit', '사용자 {total}명 중 {n}명 일치'],
  match: ['When several rules fit', '여러 규칙이 맞는 경우'],
  first: ['The first one counts', '첫 규칙만 적용'],
  firstNote: ['From the top; the rules below it are not asked.', '위에서부터 찾으며 그 아래 규칙은 확인하지 않습니다.'],
  all: ['All of them count', '모두 적용'],
  allNote: ['Somebody may be put into several groups.', '한 사람이 여러 그룹에 들어갈 수 있습니다.'],
  rest: ['Group for everybody else', '나머지 사용자의 그룹'],
  restHint: [
    'For those whom no rule fits. Empty puts them nowhere.',
    '맞는 규칙이 없는 사용자용입니다. 비워 두면 넣지 않습니다.',
  ],
});
