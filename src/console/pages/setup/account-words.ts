import { words } from '../../app/i18n.ts';

/** Which account somebody new means, and what the first sync does. */
export const ACCOUNTS = words({
  matching: ['Accounts that are here already', '이미 있는 계정'],
  matchingLead: [
    'Somebody new in the source may have an account here: entered by hand, or from another source. They are compared from the top, and the first that fits decides. Whom a sync has linked once stays linked and is not compared again.',
    '소스에 새로 나타난 사람의 계정이 이미 있을 수 있습니다. 직접 입력했거나 다른 소스에서 온 계정입니다. 위에서부터 비교하며 처음 일치하는 항목으로 정합니다. 한 번 연결된 사람은 다시 비교하지 않습니다.',
  ],
  order: ['Compared by, from the top', '비교 순서(위에서부터)'],
  usual: ['Usual: {list}.', '기본값: {list}.'],
  nothing: [
    'Nothing is compared: everybody new gets an account of their own.',
    '비교하지 않습니다. 새로운 사람은 모두 새 계정을 받습니다.',
  ],
  externalId: ['Source id', '소스 ID'],
  externalIdNote: ['The id that the source itself gives.', '소스가 부여한 ID입니다.'],
  anchors: ['Id in your own directory', '자체 디렉터리 ID'],
  anchorsNote: [
    'For tenants that are synced from Active Directory: who is made anew in Microsoft 365 keeps the account.',
    'Active Directory에서 동기화하는 테넌트용입니다. Microsoft 365에서 새로 만들어져도 계정을 유지합니다.',
  ],
  userName: ['User name', '사용자 이름'],
  userNameNote: ['Of a group, its name.', '그룹은 그룹 이름을 비교합니다.'],
  emails: ['Mail address', '메일 주소'],
  emailsNote: [
    'One address in common is enough; choose it only if addresses are not given to somebody else.',
    '주소 하나만 같아도 일치합니다. 주소를 다른 사람에게 다시 주지 않을 때만 선택하세요.',
  ],
  employeeNumber: ['Employee number', '사번'],
  employeeNumberNote: ['The same number is the same person.', '사번이 같으면 같은 사람입니다.'],
  up: ['Compare {name} earlier', '{name}을(를) 먼저 비교'],
  down: ['Compare {name} later', '{name}을(를) 나중에 비교'],
  isFirst: ['It is compared first.', '가장 먼저 비교합니다.'],
  isLast: ['It is compared last.', '가장 나중에 비교합니다.'],
  moved: ['{name} is compared as number {n} now', '이제 {name}을(를) {n}번째로 비교합니다'],
  adopt: ['When the account was entered by hand', '직접 입력한 계정인 경우'],
  never: ['Leave it alone', '그대로 둠'],
  neverNote: [
    'Both accounts stay. Only a user name that both have is brought before you.',
    '두 계정을 모두 유지합니다. 사용자 이름이 같은 경우에만 확인을 요청합니다.',
  ],
  ask: ['Ask me', '나에게 물음'],
  askNote: [
    'Each match waits under Open questions until somebody decides.',
    '일치할 때마다 누군가 결정할 때까지 미결 사항에서 기다립니다.',
  ],
  onMatch: ["Go on as the source's", '소스 계정으로 계속'],
  onMatchNote: [
    'The account keeps its id and takes the values of the source at once.',
    '계정 ID는 유지하고 값은 바로 소스의 값으로 바꿉니다.',
  ],
  first: ['First sync', '첫 동기화'],
  firstLead: [
    'It counts once: for the first sync after the source is turned on.',
    '소스를 켠 뒤 첫 동기화에 한 번만 적용됩니다.',
  ],
  firstLegend: ['What the first sync does', '첫 동기화 동작'],
  preview: ['Show me first (usual)', '먼저 보여 주기(기본값)'],
  previewNote: [
    'It reads and compares everything. Nothing changes until somebody approves what it found.',
    '모두 읽고 비교합니다. 누군가 결과를 승인할 때까지 아무것도 변경하지 않습니다.',
  ],
  auto: ['Apply it at once', '바로 적용'],
  autoNote: [
    'Everything it finds is written without asking anybody, and sent to the apps. Large-change limits do not hold a first sync.',
    '찾은 내용을 확인 없이 모두 기록하고 앱으로 보냅니다. 첫 동기화에는 대량 변경 제한이 적용되지 않습니다.',
  ],
  manual: ['Wait for me to start it', '직접 시작할 때까지 대기'],
  manualNote: [
    'Turning the source on reads nothing. The first sync begins when somebody starts it, and then waits for approval.',
    '소스를 켜도 읽지 않습니다. 누군가 시작하면 첫 동기화를 하고 승인을 기다립니다.',
  ],
  depth: ['Levels of subgroups', '하위 그룹 단계'],
  depthHint: [
    'Empty follows them all the way down, as usual. With 1, subgroups of a picked group come in and theirs do not; who is only deeper stays out.',
    '비워 두면(기본값) 끝까지 따라갑니다. 1이면 선택한 그룹의 하위 그룹까지만 포함하고, 더 아래에만 있는 사람은 제외합니다.',
  ],
  depthHintFull: [
    'Empty takes members from all levels, as usual. With 1, a group takes the members of its subgroups and not of theirs.',
    '비워 두면(기본값) 모든 단계의 구성원을 가져옵니다. 1이면 바로 아래 하위 그룹의 구성원만 가져옵니다.',
  ],
});
