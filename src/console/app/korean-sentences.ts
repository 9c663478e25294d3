// What the gateway says in sentences that have no code, in Korean: what it demands of a record, and what the doctor and the
// connection tests found. `{name}` stands for what differs. Loaded only for those who read Korean.

const SENTENCES: Readonly<Record<string, string>> = {
  // What a scope and a mapping demand.
  'no guest': '게스트가 아님',
  'an address that does not end in onmicrosoft.com': 'onmicrosoft.com으로 끝나지 않는 주소',
  'a primary address in {domains}': '기본 주소의 도메인: {domains}',
  'an address in {domains}': '주소 중 하나의 도메인: {domains}',
  'a licence with a mailbox, or a mailbox that needs none': '사서함이 포함된 라이선스 또는 라이선스가 필요 없는 사서함',
  'a mailbox': '사서함',
  'no mailbox, or one of these: {types}': '사서함이 없거나 다음 중 하나: {types}',
  'no mailbox': '사서함 없음',
  'one of these types: {types}': '다음 유형 중 하나: {types}',
  none: '없음',
  'of people': '사용자 사서함',
  'linked to another forest': '다른 포리스트에 연결된 사서함',
  shared: '공유 사서함',
  'of rooms': '회의실',
  'of equipment': '장비',
  'of other kinds': '기타 유형',
  'security groups': '보안 그룹',
  'mail-enabled security groups': '메일 사용 가능 보안 그룹',
  'distribution lists': '배포 목록',
  'Microsoft 365 groups': 'Microsoft 365 그룹',
  'members that are assigned': '할당된 구성원',
  'one of the groups {groups}, themselves and not by a group in them':
    '다음 그룹 중 하나의 직접 구성원(하위 그룹 제외): {groups}',
  'one of the groups {groups}, at most {n} groups below': '다음 그룹 중 하나 또는 그 아래 {n}단계까지: {groups}',
  'one of the groups {groups}': '다음 그룹 중 하나: {groups}',
  'all that SCIM demands, in text that it can carry': 'SCIM에 필요한 모든 값과 SCIM으로 나타낼 수 있는 텍스트',
  'all that SCIM demands': 'SCIM에 필요한 모든 값',
  'a word in the column "active" that means yes or no': '"active" 열에서 예 또는 아니요를 뜻하는 단어',
  'a line that can be read': '읽을 수 있는 줄',
  '{filter}, for some groups': '{filter}(그룹에 따라)',
  // Settings under a name.
  'Everything with a mailbox, at once': '사서함이 있는 모든 항목을 바로',
  'All users with an Exchange licence, all shared mailboxes, rooms and equipment, all groups. The first run starts and applies by itself; changes follow by notification, everything is read daily.':
    'Exchange 라이선스가 있는 모든 사용자, 모든 공유 사서함·회의실·장비, 모든 그룹. 첫 실행이 자동으로 시작되어 적용되고 이후 변경은 알림으로 반영되며 매일 전체를 읽습니다.',
  'Users with their security and mail groups': '사용자와 보안·메일 그룹',
  'The whole directory, or designated groups with the groups in them; Microsoft 365 groups stay out. Nothing happens before a preview; a daily run is switched on afterwards.':
    '전체 디렉터리 또는 지정한 그룹과 그 하위 그룹. Microsoft 365 그룹은 제외합니다. 미리 보기 전에는 아무것도 바뀌지 않으며 그 뒤에 매일 실행을 켭니다.',
  'Accounts that are suspended, never deleted': '계정을 삭제하지 않고 사용 중지',
  'All kinds of groups with their direct members; groups in groups are not followed. Whoever leaves is suspended. More than 10 % of one kind of change waits for a person.':
    '모든 종류의 그룹과 직접 구성원. 그룹 안의 그룹은 따라가지 않습니다. 나간 사용자는 사용 중지됩니다. 한 종류의 변경이 10%를 넘으면 사람의 확인을 기다립니다.',
  'Every address of your domains': '도메인의 모든 주소',
  'Everybody with a mailbox, licensed or not, shared mailboxes, rooms and equipment with their mark, all of them in the group "Main"; no onmicrosoft.com addresses. Whoever loses the mailbox is removed. Enter your domains in scope.domains.':
    '라이선스와 관계없이 사서함이 있는 모든 사용자와 공유 사서함·회의실·장비(표시 포함)를 모두 "Main" 그룹에 넣습니다. onmicrosoft.com 주소는 제외합니다. 사서함을 잃은 사용자는 제거됩니다. 다음 단계에 도메인을 입력하세요.',
  // The process and its machine.
  'It runs: this is what it says of itself.': '실행 중이며 스스로 보고한 내용입니다.',
  'It answers at {url} and is ready.': '{url}에서 응답하며 준비되어 있습니다.',
  'It is not ready. {checks}': '준비되지 않았습니다. {checks}',
  'Look at the log of the gateway.': '게이트웨이의 로그를 확인하세요.',
  'Nothing answers at {url}.': '{url}에서 응답이 없습니다.',
  'Others reach the gateway at {url}.': '외부에서 {url}(으)로 게이트웨이에 접근합니다.',
  'It is not set': '설정되지 않았습니다',
  'It is not https': 'https가 아닙니다',
  '{what}, and HOST is {host}: links in messages lead to this machine, and Microsoft 365 cannot notify of changes.':
    '{what}. HOST가 {host}이므로 메시지의 링크가 이 컴퓨터를 가리키고 Microsoft 365가 변경을 알릴 수 없습니다.',
  'Set PUBLIC_URL to the https address of the proxy in front of the gateway.':
    'PUBLIC_URL에 게이트웨이 앞 프록시의 https 주소를 지정하세요.',
  'The data is in PostgreSQL.': '데이터는 PostgreSQL에 있습니다.',
  '{free} of {all} are free where DATA_DIR is.': 'DATA_DIR이 있는 곳에 {all} 중 {free}의 여유가 있습니다.',
  'Make room: the database stops writing when there is none.':
    '공간을 확보하세요. 공간이 없으면 데이터베이스가 쓰기를 멈춥니다.',
  'Data of {version}; this process runs in {zone}.': '{version} 데이터이며 이 프로세스의 표준 시간대는 {zone}입니다.',
  'No data of {zones}.': '{zones}의 데이터가 없습니다.',
  'Use a Node.js with full ICU data, as the official ones have.':
    '공식 배포판처럼 ICU 데이터가 모두 있는 Node.js를 사용하세요.',
  'Use Node.js 24 or later.': 'Node.js 24 이상을 사용하세요.',
  // The database.
  '{server}, schema "{schema}", {size} MiB.': '{server}, 스키마 "{schema}", {size} MiB.',
  '{ms} ms {way} this machine.': '이 컴퓨터보다 {ms} ms {way}.',
  behind: '늦습니다',
  'ahead of': '빠릅니다',
  'Let both machines follow the same time server (NTP).': '두 컴퓨터가 같은 시간 서버(NTP)를 사용하게 하세요.',
  'The database is empty.': '데이터베이스가 비어 있습니다.',
  'The database is empty, and has no schema that the search_path of the role names.':
    '데이터베이스가 비어 있고, 역할의 search_path가 가리키는 스키마가 없습니다.',
  'The database is empty, and the role may not make tables in the schema "{schema}".':
    '데이터베이스가 비어 있고, 역할에 스키마 "{schema}"에 테이블을 만들 권한이 없습니다.',
  'Make the role the owner of its database, or of a schema that its search_path names.':
    '그 역할을 데이터베이스의 소유자로, 또는 search_path가 가리키는 스키마의 소유자로 만드세요.',
  'Start the gateway, or npm run migrate.': '게이트웨이를 시작하거나 npm run migrate를 실행하세요.',
  'A later release has taken away what this one needs: {names}.':
    '더 새로운 버전이 이 버전에 필요한 항목을 없앴습니다: {names}.',
  'A later release has added: {names}.': '더 새로운 버전이 추가한 항목이 있습니다: {names}.',
  'Start that release or a later one.': '그 버전 이상으로 시작하세요.',
  'The schema is that of this release.': '스키마가 이 버전의 것입니다.',
  'Pending: {names}.': '적용 대기 중: {names}.',
  'UTF8; the collation of the system was {before} and is {now} now.':
    'UTF8입니다. 시스템의 데이터 정렬이 {before}에서 {now}(으)로 바뀌었습니다.',
  'It is {encoding}.': '{encoding}입니다.',
  'Make the database with encoding UTF8, and move the data there.':
    'UTF8 인코딩으로 데이터베이스를 만들고 데이터를 옮기세요.',
  'REINDEX DATABASE, then ALTER DATABASE … REFRESH COLLATION VERSION. (Keys of Sluice use collation "C" and are not affected.)':
    'REINDEX DATABASE를 실행한 다음 ALTER DATABASE … REFRESH COLLATION VERSION을 실행하세요. (Sluice의 키는 "C" 정렬을 사용하므로 영향이 없습니다.)',
  'UTF8.': 'UTF8입니다.',
  'A round trip takes {ms} ms.': '왕복에 {ms} ms 걸립니다.',
  'Run the gateway near its database: a sync makes thousands of round trips.':
    '동기화는 수천 번 왕복하므로 게이트웨이를 데이터베이스 가까이에서 실행하세요.',
  'No writing transaction is old.': '오래된 쓰기 트랜잭션이 없습니다.',
  'One has been writing for {n} s.': '한 트랜잭션이 {n}초 동안 쓰고 있습니다.',
  'Look at pg_stat_activity: while it is open, in whatever database of the server, apps are told of no change.':
    'pg_stat_activity를 확인하세요. 서버의 어느 데이터베이스에서든 열려 있는 동안에는 앱에 변경을 알리지 않습니다.',
  'No table has many dead rows.': '불필요한 행이 많은 테이블이 없습니다.',
  'Many dead rows: {tables}.': '불필요한 행이 많습니다: {tables}.',
  'Check that autovacuum is on and keeps up.': 'autovacuum이 켜져 있고 제때 처리하는지 확인하세요.',
  // Sealed credentials.
  'SECRET_KEY is not set, and there is no secret.key in DATA_DIR.':
    'SECRET_KEY가 설정되지 않았고 DATA_DIR에 secret.key도 없습니다.',
  'Give the key that the gateway has.': '게이트웨이가 사용하는 키를 지정하세요.',
  'It is the key of this database.': '이 데이터베이스의 키입니다.',
  'Nothing is sealed in this database yet.': '이 데이터베이스에는 아직 봉인된 값이 없습니다.',
  'It is not the key that sealed what is in this database; no gateway starts with it.':
    '이 데이터베이스의 값을 봉인한 키가 아니며, 이 키로는 게이트웨이가 시작되지 않습니다.',
  'Give the key of before. If it is lost, npm run reseal -- --key-lost takes this one.':
    '이전 키를 지정하세요. 분실했다면 npm run reseal -- --key-lost로 이 키를 받아들일 수 있습니다.',
  'All {n} can be opened with the keys given.': '{n}개 모두 지정된 키로 열 수 있습니다.',
  '{closed} of {n} cannot be opened: {places}.': '{n}개 중 {closed}개를 열 수 없습니다: {places}.',
  'Give the SECRET_KEY that sealed them, or add it to SECRET_KEYS_ACCEPTED; or save those credentials again.':
    '봉인에 사용한 SECRET_KEY를 지정하거나 SECRET_KEYS_ACCEPTED에 추가하거나 해당 자격 증명을 다시 저장하세요.',
  // The source.
  'None is active.': '활성 소스가 없습니다.',
  'Set one up in the console.': '콘솔에서 소스를 설정하세요.',
  'Missing: {names}.': '없는 권한: {names}.',
  'Grant them in Entra: {url}.': 'Entra에서 부여하세요: {url}.',
  'Grant them in Entra.': 'Entra에서 부여하세요.',
  'More than is needed: {names}.': '필요 이상의 권한: {names}.',
  'Take back what nothing uses.': '사용하지 않는 권한을 회수하세요.',
  'All that is needed, and nothing more.': '필요한 권한만 있습니다.',
  'The token endpoint does not tell its time.': '토큰 엔드포인트가 시각을 알려 주지 않습니다.',
  'The token endpoint is {n} s {way} this machine.': '토큰 엔드포인트가 이 컴퓨터보다 {n}초 {way}.',
  'Set the clock of this machine (NTP): tokens are refused otherwise.':
    '이 컴퓨터의 시계를 맞추세요(NTP). 그렇지 않으면 토큰이 거부됩니다.',
  '{kind} has not run yet.': '{kind}: 아직 실행된 적이 없습니다.',
  '{kind} {status}, {n} minutes ago. {message}': '{kind}: {n}분 전 {status}. {message}',
  '{kind} {status}, {n} minutes ago.': '{kind}: {n}분 전 {status}.',
  'Its plan waits for your decision.': '계획이 결정을 기다리고 있습니다.',
  queued: '대기 시작',
  running: '실행 시작',
  held: '보류',
  succeeded: '성공',
  failed: '실패',
  cancelled: '중지',
  abandoned: '중단',
  incomplete: '일부 완료',
  // Ways out.
  'It is paused.': '일시 중지되어 있습니다.',
  'It is quarantined.': '격리되어 있습니다.',
  'It is disabled.': '꺼져 있습니다.',
  'Test it in the console; what was wrong is told there.': '콘솔에서 테스트하세요. 무엇이 잘못되었는지 표시됩니다.',
  '{n} deliveries were given up.': '전송 {n}건을 포기했습니다.',
  'Look at them in the console, mend the cause, and send them again.':
    '콘솔에서 확인하고 원인을 고친 뒤 다시 보내세요.',
  'It answers, and takes our credential.': '응답하며 자격 증명을 받아들입니다.',
  'It was switched off: {reason}.': '꺼졌습니다: {reason}.',
  'Mend the receiver, then switch it on again.': '수신자를 고친 다음 다시 켜세요.',
  'The last {n} tries failed.': '최근 {n}번의 시도가 실패했습니다.',
  'Look at the log of the receiver.': '수신자의 로그를 확인하세요.',
  '{n} messages were given up.': '메시지 {n}개를 포기했습니다.',
  'Replay them in the console.': '콘솔에서 다시 보내세요.',
  'Nothing has failed.': '실패가 없습니다.',
  'None was given up within a week.': '일주일 동안 포기한 메시지가 없습니다.',
  '{n} were given up within a week.': '일주일 동안 {n}개를 포기했습니다.',
  'Send a test message in the console.': '콘솔에서 테스트 메시지를 보내세요.',
  // Connection tests.
  'Microsoft gave an access token.': 'Microsoft가 액세스 토큰을 발급했습니다.',
  'Users can be read.': '사용자를 읽을 수 있습니다.',
  'Groups can be read. Microsoft Graph does not show dynamic distribution lists, so those do not come in.':
    '그룹을 읽을 수 있습니다. Microsoft Graph는 동적 배포 목록을 보여 주지 않으므로 가져오지 않습니다.',
  'Members of groups can be read.': '그룹의 구성원을 읽을 수 있습니다.',
  'There is no group whose members could be read.': '구성원을 읽을 수 있는 그룹이 없습니다.',
  'Not tried, since {why}.': '시도하지 않음: {why}.',
  'there is no access token': '액세스 토큰이 없습니다',
  'there is no connection': '연결이 없습니다',
  'Microsoft Graph cannot be reached': 'Microsoft Graph에 연결할 수 없습니다',
  'The directory of tenant "{tenant}" is read from {host}, with a client secret.':
    '테넌트 "{tenant}"의 디렉터리를 {host}에서 클라이언트 암호로 읽습니다.',
  'The directory of tenant "{tenant}" is read from {host}, with a client secret that is valid until {until}.':
    '테넌트 "{tenant}"의 디렉터리를 {host}에서 {until}까지 유효한 클라이언트 암호로 읽습니다.',
  'The directory of tenant "{tenant}" is read from {host}, with a certificate that is valid until {until}.':
    '테넌트 "{tenant}"의 디렉터리를 {host}에서 {until}까지 유효한 인증서로 읽습니다.',
  'The directory of tenant "{tenant}" is read from {host}, with the managed identity of this machine.':
    '테넌트 "{tenant}"의 디렉터리를 {host}에서 이 컴퓨터의 관리 ID로 읽습니다.',
  'The directory of tenant "{tenant}" is read from {host}, with the token in "{file}".':
    '테넌트 "{tenant}"의 디렉터리를 {host}에서 "{file}"의 토큰으로 읽습니다.',
  'The token is for tenant {id}: "{name}".': '토큰의 테넌트는 {id}("{name}")입니다.',
  '{known}. Its name is not read without Organization.Read.All, which is optional.':
    '{known}. 이름은 선택 사항인 Organization.Read.All 권한이 없어 읽지 않습니다.',
  '{known}. Its name could not be read.': '{known}. 이름을 읽을 수 없습니다.',
  'The token is for tenant {id}.': '토큰의 테넌트는 {id}입니다.',
  'The token is for tenant {id}': '토큰의 테넌트는 {id}입니다',
  'The certificate expired on {date}.': '인증서가 {date}에 만료되었습니다.',
  'Make a new one, upload it to the app registration, and enter it here with its key.':
    '새 인증서를 만들어 앱 등록에 업로드하고 키와 함께 여기에 입력하세요.',
  'The certificate is not valid before {date}.': '인증서는 {date}부터 유효합니다.',
  'Wait until then, or set the clock of this machine right.': '그때까지 기다리거나 이 컴퓨터의 시계를 맞추세요.',
  'The client secret expired on {date}, as credential.expiresAt says.':
    'credential.expiresAt에 따르면 클라이언트 암호가 {date}에 만료되었습니다.',
  'Make a new one under "Certificates & secrets" of the app registration, and enter it with its date.':
    '앱 등록의 "인증서 및 암호"에서 새로 만들고 만료일과 함께 입력하세요.',
  'The token does not name its tenant: "{name}".': '토큰에 테넌트 ID가 없습니다. 이름은 "{name}"입니다.',
  'The token does not name its tenant.': '토큰에 테넌트 ID가 없습니다.',
  'The token does not name its tenant': '토큰에 테넌트 ID가 없습니다',
  'The access token does not say what it grants.': '액세스 토큰에 부여된 권한이 나와 있지 않습니다.',
  'Look under "API permissions" of the app registration.': '앱 등록의 "API 권한"을 확인하세요.',
  'The access token names no permission; the checks below show what it may read.':
    '액세스 토큰에 권한이 나와 있지 않습니다. 읽을 수 있는 항목은 아래 확인에서 알 수 있습니다.',
  'All {n} permissions that the settings need are granted.': '설정에 필요한 권한 {n}개가 모두 부여되었습니다.',
  'Not among the permissions: {names}. The checks below show what its role lets it read.':
    '권한 목록에 없음: {names}. 역할로 무엇을 읽을 수 있는지는 아래 확인에 나옵니다.',
  'The application lacks {names}.': '애플리케이션에 없는 권한: {names}.',
  'Add what is missing, and let a global administrator or a privileged role administrator grant it: {url}':
    '없는 권한을 추가하고 전역 관리자 또는 권한 있는 역할 관리자가 부여하게 하세요: {url}',
  'Addresses of any domain are accepted.': '모든 도메인의 주소를 허용합니다.',
  'Whether the domains belong to the tenant is not read without Organization.Read.All, which is optional.':
    '선택 사항인 Organization.Read.All 권한이 없어 도메인이 테넌트에 속하는지 읽지 않습니다.',
  'All {n} accepted domains belong to the tenant.': '허용한 도메인 {n}개가 모두 테넌트에 속합니다.',
  'The tenant has no verified domain {names}.': '테넌트에 확인된 도메인이 없습니다: {names}.',
  'Correct scope.domains, or verify the domain in Microsoft 365. The tenant has {names}.':
    'scope.domains를 고치거나 Microsoft 365에서 도메인을 확인하세요. 테넌트의 도메인: {names}.',
  'There are people with a mailbox.': '사서함이 있는 사용자가 있습니다.',
  'None of {n} people looked at has a mailbox; the settings do not ask for one.':
    '확인한 사용자 {n}명 중 사서함이 있는 사람이 없습니다. 설정에서 사서함을 요구하지는 않습니다.',
  'None of {n} people looked at has a mailbox, and the settings want one.':
    '확인한 사용자 {n}명 중 사서함이 있는 사람이 없는데 설정에서 사서함을 요구합니다.',
  'Give people a licence with Exchange Online, or set scope.requireMailbox to false.':
    '사용자에게 Exchange Online이 포함된 라이선스를 주거나 scope.requireMailbox를 false로 설정하세요.',
  'The group "{name}" is in the recycle bin.': '"{name}" 그룹이 휴지통에 있습니다.',
  'Restore it in Entra, or select another.': 'Entra에서 복원하거나 다른 그룹을 선택하세요.',
  'There is no group {id} in the tenant.': '테넌트에 {id} 그룹이 없습니다.',
  'Select a group that is there; it may have been deleted.': '삭제되었을 수 있습니다. 있는 그룹을 선택하세요.',
  'The group {id} cannot be read ({status}).': '{id} 그룹을 읽을 수 없습니다({status}).',
  'Grant GroupMember.Read.All, and try again.': 'GroupMember.Read.All 권한을 부여하고 다시 시도하세요.',
  'The group "{name}" is of a kind that the scope leaves out ({what}).':
    '"{name}" 그룹은 범위에서 제외되는 종류입니다({what}).',
  'dynamic membership': '동적 구성원',
  'Add its type to scope.groupTypes, or include dynamic membership, or select another group.':
    'scope.groupTypes에 해당 유형을 추가하거나 동적 구성원 그룹을 포함하거나 다른 그룹을 선택하세요.',
  'The group "{name}" is empty, so nobody comes in by it.':
    '"{name}" 그룹이 비어 있어 이 그룹으로 들어오는 사용자가 없습니다.',
  'The group "{name}" has an unknown number of members.': '"{name}" 그룹의 구성원 수를 알 수 없습니다.',
  'The group "{name}" hides its members, who come in with Member.Read.Hidden only.':
    '"{name}" 그룹은 구성원을 숨깁니다. 구성원은 Member.Read.Hidden 권한이 있어야 가져올 수 있습니다.',
  'The group "{name}" has {n} members.': '"{name}" 그룹의 구성원은 {n}명입니다.',
  'Connected to "{host}" {how}, {who}.': '"{host}"에 {how} {who} 연결했습니다.',
  'over TLS': 'TLS로',
  'with StartTLS': 'StartTLS로',
  UNENCRYPTED: '암호화 없이',
  anonymously: '익명으로',
  'as "{dn}"': '"{dn}" 계정으로',
  'Groups are not read: the settings have no "groups".': '그룹을 읽지 않습니다. 설정에 "groups"가 없습니다.',
  'No users are found below "{base}".': '"{base}" 아래에 사용자가 없습니다.',
  'No groups are found below "{base}".': '"{base}" 아래에 그룹이 없습니다.',
  'Check {base}.base and {search}.filter, and that the account may read them. The filter is {filter}.':
    '{base}.base와 {search}.filter를 확인하고 계정에 읽기 권한이 있는지 확인하세요. 필터: {filter}.',
  'Users can be read, such as "{dn}".': '사용자를 읽을 수 있습니다. 예: "{dn}".',
  'Groups can be read, such as "{dn}".': '그룹을 읽을 수 있습니다. 예: "{dn}".',
  '"{dn}" has no "{anchor}", by which it would be known for ever.':
    '"{dn}"에 항목을 영구히 식별할 "{anchor}"이(가) 없습니다.',
  'Let the account read "{anchor}", choose the preset of the server, or name another attribute as anchor.':
    '계정이 "{anchor}"을(를) 읽게 하거나 서버에 맞는 사전 설정을 고르거나 다른 특성을 anchor로 지정하세요.',
  'Members are not read: the settings have no "groups".': '구성원을 읽지 않습니다. 설정에 "groups"가 없습니다.',
  'No group shows a member in "{attribute}".': '"{attribute}"에 구성원이 있는 그룹이 없습니다.',
  'If groups have members, let the account read them, or set memberAttribute to where they are.':
    '그룹에 구성원이 있다면 계정이 읽게 하거나 memberAttribute를 구성원이 있는 특성으로 설정하세요.',
  'Members can be read, such as those of "{dn}".': '구성원을 읽을 수 있습니다. 예: "{dn}"의 구성원.',
  'the step before failed': '이전 단계가 실패했습니다',
  'Files: {files}.': '파일: {files}.',
  'Read: {files}.': '읽음: {files}.',
  'Columns, set apart by {delimiter}: {names}. Groups are a column.':
    '{delimiter}(으)로 구분된 열: {names}. 그룹 열이 있습니다.',
  'Columns, set apart by {delimiter}: {names}.': '{delimiter}(으)로 구분된 열: {names}.',
  'Check that the gateway may read the file, then try again.':
    '게이트웨이가 파일을 읽을 수 있는지 확인한 다음 다시 시도하세요.',
  'Everybody that the identity provider writes comes in; as it was written.':
    'ID 공급자가 기록하는 모든 사용자가 기록된 그대로 들어옵니다.',
  'Everybody that the identity provider writes comes in; {n} rule(s) map users.':
    'ID 공급자가 기록하는 모든 사용자가 들어오며 사용자 매핑 규칙은 {n}개입니다.',
  'The scope filters can be used; as it was written.': '범위 필터를 사용할 수 있으며 기록된 그대로 들어옵니다.',
  'The scope filters can be used; {n} rule(s) map users.':
    '범위 필터를 사용할 수 있으며 사용자 매핑 규칙은 {n}개입니다.',
  'No settings are saved.': '저장된 설정이 없습니다.',
  'The identity provider has not written while it was active.': '활성 상태인 동안 ID 공급자가 기록한 적이 없습니다.',
  'Last write at {time}.': '마지막 쓰기: {time}.',
  'No app has a token with the scope "scim:write".': '"scim:write" 범위의 토큰이 있는 앱이 없습니다.',
  '{n} token may write; last used {time}.': '쓸 수 있는 토큰 {n}개, 마지막 사용: {time}.',
  '{n} tokens may write; last used {time}.': '쓸 수 있는 토큰 {n}개, 마지막 사용: {time}.',
  never: '없음',
  'Make an app for the identity provider, and a token of it with the scope "scim:write".':
    'ID 공급자용 앱을 만들고 "scim:write" 범위의 토큰을 만드세요.',
  'Nothing was written while this provider was active.': '이 소스가 활성인 동안 기록된 것이 없습니다.',
  'Activate it, and let the identity provider write to {url}.': '이 소스를 켜고 ID 공급자가 {url}에 기록하게 하세요.',
  'There was no answer in time.': '제시간에 응답이 없습니다.',
  'The check failed for a reason that is not known.': '알 수 없는 이유로 확인에 실패했습니다.',
  'Check the network and the settings, then try again.': '네트워크와 설정을 확인한 다음 다시 시도하세요.',
  'The target answers with a SCIM list and takes the credential.':
    '대상이 SCIM 목록으로 응답하며 자격 증명을 받아들입니다.',
  'It says that it supports: {what}.': '지원한다고 응답한 기능: {what}.',
  'It does not filter; everybody is read once instead.': '필터를 지원하지 않아 대신 모두를 한 번 읽습니다.',
  'A look-up of somebody who cannot be there finds nobody, as it should.':
    '있을 수 없는 사용자를 조회하면 예상대로 아무도 없습니다.',
};

