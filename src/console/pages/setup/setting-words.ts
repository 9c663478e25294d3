// What each setting of a source is called where it stands alone, without its form around it, and what its values are called
// there. A name goes with its value: "A licence is needed: Yes", where the form has "leave out: users without a licence".

type Pair = readonly [en: string, ko: string];
type Named = Readonly<Record<string, Pair>>;

const SHARED: Named = {
  'scope.filter': ['Filter on users', '사용자 필터'],
  'scope.onLeaveScope': ['When somebody leaves the scope', '범위를 벗어난 경우'],
  'scope.onSourceSoftDelete': ['When somebody is deleted in the source', '소스에서 삭제된 경우'],
  'scope.onSourceHardDelete': ['When somebody is deleted there for good', '소스에서 영구 삭제된 경우'],
  'scope.deleteAfterDays': ['Remove disabled accounts after so many days', '사용 안 함 계정을 제거할 때까지의 일수'],
  initialRun: ['What the first sync does', '첫 동기화 동작'],
  matching: ['Somebody new is compared by', '새 사용자 비교 순서'],
  adoptManual: ['When the account was entered by hand', '직접 입력한 계정인 경우'],
  'mapping.users': ['Mapping of users', '사용자 속성 매핑'],
};

const MICROSOFT365: Named = {
  tenantId: ['Tenant', '테넌트'],
  clientId: ['Application (client) id', '애플리케이션(클라이언트) ID'],
  'credential.kind': ['How it signs in', '로그인 방법'],
  'credential.secret': ['Client secret', '클라이언트 암호'],
  'credential.expiresAt': ['The client secret is valid until', '클라이언트 암호 만료일'],
  'credential.certificate': ['Certificate', '인증서'],
  'credential.privateKey': ['Private key', '개인 키'],
  'credential.clientId': ['Client id of the managed identity', '관리 ID의 클라이언트 ID'],
  'credential.tokenFile': ['Token file', '토큰 파일'],
  cloud: ['Cloud', '클라우드'],
  endpoints: ['Addresses of its own', '별도 주소'],
  'endpoints.graph': ['Address of Graph', 'Graph 주소'],
  'endpoints.login': ['Address of the sign-in', '로그인 주소'],
  'scope.mode': ['Who comes in', '포함 대상'],
  'scope.groupIds': ['Designated groups', '지정한 그룹'],
  'scope.nestedGroups': ['Subgroups', '하위 그룹'],
  'scope.maxDepth': ['Levels of subgroups', '하위 그룹 단계'],
  'scope.groupTypes': ['Types of groups', '그룹 유형'],
  'scope.dynamicMembership': ['Groups with dynamic membership', '동적 구성원 그룹'],
  'scope.domains': ['Only these domains', '이 도메인만'],
  'scope.domainMatch': ['What must be in these domains', '도메인에 속해야 하는 주소'],
  'scope.excludeOnMicrosoft': [
    'Leave out addresses that end in onmicrosoft.com',
    'onmicrosoft.com으로 끝나는 주소 제외',
  ],
  'scope.mailboxTypes': ['Mailboxes that come in', '포함할 사서함'],
  'scope.guests': ['Guests of other organizations', '다른 조직의 게스트'],
  'scope.requireLicence': ['A licence is needed', '라이선스 필요'],
  'scope.requireMailbox': ['A mailbox is needed', '사서함 필요'],
  'scope.onSourceSoftDelete': ['When somebody is deleted in Microsoft 365', 'Microsoft 365에서 삭제된 경우'],
  'pathDisplay.rootGroupId': ['Path reference group', '경로 기준 그룹'],
  'destination.rules': ['Rules for groups here', '여기의 그룹 규칙'],
  'destination.match': ['When several rules fit', '여러 규칙이 맞는 경우'],
  'destination.default': ['Group for everybody else', '나머지 사용자의 그룹'],
  'notifications.enabled': ['Microsoft tells of changes', 'Microsoft의 변경 알림 받기'],
  'notifications.sweepMinutes': ['Try again after so many minutes', '다시 시도할 때까지의 시간(분)'],
};

