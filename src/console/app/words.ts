// Words that several pages share.
import { words } from './i18n.ts';

export const SHELL = words({
  overview: ['Overview', '개요'],
  inbound: ['Inbound', '인바운드'],
  source: ['Source and schedule', '소스 및 일정'],
  runs: ['Sync runs', '동기화 실행'],
  tasks: ['Tasks', '작업'],
  directory: ['Directory', '디렉터리'],
  users: ['Users', '사용자'],
  groups: ['Groups', '그룹'],
  check: ['Check one user', '사용자 확인'],
  disputes: ['Open questions', '미결 사항'],
  outbound: ['Outbound', '아웃바운드'],
  apps: ['Apps', '앱'],
  deliveries: ['Deliveries', '전송'],
  system: ['System', '시스템'],
  audit: ['Audit log', '감사 로그'],
  settings: ['Settings', '설정'],
  search: ['Search or jump to…', '검색 또는 이동…'],
  menu: ['Open the navigation', '탐색 열기'],
  navigation: ['Navigation', '탐색'],
  theme: ['Theme', '테마'],
  light: ['Light', '밝게'],
  dark: ['Dark', '어둡게'],
  system_: ['As the system', '시스템 설정'],
  account: ['Account', '계정'],
  language: ['한국어', 'English'],
  signOut: ['Sign out', '로그아웃'],
  signOutAll: ['Sign out everywhere', '모든 곳에서 로그아웃'],
  skip: ['Skip to the content', '본문으로 건너뛰기'],
  lost: [
    'Connection to the gateway was lost. Trying again; what you see may be out of date.',
    '게이트웨이와의 연결이 끊어졌습니다. 다시 시도하고 있으며 표시된 내용이 최신이 아닐 수 있습니다.',
  ],
  syncing: ['Syncing', '동기화 중'],
  noSource: ['No active source', '활성 소스 없음'],
  setUp: ['Set one up', '설정하기'],
  synced: ['Synced {t}', '{t} 동기화됨'],
  neverSynced: ['Not synced yet', '아직 동기화되지 않음'],
  runDone: ['Run {n} is done', '실행 {n} 완료'],
  runHeld: ['Run {n} waits for you', '실행 {n}이(가) 확인을 기다립니다'],
  runFailed: ['Run {n} did not end well', '실행 {n}이(가) 정상적으로 끝나지 않았습니다'],
  waiting: ['{n} waiting', '{n}개 대기'],
});

export const ROLES = words({
  viewer: ['Viewer', '뷰어'],
  operator: ['Operator', '운영자'],
  admin: ['Administrator', '관리자'],
});

export const STATUS = words({
  queued: ['Queued', '대기 중'],
  running: ['Running', '실행 중'],
  held: ['Waiting for confirmation', '확인 대기'],
  preview: ['Preview', '미리 보기'],
  succeeded: ['Succeeded', '성공'],
  failed: ['Failed', '실패'],
  cancelled: ['Stopped', '중지됨'],
  abandoned: ['Cut short', '중단됨'],
  incomplete: ['Incomplete', '미완료'],
});

export const TRIGGER = words({
  manual: ['By hand', '수동'],
  schedule: ['Schedule', '일정'],
  'catch-up': ['Missed schedule', '놓친 일정'],
  notification: ['Change notice', '변경 알림'],
  impact: ['Impact check', '영향 검토'],
  push: ['Written by the source', '소스가 기록함'],
  connect: ['First connection', '첫 연결'],
  revert: ['Undo', '실행 취소'],
  restore: ['Restore', '복원'],
  switch: ['Switch of source', '소스 전환'],
});

/** Filters that several lists have. */
export const FILTERS = words({
  since: ['From', '시작일'],
  until: ['To', '종료일'],
});

export const PROVIDERS = words({
  microsoft365: ['Microsoft 365', 'Microsoft 365'],
  scim: ['Inbound SCIM', '인바운드 SCIM'],
  ldap: ['Local Active Directory', '로컬 Active Directory'],
  csv: ['CSV upload', 'CSV 업로드'],
  manual: ['Entered by hand', '직접 입력'],
});

export const CHANGES = words({
  create: ['Create', '생성'],
  update: ['Update', '업데이트'],
  link: ['Link', '연결'],
  deactivate: ['Disable', '사용 안 함'],
  delete: ['Remove', '제거'],
  membership: ['Memberships', '구성원'],
  skip: ['Skipped', '건너뜀'],
  created: ['created', '생성됨'],
  updated: ['updated', '업데이트됨'],
  linked: ['linked', '연결됨'],
  deactivated: ['disabled', '사용 안 함'],
  deleted: ['removed', '제거됨'],
  membershipsChanged: ['memberships', '구성원 변경'],
  skipped: ['skipped', '건너뜀'],
});

export const COMMON = words({
  cancel: ['Cancel', '취소'],
  save: ['Save', '저장'],
  saved: ['Saved', '저장됨'],
  remove: ['Remove', '제거'],
  close: ['Close', '닫기'],
  edit: ['Edit', '편집'],
  more: ['More actions', '추가 작업'],
  copy: ['Copy', '복사'],
  copied: ['Copied', '복사됨'],
  none: ['None', '없음'],
  yes: ['Yes', '예'],
  no: ['No', '아니요'],
  clear: ['Clear the filters', '필터 지우기'],
  all: ['All', '전체'],
  never: ['Never', '없음'],
  by: ['by {who}', '{who}'],
  you: ['You', '나'],
  schedule: ['Schedule', '일정'],
  sync: ['Sync', '동기화'],
  push: ['Sending', '전송'],
  retention: ['Cleanup', '정리'],
});