/** Areas of the doctor's report, and what it looks at there; names of apps and variables stay as they are. */
export const KOREAN_FINDINGS: Readonly<Record<string, string>> = {
  ...{ Process: '프로세스', Database: '데이터베이스', Secrets: '비밀', Source: '소스', Targets: '푸시 대상' },
  ...{ 'Webhooks and streams': '웹후크 및 이벤트 토큰', Messages: '메시지', examination: '점검' },
  ...{ gateway: '게이트웨이', disk: '디스크', 'time zones': '표준 시간대', server: '서버', clock: '시계' },
  ...{
    migrations: '마이그레이션',
    encoding: '인코딩',
    distance: '거리',
    transactions: '트랜잭션',
    bloat: '불필요한 행',
  },
  ...{ 'sealed credentials': '봉인된 자격 증명', provider: '소스', 'last run': '마지막 실행', settings: '설정' },
  ...{ permissions: '권한', connection: '연결', 'to people': '사람에게' },
};

interface Template {
  readonly pattern: RegExp;
  readonly korean: string;
}

const TEMPLATES: readonly Template[] = Object.entries(SENTENCES)
  .filter(([english]) => english.includes('{'))
  .map(([english, korean]) => ({
    pattern: new RegExp(
      `^${english.replaceAll(/[.*+?^$()[\]|\\]/g, String.raw`\$&`).replaceAll(/\{(\w+)\}/g, '(?<$1>.+?)')}$`,
      's',
    ),
    korean,
  }));

/** The same sentence in Korean; undefined for one that is not known here. */
export function sentenceInKorean(english: string): string | undefined {
  const whole = SENTENCES[english];
  if (whole !== undefined) return whole;
  for (const { pattern, korean } of TEMPLATES) {
    const found = pattern.exec(english)?.groups;
    if (found !== undefined)
      return korean.replaceAll(/\{(\w+)\}/g, (_all, name: string) => {
        const part = found[name] ?? '';
        return sentenceInKorean(part) ?? listInKorean(part) ?? part;
      });
  }
  return undefined;
}

/** A list of which everything is known. */
function listInKorean(list: string): string | undefined {
  const parts = list.split(', ').map((part) => SENTENCES[part]);
  return parts.every((part) => part !== undefined) ? parts.join(', ') : undefined;
}