const LDAP: Named = {
  preset: ['Kind of server', '서버 종류'],
  url: ['Server', '서버'],
  startTls: ['Encrypted by StartTLS', 'StartTLS로 암호화'],
  allowPlaintext: ['Unencrypted is allowed', '암호화하지 않은 연결 허용'],
  'tls.ca': ['Authority to trust', '신뢰할 인증 기관'],
  'tls.serverName': ['Name in the certificate', '인증서의 이름'],
  bind: ['Sign-in', '로그인'],
  'bind.dn': ['Account to read as', '읽기 계정'],
  'bind.password': ['Password', '암호'],
  'users.base': ['Base of users', '사용자 기준 위치'],
  'users.filter': ['LDAP filter of users', '사용자 LDAP 필터'],
  'users.scope': ['Depth of the search for users', '사용자 검색 범위'],
  groups: ['Search for groups', '그룹 검색'],
  'groups.base': ['Base of groups', '그룹 기준 위치'],
  'groups.filter': ['LDAP filter of groups', '그룹 LDAP 필터'],
  'groups.scope': ['Depth of the search for groups', '그룹 검색 범위'],
  anchor: ['Attribute that never changes', '변하지 않는 속성'],
  memberAttribute: ['Where a group keeps its members', '그룹의 구성원 속성'],
  incremental: ['Between whole reads', '전체 읽기 사이'],
  'limits.pageSize': ['Entries in a page', '페이지당 항목 수'],
  'limits.connectSeconds': ['Seconds to connect', '연결 제한 시간(초)'],
  'limits.requestSeconds': ['Seconds for a page', '페이지 제한 시간(초)'],
};

const CSV: Named = {
  'source.kind': ['Where the files come from', '파일 출처'],
  'source.path': ['Folder below the inbound folder', '인바운드 폴더 아래 경로'],
  'source.users': ['File of users', '사용자 파일'],
  'source.groups': ['File of groups', '그룹 파일'],
  'source.memberships': ['File of memberships', '구성원 파일'],
  'source.settleSeconds': ['Seconds that a file must be at rest', '파일이 바뀌지 않아야 하는 시간(초)'],
  'source.authorization': ['Authorization header', 'Authorization 헤더'],
  'format.encoding': ['Encoding', '인코딩'],
  'format.delimiter': ['Delimiter', '구분 기호'],
  'format.onBadLine': ['When a line cannot be read', '읽을 수 없는 줄이 있는 경우'],
  'columns.anchor': ['Column that never changes for a person', '사용자별로 변하지 않는 열'],
  'columns.kind': ['Column that says what a line is', '줄의 종류를 나타내는 열'],
  'columns.groups': ['Column with groups of a person', '사용자의 그룹 열'],
  'columns.groupAnchor': ['Column that never changes for a group', '그룹별로 변하지 않는 열'],
  'columns.groupName': ['Column with the name of a group', '그룹 이름 열'],
  'columns.members': ['Column with members of a group', '그룹의 구성원 열'],
  'columns.membershipGroup': ['Memberships: column of the group', '구성원 파일의 그룹 열'],
  'columns.membershipMember': ['Memberships: column of the member', '구성원 파일의 구성원 열'],
  'columns.membershipType': ['Memberships: column of the type', '구성원 파일의 유형 열'],
  'columns.separator': ['Between several values in a cell', '한 셀의 값 구분 기호'],
};

const SCIM: Named = {
  appId: ['App whose tokens may write', '쓰기가 허용되는 토큰의 앱'],
  'scope.groupFilter': ['Filter on groups', '그룹 필터'],
  removalWindowMinutes: ['Minutes within which removals count together', '제거를 합산하는 기간(분)'],
};

const NAMES: Readonly<Record<string, Named>> = { microsoft365: MICROSOFT365, ldap: LDAP, csv: CSV, scim: SCIM };

const LEAVE: Named = {
  deactivate: ['Disable the account', '계정 사용 안 함'],
  delete: ['Remove the account', '계정 제거'],
  keep: ['Keep the account as it is', '계정을 그대로 유지'],
};
const IN_OR_OUT: Named = { include: ['Come in', '포함'], exclude: ['Stay out', '제외'] };
const DEPTHS: Named = {
  sub: ['Everything below', '하위 전체'],
  one: ['One level', '한 단계'],
  base: ['The entry alone', '해당 항목만'],
};

const SHARED_VALUES: Readonly<Record<string, Named>> = {
  'scope.onLeaveScope': LEAVE,
  'scope.onSourceSoftDelete': LEAVE,
  'scope.onSourceHardDelete': LEAVE,
  initialRun: {
    preview: ['Show it first', '먼저 보여 주기'],
    auto: ['Apply it at once', '바로 적용'],
    manual: ['Wait until somebody starts it', '직접 시작할 때까지 대기'],
  },
  matching: {
    externalId: ['Source id', '소스 ID'],
    anchors: ['Id in your own directory', '자체 디렉터리 ID'],
    userName: ['User name', '사용자 이름'],
    emails: ['Mail address', '메일 주소'],
    employeeNumber: ['Employee number', '사번'],
  },
  adoptManual: {
    never: ['Leave it alone', '그대로 둠'],
    ask: ['Ask', '확인 요청'],
    onMatch: ["Go on as the source's", '소스 계정으로 계속'],
  },
};

