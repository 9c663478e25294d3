import { words } from '../i18n.ts';

export const WORDS = words({
  others: ['Somebody else changed this meanwhile', '그사이 다른 사람이 변경했습니다'],
  compare: ['Compare', '비교'],
  compareFirst: ['Compare it with yours before you save.', '저장하기 전에 비교하세요.'],
  title: ['{who} saved these settings meanwhile ({when})', '{who}이(가) 그사이 이 설정을 저장했습니다({when})'],
  lead: [
    'Yours are not saved yet. Choose for each field which of the two it is to be; nothing that you entered is lost.',
    '아직 저장되지 않았습니다. 필드마다 어느 값을 쓸지 선택하세요. 입력한 내용은 사라지지 않습니다.',
  ],
  fields: ['Fields that differ', '서로 다른 필드'],
  field: ['Field', '필드'],
  mine: ['Mine', '내 값'],
  theirs: ['Theirs', '상대 값'],
  choice: ['Which one', '선택'],
  keepMine: ['Keep mine', '내 값 유지'],
  takeTheirs: ['Take theirs', '상대 값 사용'],
  allMine: ['Keep all of mine', '모두 내 값 유지'],
  allTheirs: ['Take all of theirs', '모두 상대 값 사용'],
  onlyTheirs: ['You did not change this', '변경하지 않은 필드'],
  secret: ['A new value', '새 값'],
  empty: ['Empty', '비어 있음'],
  goOn: ['Go on editing', '계속 편집'],
  save: ['Save this', '이대로 저장'],
});
