import { words } from '../../app/i18n.ts';

export const GROUP_WORDS = words({
  pickerTitle: ['Choose the groups to sync', '동기화할 그룹 선택'],
  pickerLead: [
    'Subgroups come with the group you pick. Users outside the picked groups leave the gateway at the next sync.',
    '선택한 그룹의 하위 그룹이 함께 포함됩니다. 선택하지 않은 그룹의 사용자는 다음 동기화 때 게이트웨이에서 제외됩니다.',
  ],
  pickerLeadAlone: [
    'Subgroups do not come with the group you pick. Users outside the picked groups leave the gateway at the next sync.',
    '하위 그룹은 함께 포함되지 않습니다. 선택하지 않은 그룹의 사용자는 다음 동기화 때 게이트웨이에서 제외됩니다.',
  ],
  pickOneTitle: ['Choose the path reference group', '경로 기준 그룹 선택'],
  findGroup: ['Find a group', '그룹 찾기'],
  members: ['Members', '구성원'],
  membersIn: ['Members of {name}', '{name}의 구성원'],
  membersOf: ['{n} direct {n|member|members}', '직속 구성원 {n}명'],
  membersUnknown: ['Members not counted', '구성원 수 미확인'],
  comesAlong: ['comes with its parent', '상위 그룹과 함께 포함'],
  cannotPick: ['Groups of this type cannot be picked', '이 유형의 그룹은 선택할 수 없습니다'],
  picked: ['{n} picked', '{n}개 선택'],
  done: ['Take these', '선택 완료'],
  noGroup: ['No group found', '그룹이 없습니다'],
  subgroupsOf: ['Subgroups of {name}', '{name}의 하위 그룹'],
  noSubgroup: ['No subgroups', '하위 그룹 없음'],
  lookAtMembers: ['Pick "Members" to look into a group.', '그룹을 보려면 "구성원"을 누르세요.'],
  nobody: ['This group has no members.', '이 그룹에는 구성원이 없습니다.'],
  users: ['{n} {n|user|users} in all, {g} {g|subgroup|subgroups}', '전체 사용자 {n}명, 하위 그룹 {g}개'],
  moreGroups: [
    'Only the first {n} groups are shown. Search for part of the name.',
    '처음 {n}개 그룹만 표시됩니다. 이름 일부로 검색하세요.',
  ],
  cutBy_members: [
    'The first {n} members are shown; a sync reads them all.',
    '처음 {n}명만 표시됩니다. 동기화는 모두 읽습니다.',
  ],
  cutBy_groups: [
    'Groups after the first {n} are not opened here; a sync reads them all.',
    '처음 {n}개 이후의 그룹은 여기서 열지 않습니다. 동기화는 모두 읽습니다.',
  ],
  cutBy_depth: [
    'Groups more than {n} deep are not opened here; a sync reads them all.',
    '{n}단계보다 깊은 그룹은 여기서 열지 않습니다. 동기화는 모두 읽습니다.',
  ],
  security: ['Security', '보안'],
  mailEnabledSecurity: ['Mail-enabled security', '메일 사용 가능 보안'],
  distribution: ['Distribution list', '배포 목록'],
  microsoft365: ['Microsoft 365', 'Microsoft 365'],
  unknown: ['Another type', '기타 유형'],
});