const VALUES: Readonly<Record<string, Readonly<Record<string, Named>>>> = {
  microsoft365: {
    'credential.kind': {
      clientSecret: ['Client secret', '클라이언트 암호'],
      certificate: ['Certificate', '인증서'],
      managedIdentity: ['Managed identity', '관리 ID'],
      federated: ['Workload identity federation', '워크로드 ID 페더레이션'],
    },
    cloud: {
      global: ['Worldwide', '전 세계'],
      usgov: ['US Government', '미국 정부'],
      usgovdod: ['US Government DoD', '미국 국방부'],
      china: ['China (21Vianet)', '중국(21Vianet)'],
    },
    'scope.mode': {
      full: ['Everybody in the tenant', '테넌트 전체'],
      groups: ['Only designated groups', '지정한 그룹만'],
    },
    'scope.nestedGroups': {
      include: ['Included as groups', '그룹으로 포함'],
      flatten: ['Members only, as members of the picked group', '구성원만, 선택한 그룹의 구성원으로'],
      ignore: ['Left out', '제외'],
    },
    'scope.groupTypes': {
      security: ['Security groups', '보안 그룹'],
      mailEnabledSecurity: ['Mail-enabled security groups', '메일 사용 가능 보안 그룹'],
      distribution: ['Distribution lists', '배포 목록'],
      microsoft365: ['Microsoft 365 groups', 'Microsoft 365 그룹'],
    },
    'scope.dynamicMembership': IN_OR_OUT,
    'scope.domainMatch': {
      primary: ['The primary address', '기본 주소'],
      any: ['Any address, aliases too', '별칭을 포함한 모든 주소 중 하나'],
    },
    'scope.mailboxTypes': {
      user: ['Of people', '사용자 사서함'],
      linked: ['Linked to an account of another forest', '다른 포리스트의 계정에 연결된 사서함'],
      shared: ['Shared', '공유 사서함'],
      room: ['Rooms', '회의실'],
      equipment: ['Equipment', '장비'],
      others: ['Other kinds', '기타 유형'],
    },
    'scope.guests': IN_OR_OUT,
    'destination.match': {
      first: ['The first one counts', '첫 규칙만 적용'],
      all: ['All of them count', '모두 적용'],
    },
  },
  ldap: {
    preset: {
      activeDirectory: ['Active Directory', 'Active Directory'],
      openldap: ['OpenLDAP and alike', 'OpenLDAP 계열'],
    },
    'users.scope': DEPTHS,
    'groups.scope': DEPTHS,
    incremental: {
      auto: ['Read what changed', '변경된 항목 읽기'],
      off: ['Read everything each time', '매번 전체 읽기'],
    },
  },
  csv: {
    'source.kind': {
      upload: ['Uploaded here', '여기에서 업로드'],
      folder: ['A folder on the gateway', '게이트웨이의 폴더'],
      url: ['An https address', 'https 주소'],
    },
    'format.encoding': {
      auto: ['Found by itself', '자동 감지'],
      'utf-8': ['UTF-8', 'UTF-8'],
      'utf-16le': ['UTF-16 LE', 'UTF-16 LE'],
      'utf-16be': ['UTF-16 BE', 'UTF-16 BE'],
      cp949: ['CP949 (Korean Windows)', 'CP949(한국어 Windows)'],
      'windows-1252': ['Windows-1252 (Western Windows)', 'Windows-1252(서유럽 Windows)'],
    },
    'format.delimiter': { auto: ['Found by itself', '자동 감지'] },
    'format.onBadLine': {
      removeNobody: ['Nobody is removed', '아무도 제거하지 않음'],
      skip: ['The line is passed over', '해당 줄 건너뛰기'],
    },
  },
};

/** Undefined for a path that no setting of the kind has. */
export function settingName(kind: string, path: string): Pair | undefined {
  return NAMES[kind]?.[path] ?? SHARED[path];
}

/** Undefined for a value that is shown as it is. */
export function settingValue(kind: string, path: string, value: unknown): Pair | undefined {
  return (VALUES[kind]?.[path] ?? SHARED_VALUES[path])?.[String(value)];
}
