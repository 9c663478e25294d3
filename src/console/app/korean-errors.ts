// What the gateway's refusals and failures say in Korean, by code: what happened, and what to do where something can be done.
// Loaded only for those who read Korean. A test holds it to docs/troubleshoot.md, which lists every code of the source.
import type { Problem, RunError } from '../api/types.ts';

/** What a refusal holds, as far as it came. */
export type Refused = Partial<Problem> & Readonly<Record<string, unknown>>;

export type Said = readonly [what: string, remedy?: string];

const LATER = '잠시 후 다시 시도하세요.';
const RUN_AGAIN = '다시 실행하세요. 반복되면 소스 서버와 네트워크를 확인하세요.';
const SOURCE_SETTINGS = '소스 설정을 확인하고 연결을 다시 확인하세요.';
const FIELDS = '표시된 항목을 고치세요.';
const LIST_AGAIN = '목록을 새로 고쳐 다시 확인하세요.';

const GRAPH_ANSWER: Said = [
  'Microsoft Graph의 응답이 온전하지 않습니다.',
  '다시 실행하세요. 반복되면 게이트웨이와 Microsoft Graph 사이에 프록시가 있는지 확인하세요.',
];
const SIGN_IN_AGAIN = '테넌트의 전역 관리자 또는 권한 있는 역할 관리자로 다시 로그인하세요.';
const NEW_SECRET = '앱 등록의 "인증서 및 비밀"에서 새 클라이언트 암호를 만들어 그 값을 입력하세요.';
const CHECK_TENANT = '테넌트 ID와 클라우드를 확인하세요. ID는 Microsoft Entra 개요 페이지에 있습니다.';
const CHECK_APPLICATION =
  '클라이언트 ID와 테넌트 ID를 확인하세요. 애플리케이션은 이 테넌트에 등록되었거나 동의를 받아야 합니다.';
const FEDERATION = '앱 등록에 토큰의 발급자, 주체, 대상과 같은 페더레이션 자격 증명을 추가하세요.';
const START_AGAIN = '연결을 처음부터 다시 시작하세요.';

export const KOREAN_ERRORS: Readonly<Record<string, Said>> = {
  'not-removed': ['이 항목은 제거되지 않았습니다.', '할 일이 없습니다.'],
  'not-supported': ['이 소스에서는 조회할 수 없는 정보입니다.'],
  'nothing-to-resend': ['이 앱에는 보낼 방법이 없습니다.', '먼저 푸시, 웹후크 또는 이벤트 토큰을 설정하세요.'],
  'resend-too-large': [
    '그 이후 변경된 사용자와 그룹이 너무 많습니다.',
    '더 늦은 시각을 지정하거나, 푸시 대상은 비교를 실행하고 스트림은 스냅숏부터 다시 시작하세요.',
  ],
  'source-group-not-found': ['소스에 이 그룹이 없습니다.', '다시 조회하세요. ID는 "anchor"에 지정한 속성의 값입니다.'],
  'source-would-remove': [
    '활성 소스가 다음 동기화 때 이 항목을 다시 제거합니다.',
    '소스에서 되돌리면 다음 동기화가 같은 ID로 복원합니다. 제거한 실행을 취소하면 해제할 때까지 유지됩니다.',
  ],
  'unknown-parameter': ['여기에는 그런 매개변수가 없습니다.', '그 매개변수를 빼거나 있는 매개변수를 사용하세요.'],
  unreachable: ['연결할 수 없습니다.', '주소가 맞는지, 게이트웨이에서 그 주소에 접근할 수 있는지 확인하세요.'],
  internal: ['게이트웨이 내부 오류입니다.', '다시 시도하세요. 반복되면 요청 ID와 함께 관리자에게 알려 주세요.'],
  'access-refused': [
    '계정에 이 작업의 권한이 없습니다.',
    '계정이 기준 DN 아래의 항목과 매핑에 쓰는 모든 속성을 읽을 수 있게 하세요.',
  ],
  'address-refused': ['사용할 수 없는 주소입니다.', '공개 주소를 가진 호스트의 https URL을 입력하세요.'],
  'already-linked': [
    '앱의 이 항목은 이미 다른 사용자 또는 그룹에 연결되어 있습니다.',
    '일치 기준 속성의 값을 서로 다르게 하거나 둘 중 하나를 범위에서 제외하세요.',
  ],
  'ambiguous-match': ['앱에서 여러 항목이 일치합니다.', '앱에서 하나만 남기거나 다른 일치 속성을 선택하세요.'],
  'account-state-hidden': [
    '사용 중지 여부를 알려 주는 속성이 더 이상 보이지 않습니다.',
    '계정이 그 속성을 읽을 수 있게 하거나 "active" 규칙을 직접 지정하세요.',
  ],
  'anchor-missing': [
    '항목을 식별하는 속성이 없는 레코드가 있습니다.',
    '계정이 그 속성을 읽을 수 있게 하거나 모든 항목에 있는 다른 식별 속성을 지정하세요.',
  ],
  'anchor-not-unique': [
    '식별 속성의 값이 같은 항목이 둘 있습니다.',
    '항목마다 값이 다른 속성을 식별 속성으로 지정하세요.',
  ],
  'another-provider-active': [
    '다른 소스가 활성 상태이며 하나만 활성화할 수 있습니다.',
    '전환의 영향을 먼저 확인하거나 현재 소스를 끄세요.',
  ],
  'answer-too-large': [
    'Microsoft Graph의 응답이 너무 큽니다.',
    '게이트웨이와 Microsoft Graph 사이의 프록시를 확인하세요.',
  ],
  'app-name-taken': ['같은 이름의 앱이 이미 있습니다.', '다른 이름을 선택하거나 그 이름을 가진 앱을 변경하세요.'],
  'app-not-found': ['그런 앱이 없습니다.', LIST_AGAIN],
  'attribute-missing': ['필수 속성이 없습니다.', '필요한 값을 입력하세요.'],
  'bad-lines': ['읽을 수 없는 줄이 너무 많습니다.', '실행에 표시된 줄을 고치거나 잘못된 줄을 건너뛰도록 설정하세요.'],
  'base-missing': [
    '서버에 기준 DN이 없거나 이 계정에 보이지 않습니다.',
    '기준 DN을 고치거나 계정이 읽을 수 있게 하세요.',
  ],
  'batch-unanswered': ['Microsoft Graph가 일괄 요청의 일부에 응답하지 않았습니다.', RUN_AGAIN],
  'belongs-to-run': ['실행이 만든 변경입니다.', '그 실행을 되돌리세요.'],
  'bind-required': ['서버가 로그인 없이는 아무것도 보여 주지 않습니다.', '바인드 계정과 암호를 저장하세요.'],
  'body-missing': ['요청에 본문이 필요합니다.', FIELDS],
  'certificate-untrusted': [
    '서버의 인증서를 신뢰할 수 없습니다.',
    '인증서를 발급한 기관을 NODE_EXTRA_CA_CERTS에 지정하거나 인증서에 적힌 호스트 이름을 입력하세요.',
  ],
  'change-not-found': ['그런 변경이 없습니다.', LIST_AGAIN],
  'character-refused': ['저장할 수 없는 문자가 있습니다.', '그 문자를 빼고 다시 입력하세요.'],
  'checkpoint-expired': [
    '마지막으로 읽은 위치를 소스가 더 이상 알지 못합니다.',
    '다음 실행에서 전체를 다시 읽으므로 조치할 것이 없습니다.',
  ],
  'column-missing': ['파일에 필요한 열이 없습니다.', '설정의 열 항목에서 파일에 있는 열 이름을 지정하세요.'],
  config: ['설정이 올바르지 않습니다.', '설정을 확인하고 다시 저장하세요.'],
  conflict: ['기존 항목과 충돌합니다.', '현재 상태를 확인하고 다시 시도하세요.'],
  'consent-required': ['관리자가 아직 동의하지 않았습니다.', '다시 시작하여 Microsoft 페이지에서 권한을 승인하세요.'],
  'credentials-refused': ['자격 증명이 거부되었습니다.', '자격 증명을 확인하고 새로 입력하세요.'],
  'cross-site': ['콘솔에서 온 요청이 아닙니다.', '콘솔에서 다시 시도하거나 베어러 토큰을 사용하세요.'],
  'cursor-expired': ['이 위치 이후의 변경은 더 이상 보관되지 않습니다.', '처음부터 다시 조회하세요.'],
  'data-dir-broken': [
    '내장 데이터베이스를 열 수 없습니다.',
    '백업에서 폴더를 복원하거나 DATA_DIR을 새 폴더로 지정하세요.',
  ],
  'data-dir-in-use': [
    'DATA_DIR을 다른 프로세스가 사용 중입니다.',
    '다른 게이트웨이를 중지하거나 별도의 DATA_DIR을 지정하세요.',
  ],
  'data-dir-not-writable': [
    'DATA_DIR에 쓸 수 없습니다.',
    '게이트웨이를 실행하는 사용자에게 쓰기 권한을 주거나 다른 폴더를 지정하세요.',
  ],
  'database-busy': ['사용할 수 있는 데이터베이스 연결이 없습니다.', `${LATER} 반복되면 로그와 함께 알려 주세요.`],
  'database-forbidden': [
    'DATABASE_URL의 역할에 필요한 권한이 없습니다.',
    '그 역할을 데이터베이스의 소유자로, 또는 search_path가 가리키는 스키마와 복원된 것의 소유자로 만드세요.',
  ],
  'database-full': ['데이터베이스에 남은 공간이 없습니다.', '디스크 공간을 확보하세요. 이미 저장된 내용은 유지됩니다.'],
  'database-read-only': [
    '데이터베이스가 지금은 쓰기를 받지 않습니다.',
    '장애 조치가 끝날 때까지 기다리세요. 계속되면 DATABASE_URL을 주 서버로 바꾸세요.',
  ],
  'database-refused': [
    '데이터베이스 서버가 연결을 거부합니다.',
    'DATABASE_URL의 사용자, 암호, 데이터베이스, sslmode를 확인하세요.',
  ],
  'database-too-new': ['데이터베이스가 더 새로운 버전에서 변경되었습니다.', '그 버전 이상으로 시작하세요.'],
  'database-too-old': ['PostgreSQL 버전이 15보다 낮습니다.', 'DATABASE_URL을 PostgreSQL 15 이상으로 지정하세요.'],
  'database-too-slow': ['데이터베이스가 문장을 제시간에 끝내지 못했습니다.', LATER],
  'database-unreachable': [
    '데이터베이스에 연결할 수 없습니다.',
    '서버가 실행 중인지, 호스트와 포트가 맞는지 확인하세요.',
  ],
  'destination-not-saved': [
    '저장된 설정과 다른 곳으로 연결되는 설정입니다.',
    '관리자에게 이 설정의 테스트나 저장을 요청하세요.',
  ],
  'deletion-refused': [
    '앱이 이 항목을 삭제하지 않습니다.',
    '앱에서 직접 삭제하거나 삭제를 허용한 뒤 다시 보내세요. 떠난 항목을 앱에 남겨 두도록 설정할 수도 있습니다.',
  ],
  'delivery-not-found': ['그런 전송이 없습니다.', LIST_AGAIN],
  'digest-mismatch': ['파일이 Content-Digest와 다릅니다.', '파일을 다시 보내세요.'],
  'dispute-ambiguous': ['해당할 수 있는 계정이 여러 개입니다.', '어느 계정인지 선택하세요.'],
  'dispute-not-found': [
    '그런 미결 사항이 없습니다.',
    '실행에서 해결되었거나 한쪽이 사라졌습니다. 목록을 새로 고치세요.',
  ],
  'download-cut-off': ['파일을 받는 도중에 끊어졌습니다.', '다시 실행하세요. 반복되면 중간의 프록시를 확인하세요.'],
  'download-too-large': ['받은 파일이 너무 큽니다.', 'URL이 의도한 파일을 가리키는지 확인하세요.'],
  'duplicate-key': ['같은 키가 두 번 있습니다.', '하나만 남기세요.'],
  'encoding-unknown': [
    '파일의 문자 인코딩을 알 수 없습니다.',
    '파일을 UTF-8로 저장하거나, 서유럽 Windows에서 만든 파일이면 format.encoding을 "windows-1252"로 지정하세요.',
  ],
  'encryption-required': ['서버가 암호화된 연결을 요구합니다.', 'URL에 ldaps://를 사용하거나 startTls를 켜세요.'],
  'endpoint-wrong': ['Graph 주소에 사용자나 그룹이 없습니다.', '경로 없이 Microsoft Graph의 원본 주소만 입력하세요.'],
  'environment-invalid': [
    '환경 변수가 올바르지 않습니다.',
    '표시된 변수를 고치세요. README의 표에 각 값이 설명되어 있습니다.',
  ],
  'expression-failed': ['이 값에서는 표현식의 결과가 없습니다.', '표현식을 확인하세요.'],
  'expression-wrong': [
    '사용할 수 없는 표현식입니다.',
    '표현식을 고치세요. docs/mapping.md에 쓸 수 있는 항목이 있습니다.',
  ],
  'external-id-taken': ['같은 외부 ID를 가진 항목이 이미 있습니다.', '다른 외부 ID를 사용하세요.'],
  'field-unknown': [
    '양식에 예상하지 않은 파일이 있거나 같은 파일이 두 번 있습니다.',
    '정해진 이름으로 한 번씩만 보내세요.',
  ],
  'file-changed': [
    '읽는 동안 파일이 바뀌었습니다.',
    '다시 실행하세요. 파일은 다른 이름으로 쓴 뒤 완성되면 이름을 바꾸세요.',
  ],
  'file-cut-off': ['파일이 중간에 끊겨 있습니다.', '파일을 온전하게 다시 가져오세요.'],
  'file-empty': ['파일이 비어 있습니다.', '파일을 다시 가져오세요. 아무도 없는 파일에도 머리글은 있어야 합니다.'],
  'file-missing': ['사용자 파일이 없습니다.', '파일을 올리거나 설정의 URL을 고치세요.'],
  'file-not-settled': ['파일이 아직 쓰이는 중입니다.', '다음 실행에서 읽습니다. 파일은 완성된 뒤에 이름을 바꾸세요.'],
  'files-beside-mixed': [
    '사용자와 그룹을 함께 담은 파일 옆에 다른 파일이 있습니다.',
    '파일을 하나만 두거나 설정에서 종류 열을 빼세요.',
  ],
  'folder-missing': ['폴더가 없습니다.', 'INBOUND_DIR 아래에 폴더를 만들거나 경로를 고치세요.'],
  'folder-outside': ['폴더가 INBOUND_DIR 밖에 있습니다.', '파일을 INBOUND_DIR 아래에 직접 두세요.'],
  forbidden: ['이 작업의 권한이 없습니다.', '관리자에게 필요한 역할을 요청하세요.'],
  'foreign-next-link': [
    'Microsoft Graph의 다음 페이지가 다른 호스트를 가리킵니다.',
    'Graph 주소와 중간의 프록시를 확인하세요.',
  ],
  gone: ['더 이상 보관되지 않습니다.', '처음부터 다시 조회하세요.'],
  'graph-unreachable': [
    'Microsoft Graph에 연결할 수 없거나 응답이 끊어집니다.',
    '네트워크, 프록시, 설정의 Graph 주소를 확인하세요.',
  ],
  'guard-held': ['대량 변경 제한으로 보류되었습니다.', '보류된 계획을 확인하거나 폐기하세요.'],
  'header-invalid': [
    '파일의 머리글이 올바르지 않습니다.',
    '첫 줄의 열 제목을 서로 다르게 하고 구분 기호를 확인하세요.',
  ],
  'hook-unknown': ['여기로 알리는 소스가 없습니다.'],
  'impact-plan': [
    '저장되지 않은 설정의 결과를 보여 주는 계획이므로 그대로 적용할 수 없습니다.',
    '그 설정을 저장한 다음 실행하세요.',
  ],
  'impact-plan-required': ['먼저 영향을 확인해야 합니다.', '영향 계획을 살펴본 뒤 그 계획으로 확인하세요.'],
  'impact-plan-unusable': ['이 영향 계획은 사용할 수 없습니다.', '영향을 다시 계산하세요.'],
  'invalid-bulk': ['일괄 요청이 올바르지 않습니다.', FIELDS],
  'invalid-cursor': ['목록의 위치가 올바르지 않습니다.', '처음부터 다시 조회하세요.'],
  'invalid-filter': ['사용할 수 없는 필터입니다.', '필터를 고치세요. 입력하는 동안 사용할 수 있는 필드가 표시됩니다.'],
  'invalid-input': ['입력한 값을 사용할 수 없습니다.', FIELDS],
  'invalid-push': ['푸시 설정을 사용할 수 없습니다.', FIELDS],
  'invalid-scope': ['범위를 사용할 수 없습니다.', '스키마에 있는 속성 이름을 사용하세요.'],
  'invalid-value': ['값이 올바르지 않습니다.', FIELDS],
  'issuer-unreachable': ['ID 공급자가 응답하지 않습니다.', LATER],
  'key-file-broken': [
    'secret.key 파일에 키가 없습니다.',
    '백업의 키를 넣으세요. 아직 설정한 것이 없다면 파일을 지우면 새 키가 만들어집니다.',
  ],
  'last-admin-token': [
    '게이트웨이를 관리할 수 있는 마지막 토큰입니다.',
    '관리자 권한의 토큰을 먼저 하나 더 만들어 보관하세요.',
  ],
  'left-overs-unknown': [
    '이 소스가 아직 아무도 기록하지 않아 누가 남는지 알 수 없습니다.',
    '남는 사용자를 유지하도록 전환하고, 모두 기록된 뒤 영향을 다시 확인하세요.',
  ],
  'limit-exceeded': [
    '서버의 한도를 넘어 끝까지 읽지 못했습니다.',
    '이 계정의 서버 한도를 올리거나 페이지 크기를 줄이세요.',
  ],
  'listen-failed': ['게이트웨이가 지정된 주소에서 수신할 수 없습니다.', 'HOST를 이 컴퓨터의 주소로 지정하세요.'],
  'log-not-kept': [
    '이 실행의 로그는 보관되어 있지 않습니다.',
    '로그 수준을 지정하여 실행하면 끝난 뒤 로그를 내려받을 수 있습니다.',
  ],
  'made-by-hand': ['직접 만든 항목이며 소스에 속하지 않습니다.', '미결 사항에서 연결하거나 해당 항목을 제거하세요.'],
  'mail-login-refused': [
    '메일 서버가 사용자 이름이나 암호를 거부합니다.',
    '사용자 이름과 암호를 고치세요. 앱 암호가 필요한 서버도 있습니다.',
  ],
  'mail-refused': [
    '메일 서버가 메일을 받지 않습니다.',
    '보내는 사람과 받는 사람, 서버의 릴레이 허용 여부를 확인하세요.',
  ],
  'mail-server-failed': [
    '메일 서버에서 오류가 발생했습니다.',
    '자동으로 다시 시도합니다. 반복되면 메일 서버의 로그를 확인하세요.',
  ],
  'mail-server-unreachable': [
    '메일 서버에 연결할 수 없습니다.',
    '호스트, 포트, 암호화 방식과 네트워크를 확인하세요(465는 TLS, 587은 STARTTLS).',
  ],
  'malformed-body': ['요청 본문을 읽을 수 없습니다.', '온전하게 다시 보내세요.'],
  'link-taken': [
    '다른 항목이 지금 소스의 같은 계정에 연결되어 있습니다.',
    '먼저 그 항목을 제거하거나, 그 항목을 유지하세요.',
  ],
  'malformed-json': ['요청 본문이 JSON이 아닙니다.', '올바른 JSON을 보내세요.'],
  'malformed-path': ['주소의 인코딩이 올바르지 않습니다.', 'UTF-8로 인코딩하세요.'],
  'managed-identity-missing': [
    '이 컴퓨터에는 사용할 수 있는 관리 ID가 없습니다.',
    '관리 ID가 있는 Azure 리소스에서 실행하거나 사용자 할당 ID의 클라이언트 ID를 입력하세요.',
  ],
  'list-endless': [
    '디렉터리 서버의 목록이 끝나지 않습니다.',
    '다시 실행하고, 반복되면 디렉터리 서버나 그 사이의 장비를 확인하세요.',
  ],
  'list-short': [
    '소스가 보낸 사용자 또는 그룹 목록이 너무 짧습니다. 목록에 없는 대상이 소스에 아직 있습니다.',
    '이 때문에 제거되는 대상은 없으며 다음 실행에서 다시 읽습니다. 그때도 목록에 없는 대상은 ID로 읽습니다. 반복되면 소스의 지원 창구에 문의하세요.',
  ],
  'manager-unknown': [
    'Microsoft Graph가 사용자의 관리자를 알려 주지 않습니다.',
    'User.Read.All 권한을 부여하고 다시 실행하세요.',
  ],
  'mapping-target': ['매핑 대상 속성을 사용할 수 없습니다.', 'SCIM 스키마에 있는 속성을 선택하세요.'],
  'match-ambiguous': ['여기에 있는 여러 계정에 해당할 수 있습니다.', '해당하는 계정을 직접 선택하세요.'],
  'member-of-itself': ['그룹은 자기 자신의 구성원이 될 수 없습니다.'],
  'member-refused': [
    '앱이 구성원을 거부했습니다.',
    '이 전송의 로그에서 구성원을 확인하고, 앱에 있게 되면 다시 보내세요.',
  ],
  'member-list-refused': [
    '앱이 구성원 전체 목록을 거부했습니다.',
    '앱의 응답을 확인하고, 앱에 모든 구성원이 있게 되면 다시 보내세요.',
  ],
  'members-incomplete': ['그룹 구성원을 끝까지 읽지 못했습니다.', '읽는 동안 그룹이 변경되었습니다. 다시 실행하세요.'],
  'method-not-allowed': ['이 주소에서는 사용할 수 없는 방법입니다.'],
  'migration-blocked': [
    '다른 트랜잭션 때문에 데이터베이스를 업데이트할 수 없습니다.',
    '그 트랜잭션을 끝내고 다시 시작하세요.',
  ],
  'move-differs': ['데이터가 보낸 것과 다르게 도착했습니다.', '아무것도 유지되지 않았습니다. 다시 이전하세요.'],
  'name-refused': ['서버가 이름을 이해하지 못합니다.', '기준 DN 또는 바인드 계정을 고치세요.'],
  'name-taken': [
    '다른 사용자가 이 사용자 이름을 사용하고 있습니다.',
    '다른 사용자 이름을 사용하거나, 그 사용자의 이름을 바꾸거나 제거하세요.',
  ],
  network: ['상대 서버가 요청을 처리하지 못했습니다.', RUN_AGAIN],
  'no-active-provider': ['활성 소스가 없습니다.', '소스를 설정하고 켠 다음 다시 실행하세요.'],
  'no-channel': ['메일도 웹후크도 설정되어 있지 않습니다.', '알림 설정을 먼저 저장하세요.'],
  'no-consent': ['이 소스에는 동의가 필요하지 않습니다.'],
  'no-draft': ['저장된 초안이 없습니다.'],
  'no-id-answered': [
    '앱이 항목을 만들었지만 ID를 알려 주지 않았습니다.',
    '일치 속성으로 다시 찾습니다. 실패하면 앱 담당자에게 문의하세요.',
  ],
  'no-impact-plan': ['영향 계획이 없습니다.', '영향을 먼저 계산하세요.'],
  'no-issuer': [
    'ID 공급자가 구성되어 있지 않습니다.',
    'CONSOLE_OIDC_ISSUER와 CONSOLE_OIDC_CLIENT_ID를 설정하거나 토큰으로 로그인하세요.',
  ],
  'no-mapping': ['이 소스에는 속성 매핑이 없습니다.', '속성이 나오는 곳에서 변경하세요.'],
  'no-push': ['이 앱에는 푸시 대상이 없습니다.', '앱의 푸시를 먼저 설정하세요.'],
  'no-session': ['세션이 아니라 토큰으로 온 요청입니다.', '콘솔에 로그인하세요.'],
  'no-subject': ['이 토큰은 특정 사용자를 나타내지 않습니다.', '사용자를 나타내는 토큰을 만드세요.'],
  'no-such-route': ['그런 주소가 없습니다.', '/api/docs에서 사용할 수 있는 주소를 확인하세요.'],
  'not-a-candidate': ['선택할 수 있는 계정이 아닙니다.', '후보 중 하나를 선택하세요.'],
  'not-an-object': ['JSON 개체여야 합니다.', FIELDS],
  'not-available-yet': ['이 소스는 아직 사용할 수 없습니다.', '다른 소스를 사용하세요.'],
  'not-configured': ['소스가 아직 설정되지 않았습니다.', '설정을 먼저 저장하세요.'],
  'not-found': ['존재하지 않거나 삭제되었습니다.', LIST_AGAIN],
  'not-implemented': ['지원하지 않는 기능입니다.'],
  'not-migrated': ['데이터베이스가 이 버전의 것이 아닙니다.', '먼저 "npm run migrate"를 실행하세요.'],
  'not-scim': [
    '응답이 SCIM이 아닙니다.',
    '기본 URL이 SCIM 서비스의 주소인지 확인하세요. 예: https://example.com/scim/v2',
  ],
  'not-utf8': [
    '요청 본문이 올바른 UTF-8이 아니거나, US-ASCII라고 했지만 US-ASCII가 아닙니다.',
    'UTF-8로 인코딩해 보내세요.',
  ],
  'nothing-to-revert': ['되돌릴 내용이 없습니다.', '변경을 만든 실행을 기록에서 찾아보세요.'],
  'notification-invalid': ['알림 목록이 올바르지 않습니다.'],
  'order-too-costly': [
    '이 순서로 목록을 만드는 데 시간이 너무 오래 걸립니다.',
    '필터로 범위를 줄이거나 userName, 그룹의 displayName, meta.lastModified 순으로 정렬하세요.',
  ],
  'out-of-scope': ['게이트웨이의 범위에 포함되지 않습니다.', '소스 설정에서 범위를 바꾸거나 소스에서 할당하지 마세요.'],
  'owned-by-provider': [
    '소스에 속한 항목이므로 소스의 값이 유지됩니다.',
    '소스에서 변경하세요. 다음 실행에서 여기에 반영됩니다.',
  ],
  'permission-missing': [
    '필요한 권한이 없습니다.',
    '연결 확인에 표시되는 권한을 부여하세요. 새 권한은 몇 분 뒤에 적용될 수 있습니다.',
  ],
  'permissions-unknown': ['액세스 토큰에 부여된 권한이 표시되지 않습니다.', '앱 등록의 "API 사용 권한"을 확인하세요.'],
  'person-ambiguous': ['같은 이름의 사용자가 여러 명입니다.', '소스의 ID를 입력하세요.'],
  'person-unknown': ['소스에 그런 이름이나 ID의 사용자가 없습니다.', '소스에 있는 ID나 사용자 이름을 입력하세요.'],
  'pin-not-found': ['그런 고정이 없습니다.', LIST_AGAIN],
  pinned: [
    '관리자가 이 변경을 되돌렸으며, 고정을 해제할 때까지 유지됩니다.',
    '고정을 해제하거나 ID 공급자에서 고치세요.',
  ],
  'plan-changed': ['확인한 계획과 다른 계획입니다.', '확인하기 전에 다시 살펴보세요.'],
  'plan-expired': ['계획이 만료되어 결정할 수 없습니다.', '새로 실행하면 지금의 차이를 볼 수 있습니다.'],
  'plan-not-found': ['그런 계획이 없습니다.', LIST_AGAIN],
  'plan-not-waiting': ['결정을 기다리는 계획이 아닙니다.', '이 소스의 최신 계획을 확인하거나 새로 실행하세요.'],
  'plan-of-later-release': [
    '이 복제본보다 새로운 릴리스가 만든 계획입니다.',
    '모든 복제본이 그 릴리스로 바뀐 뒤 다시 승인하세요.',
  ],
  'plan-tampered': [
    '계획이 만들어진 내용과 다릅니다.',
    '누가 데이터베이스에 쓸 수 있는지 확인하고, 계획을 폐기한 뒤 새로 실행하세요.',
  ],
  'port-in-use': ['포트를 이미 사용하고 있습니다.', '다른 프로세스를 중지하거나 PORT를 바꾸세요.'],
  'port-refused': ['이 사용자는 그 포트를 열 수 없습니다.', 'PORT를 1023보다 큰 값으로 지정하세요.'],
  'precondition-failed': ['그사이 다른 사람이 변경했습니다.', '다시 읽은 뒤 변경하세요.'],
  'preview-required': [
    '현재 설정으로 실행하면 어떻게 되는지 아직 아무도 확인하지 않았습니다.',
    '미리 보기를 실행하고 그 계획을 확인하세요.',
  ],
  'preview-unavailable': ['이 소스에는 미리 보기가 없습니다.', '실행의 미리 보기를 사용하세요.'],
  'provider-active': ['이 소스가 켜져 있습니다.', '먼저 소스를 끄거나 다른 소스로 전환하세요.'],
  'provider-inactive': ['지금은 이 소스를 사용하지 않습니다.', '관리자가 소스를 켜거나 전환할 수 있습니다.'],
  'provider-not-active': ['활성 상태가 아닌 소스의 계획입니다.', '소스를 켠 뒤 계획을 확인하거나 폐기하세요.'],
  'provider-unknown': ['그런 소스가 없습니다.'],
  'public-url-needed': [
    '소스는 https 주소로만 돌아올 수 있습니다.',
    'PUBLIC_URL에 https 주소를 지정하여 게이트웨이를 시작하세요.',
  ],
  'read-only': ['읽기만 할 수 있는 토큰입니다.', '쓰기 권한이 있는 토큰을 사용하세요.'],
  'recipients-refused': [
    '메일 서버가 받는 사람을 거부했습니다.',
    '받는 사람을 확인하세요. 테스트 메시지에 표시됩니다.',
  ],
  'redirect-refused': ['다른 주소로 이동하는 응답은 따르지 않습니다.', '이동하는 주소를 직접 입력하세요.'],
  'reference-failed': ['이 작업이 참조하는 작업이 실패했습니다.'],
  referral: ['기준 DN이 다른 서버에 있습니다.', 'URL에 그 서버를 지정하세요. 자동으로 따라가지 않습니다.'],
  'removal-rejected': [
    '관리자가 이 제거를 거부했습니다.',
    'ID 공급자에서 고치세요. 관리자가 실행하면 다시 제안됩니다.',
  ],
  'removals-changed': [
    '앱에서 제거될 수가 확인한 것보다 많습니다.',
    '미리 보기를 다시 확인하고 표시된 수로 저장하세요.',
  ],
  'required-attribute-missing': ['매핑에 필요한 값이 없습니다.', '소스에서 값을 채우거나 매핑을 바꾸세요.'],
  'resource-not-found': ['그런 사용자나 그룹이 없거나 지금 전송 중입니다.', 'ID를 확인하고 잠시 후 다시 시도하세요.'],
  'retention-over': [
    '이 실행의 변경 내용은 더 이상 보관되지 않습니다.',
    '소스를 고치고 실행하세요. 보관 기간을 늘리면 이후 실행을 더 오래 되돌릴 수 있습니다.',
  ],
  'run-abandoned': [
    '실행을 처리하던 프로세스가 끝났거나 데이터베이스 연결을 잃었습니다.',
    '다시 실행하면 남은 작업을 마칩니다. 반복되면 프로세스 로그를 확인하세요.',
  ],
  'run-in-progress': [
    '실행이 진행 중이며 한 번에 하나만 실행할 수 있습니다.',
    '그 실행이 끝날 때까지 기다리거나 중지하세요.',
  ],
  'run-not-found': ['그런 실행이 없습니다.', LIST_AGAIN],
  'schedule-invalid': ['일정이 올바르지 않습니다.', FIELDS],
  'schema-missing': ['필요한 스키마가 지정되지 않았습니다.'],
  'schema-pending': [
    '데이터베이스의 스키마가 이 버전의 것이 아닙니다.',
    '두 데이터베이스의 버전으로 이전하거나 "npm run migrate"로 업데이트하세요.',
  ],
  'scope-limited': ['디렉터리의 일부만 볼 수 있는 앱이므로 변경할 수 없습니다.', '범위가 없는 앱의 토큰을 사용하세요.'],
  'scope-missing': ['이 작업에 필요한 권한이 토큰에 없습니다.', '필요한 역할의 토큰이나 계정을 사용하세요.'],
  'secret-key-missing': ['SECRET_KEY가 설정되지 않았습니다.', '게이트웨이가 사용하던 키를 SECRET_KEY에 지정하세요.'],
  'secret-key-wrong': [
    '저장된 자격 증명을 현재 SECRET_KEY로 열 수 없습니다.',
    '봉인할 때 사용한 키를 지정하거나 자격 증명을 다시 입력하세요.',
  ],
  server: ['상대 서버에서 오류가 발생했습니다.', RUN_AGAIN],
  'session-over': ['세션이 끝났습니다.', '다시 로그인하세요.'],
  'settings-changed': ['그사이 다른 사람이 설정을 저장했습니다.', '저장하기 전에 그 내용을 확인하세요.'],
  'settings-invalid': ['설정을 사용할 수 없습니다.', FIELDS],
  'sign-in-broken': ['로그인 서비스 대신 다른 서버가 응답합니다.', '로그인 주소와 중간의 프록시를 확인하세요.'],
  'sign-in-failed': ['로그인 서비스가 토큰을 주지 않습니다.', '로그인 주소와 테넌트를 확인하세요.'],
  'sign-in-refused': ['로그인이 거부되었습니다.', '다시 로그인하거나 관리자에게 문의하세요.'],
  'sign-in-stale': ['로그인이 너무 오래 걸렸거나 다른 창에서 시작되었습니다.', '처음부터 다시 로그인하세요.'],
  'sign-in-unavailable': ['로그인 서비스를 지금 사용할 수 없습니다.', LATER],
  'sign-in-unreachable': ['로그인 서비스에 연결할 수 없습니다.', '네트워크, 프록시, 설정의 로그인 주소를 확인하세요.'],
  'slot-taken': ['다른 프로세스가 예정된 실행을 이미 시작했습니다.'],
  'source-incomplete': ['소스를 끝까지 읽지 못했습니다.', '다시 실행하세요. 이 때문에 제거된 항목은 없습니다.'],
  'source-missing': ['이전할 내장 데이터베이스가 없습니다.', 'DATA_DIR을 게이트웨이가 사용하던 폴더로 지정하세요.'],
  'source-slow': ['소스가 제시간에 응답하지 않았습니다.', '소스의 연결을 확인하세요.'],
  'starttls-missing': [
    '메일 서버가 STARTTLS를 지원하지 않습니다.',
    '지원하는 포트(보통 587)를 사용하거나 465 포트에서 TLS를 사용하세요.',
  ],
  'step-up-required': ['이 변경에는 15분 이내의 로그인이 필요합니다.', '다시 로그인하세요. 입력한 내용은 유지됩니다.'],
  'stream-at-rest': ['이벤트 전달이 일시 중지되었거나 꺼져 있습니다.', '먼저 켜거나 다시 시작하세요.'],
  'stream-not-found': ['앱에 설정된 전달이 없습니다.', '앱의 웹후크나 이벤트를 먼저 설정하세요.'],
  'target-asked-for-rest': [
    '앱이 당분간 요청을 보내지 말라고 했습니다.',
    '그 시각이 지난 뒤 다시 시도하세요. 앱 운영자가 요청해도 된다고 하면 먼저 전송을 다시 시작하세요.',
  ],
  'target-disabled': ['오랜 격리 끝에 앱으로의 전송이 꺼졌습니다.', '원인을 해결한 뒤 다시 시작하세요.'],
  'target-gone': ['앱에 이 항목이 더 이상 없습니다.', '다음 전송에서 다시 만듭니다.'],
  'target-missing': [
    'DATABASE_URL이 설정되지 않았습니다.',
    '옮겨 갈 비어 있는 새 PostgreSQL 데이터베이스를 지정하세요.',
  ],
  'target-not-empty': ['DATABASE_URL의 데이터베이스가 비어 있지 않습니다.', '새 데이터베이스를 지정하세요.'],
  'target-resting': ['앱이 잠시 요청을 보내지 말라고 했습니다.', '조금 뒤 자동으로 다시 시도합니다.'],
  'tenant-changed': [
    '소스가 이전과 다른 테넌트입니다.',
    '설정을 고치세요. 모두 옮겨 갔다면 계정 연결을 다시 만드는 실행의 계획을 확인하세요.',
  ],
  'tenant-mismatch': [
    '다른 테넌트의 관리자가 승인했습니다.',
    '입력한 테넌트의 관리자로 로그인하거나 테넌트를 고치세요.',
  ],
  throttled: ['소스가 요청을 제한했습니다.', '다음 실행에서 다시 시도합니다. 반복되면 실행 횟수를 줄이세요.'],
  timeout: ['제시간에 응답하지 않았습니다.', '받는 쪽이 몇 초 안에 응답하는지 확인하세요.'],
  'tls-failed': [
    '그 포트에서 TLS를 사용하지 않습니다.',
    '포트를 확인하세요. ldaps://는 보통 636, startTls는 389입니다.',
  ],
  'tls-not-trusted': ['서버 인증서를 신뢰할 수 없습니다.', '인증서를 발급한 기관을 신뢰하도록 설정하세요.'],
  'text-too-long': ['저장하기에는 너무 긴 값이 있습니다.', '값을 줄이세요.'],
  'token-endpoint-failed': ['토큰 서버가 오류로 응답했습니다.', '토큰 URL을 확인하세요.'],
  'token-file-unreadable': [
    '페더레이션 자격 증명의 토큰 파일을 읽을 수 없습니다.',
    '파일 경로와 게이트웨이의 읽기 권한을 확인하세요.',
  ],
  'token-file-wrong': [
    '토큰 파일에 Microsoft Entra용 토큰이 없습니다.',
    '대상(audience)이 "api://AzureADTokenExchange"인 토큰을 넣으세요.',
  ],
  'token-not-found': ['그런 토큰이 없습니다.', LIST_AGAIN],
  'token-refused': [
    '액세스 토큰이나 클라이언트 자격 증명이 거부되었습니다.',
    '애플리케이션이 있는지, 자격 증명과 주소가 맞는지 확인하세요.',
  ],
  'ambient-credential': [
    '이 컴퓨터의 자격 증명은 저장된 설정으로만 시험할 수 있습니다.',
    '관리자에게 이 설정의 시험이나 저장을 요청하세요.',
  ],
  'token-of-scoped-app': [
    '이 토큰의 앱은 디렉터리의 일부만 볼 수 있지만 여기에서는 전체가 보입니다.',
    '앱에 속하지 않은 토큰이나 범위가 없는 앱의 토큰을 사용하세요.',
  ],
  'token-without-role': [
    '사람이 아니라 앱을 위한 토큰입니다.',
    '"admin", "operator", "viewer" 권한의 토큰을 사용하세요.',
  ],
  'token-wrong': [
    '알 수 없거나 폐기되었거나 만료된 토큰입니다.',
    '다시 복사하여 입력하세요. 게이트웨이를 처음 시작할 때 로그에 관리자 토큰이 표시됩니다.',
  ],
  'too-costly': [
    '필터에 답하는 데 시간이 너무 오래 걸립니다.',
    '"eq"로 비교하거나 "and"로 조건을 더해 범위를 줄이세요.',
  ],
  'too-large': ['한 번에 보낸 양이 너무 많습니다.', '나누어 보내거나 필요 없는 열을 빼세요.'],
  'too-many-failures': ['최근 응답의 실패가 너무 많습니다.', '실패한 전송을 확인하세요. 대부분 원인이 같습니다.'],
  'too-many-members': [
    '한 요청에 담을 수 있는 구성원 수를 넘었습니다.',
    '앱이 구성원을 전체 목록으로만 받습니다. 그룹을 범위에서 빼거나 나누세요.',
  ],
  'too-many-names': ['본문에 있는 이름이 너무 많습니다.', '올바른 JSON을 보내세요.'],
  'too-many-reads': [
    '오래 걸리는 조회가 너무 많이 기다리고 있습니다.',
    '한 조회의 응답을 받은 뒤 다음 조회를 보내고, 조건을 줄이세요.',
  ],
  'too-many-requests': ['요청이 너무 많습니다.', LATER],
  'too-many-streams': ['열려 있는 이벤트 스트림이 너무 많습니다.', '보지 않는 탭이나 프로그램의 스트림을 닫으세요.'],
  'too-many-tries': ['이 주소에서 잘못된 토큰을 너무 많이 보냈습니다.', '1분 뒤 올바른 토큰으로 다시 시도하세요.'],
  'too-much-contention': ['다른 쓰기와 계속 겹칩니다.', LATER],
  'tracing-invalid': ['추적 설정이 올바르지 않습니다.', '지원되는 값을 지정하세요.'],
  'two-primaries': ['기본으로 지정할 수 있는 것은 하나뿐입니다.', '하나만 기본으로 지정하세요.'],
  unauthenticated: ['로그인이 필요합니다.', '다시 로그인하세요.'],
  unavailable: ['데이터베이스가 제시간에 응답하지 않았습니다.', LATER],
  'unknown-member': ['구성원으로 지정한 사용자나 그룹이 없습니다.', '있는 사용자나 그룹을 선택하세요.'],
  'unsupported-media-type': ['지원하지 않는 형식입니다.', 'CSV 파일이나 JSON으로 보내세요.'],
  'upload-cut-off': ['업로드가 중간에 끊겨 아무것도 보관되지 않았습니다.', '다시 보내세요.'],
  'url-refused': ['사용할 수 없는 URL입니다.', '공개 호스트의 https URL을 입력하세요.'],
  'users-missing': ['업로드에 사용자 파일이 없습니다.', '사용자 파일을 함께 보내세요.'],
  'validation-token-invalid': ['확인 토큰이 올바르지 않습니다.'],
  'version-unknown': ['그런 버전의 설정이 없습니다.', '설정 변경 기록에 있는 버전을 선택하세요.'],
  'webhook-refused': [
    '받는 쪽이 오류로 응답했습니다.',
    '받는 쪽의 로그를 확인하고, 다른 주소로 이동한다면 그 주소를 입력하세요.',
  ],
  'account-elsewhere': ['다른 테넌트의 계정입니다.', SIGN_IN_AGAIN],
  'account-unknown': ['이 테넌트에 그런 계정이 없습니다.', CHECK_TENANT],
  'answer-broken': GRAPH_ANSWER,
  'answer-no-json': GRAPH_ANSWER,
  'application-disabled': [
    '애플리케이션을 사용할 수 없게 설정되어 있습니다.',
    '"엔터프라이즈 애플리케이션"에서 로그인을 허용하세요.',
  ],
  'application-not-assigned': [
    '애플리케이션에 필요한 역할이 할당되지 않았습니다.',
    '"엔터프라이즈 애플리케이션"에서 할당하세요.',
  ],
  'application-not-consented': [
    '이 테넌트에 애플리케이션의 서비스 주체가 없습니다.',
    '관리자가 앱 등록의 "API 권한"에서 관리자 동의를 부여하게 하세요.',
  ],
  'application-unknown': ['테넌트에 이 애플리케이션이 없습니다.', CHECK_APPLICATION],
  'application-wrong': ['애플리케이션이 동의를 받도록 올바르게 설정되지 않았습니다.', CHECK_APPLICATION],
  'assertion-out-of-time': [
    'Microsoft가 서명된 로그인의 시각이 유효하지 않다고 합니다.',
    '이 컴퓨터의 시계를 맞추세요.',
  ],
  'batch-broken': GRAPH_ANSWER,
  'bind-expired': [
    '서버가 로그인을 거부합니다. 계정 또는 암호가 만료되었습니다.',
    '계정을 연장하거나 만료되지 않는 암호를 지정해 저장하세요.',
  ],
  'bind-refused': ['서버가 로그인을 거부합니다.', '바인드 DN과 암호, 계정의 상태를 확인하세요.'],
  'certificate-refused': [
    'Microsoft가 인증서를 받아들이지 않습니다.',
    '앱 등록의 "인증서 및 비밀"에 이 인증서를 올리고 만료되지 않았는지 확인하세요.',
  ],
  'client-secret-expired': ['클라이언트 암호가 만료되었습니다.', NEW_SECRET],
  'client-secret-wrong': [
    'Microsoft가 클라이언트 암호를 받아들이지 않습니다.',
    `암호의 ID가 아니라 값을 입력하세요. ${NEW_SECRET}`,
  ],
  'cloud-wrong': ['테넌트가 다른 클라우드에 있습니다.', CHECK_TENANT],
  'conditional-access': [
    '조건부 액세스 정책이 애플리케이션을 막습니다.',
    '정책에서 애플리케이션 또는 그 주소를 제외하세요.',
  ],
  'connection-lost': [
    '대상이 응답하기 전에 연결을 끊었습니다.',
    '결과는 게이트웨이가 확인합니다. 반복되면 대상의 로그를 확인하세요.',
  ],
  'consent-declined': ['관리자가 권한을 거절했습니다.', SIGN_IN_AGAIN],
  'consent-refused': ['Microsoft가 동의를 거부합니다.', SIGN_IN_AGAIN],
  'credential-missing': ['Microsoft에 자격 증명이 전달되지 않았습니다.', NEW_SECRET],
  'credential-refused': ['Microsoft가 자격 증명을 받아들이지 않습니다.', NEW_SECRET],
  'delivery-cut-short': [
    '보내던 프로세스가 응답을 받기 전에 끝났습니다.',
    '할 일이 없습니다. 대상에서 확인한 뒤 다시 보냅니다.',
  ],
  'federation-limit': ['한 발급자의 토큰을 너무 많이 교환했습니다.', FEDERATION],
  'federation-unknown': ['토큰에 맞는 페더레이션 자격 증명이 애플리케이션에 없습니다.', FEDERATION],
  'fell-behind': [
    '받는 쪽이 변경 보관 기간보다 오래 응답하지 않았습니다.',
    '스냅숏부터 다시 시작하거나 변경을 더 오래 보관하세요.',
  ],
  'invalid-patch': ['변경 작업이 올바르지 않습니다.', FIELDS],
  'members-not-found': GRAPH_ANSWER,
  'not-an-administrator': ['이 계정은 조직을 대신해 동의할 수 없습니다.', SIGN_IN_AGAIN],
  'object-unknown': GRAPH_ANSWER,
  'page-broken': GRAPH_ANSWER,
  'page-expired': GRAPH_ANSWER,
  'page-loop': GRAPH_ANSWER,
  'page-without-list': GRAPH_ANSWER,
  'redirect-unknown': [
    '애플리케이션에 등록된 리디렉션 주소가 아닙니다.',
    '앱 등록의 "인증"에 표시된 리디렉션 URI를 "웹" 플랫폼으로 추가하세요.',
  ],
  'request-refused': ['Microsoft Graph가 요청을 거부합니다.', 'Graph 엔드포인트를 확인하고 오류 코드를 찾아보세요.'],
  'resource-unknown': ['Microsoft가 Graph 엔드포인트를 알지 못합니다.', '클라우드와 Graph 엔드포인트를 확인하세요.'],
  'server-busy': ['디렉터리 서버가 바쁩니다.', '나중에 다시 실행하세요.'],
  'server-failed': ['디렉터리 서버에 오류가 있습니다.', '디렉터리 서버의 로그를 확인하세요.'],
  'set-refused': ['받는 쪽이 토큰을 거부했습니다.', '표시된 문제를 고치고 토큰을 다시 보내세요.'],
  'sign-in-interrupted': ['Microsoft가 추가 인증을 요구합니다.', SIGN_IN_AGAIN],
  'single-tenant': [
    '한 테넌트용 애플리케이션인데 테넌트가 지정되지 않았습니다.',
    '테넌트 ID를 입력하거나 애플리케이션을 다중 테넌트로 바꾸세요.',
  ],
  'state-elsewhere': ['동의의 응답이 다른 브라우저에서 왔거나 로그아웃한 뒤에 왔습니다.', START_AGAIN],
  'state-expired': ['동의의 응답이 너무 늦게 왔습니다.', START_AGAIN],
  'state-used': ['동의의 응답이 이미 사용되었습니다.', START_AGAIN],
  'state-wrong': ['여기에서 시작한 동의의 응답이 아닙니다.', START_AGAIN],
  'subscription-broken': GRAPH_ANSWER,
  'subscription-refused': [
    'Microsoft Graph가 이 주소로 변경 알림을 보내지 않으려 합니다. 대부분 이 주소에 연결하지 못하기 때문입니다.',
    'Microsoft가 공인 인증 기관의 인증서로 인터넷에서 PUBLIC_URL에 연결할 수 있는지, 게이트웨이 앞에서 /hooks/에 로그인을 요구하거나 대신 응답하는 것이 없는지 확인하세요.',
  ],
  'subscription-taken': [
    'Microsoft Graph가 이 애플리케이션의 변경 사항을 이미 다른 곳에 알리고 있습니다.',
    '애플리케이션마다 이러한 구독은 하나뿐입니다. 게이트웨이마다 앱 등록을 따로 만드세요. 갱신되지 않는 구독은 29일 안에 끝납니다.',
  ],
  'target-changed': ['대상에서 그 사이에 변경되었습니다.', '할 일이 없습니다. 다시 읽고 다시 시도합니다.'],
  'target-conflict': [
    '대상의 다른 항목에 같은 값이 있습니다.',
    '대상에서 그 항목을 제거하거나 여기에서 값을 바꾸세요.',
  ],
  'target-failed': [
    '대상에 오류가 있습니다.',
    '자동으로 다시 시도합니다. 반복되면 대상을 운영하는 사람에게 문의하세요.',
  ],
  'target-refused': [
    '대상이 값을 거부했습니다.',
    '응답을 보고 값이나 매핑을 고치거나 그 속성을 제외(exclude)한 뒤 다시 보내세요.',
  ],
  'target-refused-us': [
    '대상이 게이트웨이를 거부합니다.',
    '사용자와 그룹을 읽고 쓸 권한이 있는 올바른 자격 증명을 입력하세요.',
  ],
  'target-throttled': ['대상이 잠시 기다리라고 합니다.', '할 일이 없습니다. 요청한 시간만큼 기다립니다.'],
  'target-unsupported': ['대상이 이 작업을 지원하지 않습니다.', '대상이 지원하는 방식에 맞게 설정하세요.'],
  'tenant-unknown': ['그런 테넌트가 없습니다.', CHECK_TENANT],
  'too-deep': ['본문이 너무 깊게 중첩되어 있습니다.', '올바른 JSON을 보내세요.'],
  'too-many-pages': GRAPH_ANSWER,
};

/** By the kind of failure of a run, where its code says no more. */
export const KOREAN_FAILURES: Readonly<Record<RunError['failure'], Said>> = {
  network: ['소스에 연결할 수 없습니다.', '네트워크, 프록시, 소스 설정의 주소를 확인하세요.'],
  auth: ['소스가 자격 증명을 받아들이지 않습니다.', '소스 설정의 자격 증명을 확인하고 연결을 확인하세요.'],
  consent: ['애플리케이션에 필요한 권한이 없습니다.', '연결 확인에 표시되는 권한을 애플리케이션에 부여하세요.'],
  throttled: ['소스가 요청을 제한했습니다.', '다음 실행에서 다시 시도합니다. 반복되면 실행 횟수를 줄이세요.'],
  server: ['소스에서 오류가 발생했습니다.', '다음 실행에서 다시 시도합니다. 반복되면 소스의 서비스 상태를 확인하세요.'],
  'source-incomplete': ['소스를 끝까지 읽지 못했습니다.', '다시 실행하세요. 이 때문에 제거된 항목은 없습니다.'],
  config: ['소스 설정이 올바르지 않습니다.', SOURCE_SETTINGS],
  internal: ['게이트웨이 내부 오류입니다.', '다시 실행하세요. 반복되면 이 실행의 로그와 함께 알려 주세요.'],
};

/** What to do about a reason of core/reasons.ts, for those about which something can be done. */
export const KOREAN_REMEDIES: Readonly<Record<string, string>> = {
  SourceDisabled: '잘못된 것이라면 소스에서 계정을 사용하도록 설정하세요.',
  NotInSource: '있어야 한다면 소스에서 찾아보고 자격 증명이 읽을 수 있는 범위를 확인하세요.',
  SourceSoftDeleted: '잘못된 것이라면 소스에서 복원하세요.',
  LinkLost: '잘못된 것이라면 실행을 되돌리고 소스 설정의 일치 기준을 고친 뒤 연결을 다시 만드세요.',
  Disputed: '미결 사항에서 같은 사람인지 결정하세요.',
  MatchAmbiguous: '미결 사항에서 하나를 선택하거나 모두 거부하세요.',
  LeftOver: '유지하려면 새 소스의 범위에 포함하거나 남는 사용자를 유지하도록 전환하세요.',
  GroupTypeExcluded: '이 유형의 그룹을 가져오려면 소스 설정의 그룹 유형에 추가하세요.',
  NotInSelectedGroup: '소스에서 선택한 그룹에 넣거나 다른 그룹을 선택하세요.',
  NestedGroupIgnored: '하위 그룹을 포함하도록 설정하거나 깊이를 늘리거나 그 그룹을 직접 선택하세요.',
  NestedGroupFlattened: '그룹 자체를 가져오려면 하위 그룹을 포함하도록 설정하세요.',
  NotUnderReferenceGroup: '모두의 상위에 있는 그룹을 경로 기준 그룹으로 선택하세요.',
  GuestExcluded: '게스트를 가져오려면 범위에서 게스트를 포함하세요.',
  MailboxTypeExcluded: '가져오려면 범위의 사서함 유형에 추가하세요.',
  DynamicMembershipExcluded: '가져오려면 동적 구성원 그룹을 포함하도록 설정하세요.',
  ScopeFilterFalse: '범위 필터를 바꾸거나 소스에서 이 계정의 값을 고치세요.',
  DomainNotAccepted: '허용된 도메인에 추가하거나 소스에서 주소를 고치세요.',
  OnMicrosoftDomain: '계정에 고유한 주소를 주거나 onmicrosoft.com 제외를 끄세요.',
  MailNotProvisioned: '소스가 주소를 줄 때까지 기다리세요. 그러면 자동으로 들어옵니다.',
  MailboxRemoved: '계정에 다시 사서함을 주거나 사서함 요구를 끄세요.',
  Unlicensed: '라이선스를 할당하거나 라이선스 요구를 끄세요.',
  MandatoryFieldMissing: '소스에서 표시된 필드를 채우세요.',
  SchemaViolation: '소스에서 표시된 값을 고치세요.',
  DuplicateSourceEntries: '소스에서 둘 중 하나의 이름을 바꾸세요.',
  DuplicateTargetEntries: '둘 중 하나의 이름을 바꾸거나 제거하세요.',
  NameHeld: '표시된 계정의 이름을 바꾸거나 제거하세요. 사용자 이름은 다음 실행에서 바뀝니다.',
  ManualOrigin: '직접 만든 항목은 사용자 또는 그룹 페이지나 SCIM에서 변경하세요.',
  DeletedByHand: '기록에서 누가 삭제했는지 확인하세요.',
  ProviderInactive: '소스를 켜거나 이 계정이 있는 다른 소스를 켜세요.',
  TenantChanged: '설정을 고치거나 계정 연결을 다시 만드는 실행을 시작하고 그 계획을 확인하세요.',
  ConsentRequired: '연결 확인에 없다고 표시된 권한을 부여하세요.',
  CredentialExpired: '새로 만들어 소스 설정에 저장하세요.',
  Throttled: '나중에 다시 실행하세요. 반복되면 실행 횟수를 줄이세요.',
  UnreadableMember: '이 종류의 구성원을 읽는 권한을 부여하세요.',
  BadLine: '표시된 줄을 고치세요.',
  DuplicateLine: '둘 중 하나를 제거하거나 각각 다른 ID를 주세요.',
  UnknownGroup: '그룹 파일에 그룹을 추가하거나 ID를 고치세요.',
  UnknownMember: '소스에서 찾아보세요. 없어졌거나 검색 범위 밖이거나 철자가 다를 수 있습니다.',
  HiddenMembership: '숨겨진 구성원을 읽는 권한을 부여하세요. Microsoft 365에서는 Member.Read.Hidden입니다.',
  Pinned: '소스가 다시 올바르면 고정을 해제하세요.',
  GuardHeld: '계획을 살펴보고 승인하거나 거부하세요.',
  SourceIncomplete: '다시 실행하세요. 반복되면 실행에 표시된 조치를 따르세요.',
  SourceEmpty: '소스를 확인하고, 정말 비어 있을 때만 계획을 승인하세요.',
  TargetConflict: '디렉터리에서는 다음 실행이 다시 계획합니다. 앱에서는 다른 항목을 제거하거나 값을 바꾸세요.',
  TargetUnavailable: '자동으로 다시 시도합니다. 계속되면 마지막 실패에 표시된 조치를 따르세요.',
  TargetNotFound: '앱의 응답을 살펴보고 기본 URL을 확인하세요.',
  TargetUnsupported: '앱의 응답을 살펴보고 값, 매핑 또는 앱의 설정을 바꾸세요.',
  StalePlan: '다음 실행에서 다시 계획합니다.',
  Superseded: '더 새로운 계획을 확인하세요.',
};

/** What is wrong with one field, as validation says it. */
const FIELD_PATTERNS: readonly (readonly [RegExp, (...found: string[]) => string])[] = [
  [/^is missing$|is needed|is required/i, () => '값을 입력하세요.'],
  [/^must not be empty$/, () => '비워 둘 수 없습니다.'],
  [/^must have at least (\d+) characters$/, (_all, n = '') => `${n}자 이상이어야 합니다.`],
  [/^must have at most (\d+) characters$/, (_all, n = '') => `${n}자 이하여야 합니다.`],
  [/^must have at least (\d+) entries$/, (_all, n = '') => `${n}개 이상이어야 합니다.`],
  [/^must have at most (\d+) entries$/, (_all, n = '') => `${n}개 이하여야 합니다.`],
  [/^must be at least (-?[\d.]+)$/, (_all, n = '') => `${n} 이상이어야 합니다.`],
  [/^must be more than (-?[\d.]+)$/, (_all, n = '') => `${n}보다 커야 합니다.`],
  [/^must be at most (-?[\d.]+)$/, (_all, n = '') => `${n} 이하여야 합니다.`],
  [/^must be less than (-?[\d.]+)$/, (_all, n = '') => `${n}보다 작아야 합니다.`],
  [/^must be a whole number/, () => '정수를 입력하세요.'],
  [/^must be (?:one of |")/, () => '선택할 수 있는 값이 아닙니다.'],
  [/^must be a whole address/, () => 'URL이 올바르지 않습니다.'],
  [/^must be a mail address/, () => '메일 주소가 올바르지 않습니다.'],
  [/^must be (?:text|a number|a list|an object|true or false)/, () => '값의 종류가 올바르지 않습니다.'],
  [/is not known here$/, () => '알 수 없는 항목이 있습니다.'],
];

function fieldInKorean(message: string): string {
  for (const [pattern, say] of FIELD_PATTERNS) {
    const found = pattern.exec(message);
    if (found !== null) return say(...found);
  }
  return `값을 확인하세요: ${message}`;
}

/** The same refusal in Korean; undefined for a code of which nothing is known here. */
export function inKorean(problem: Refused): Refused | undefined {
  const [what, remedy] = KOREAN_ERRORS[problem.code ?? ''] ?? [];
  if (what === undefined) return undefined;
  const { problems, fields, remedy: _english, ...rest } = problem;
  return {
    ...rest,
    detail: what,
    ...(remedy === undefined ? {} : { remedy }),
    ...(problems === undefined ? {} : { problems: eachInKorean(problems) }),
    ...(fields === undefined ? {} : { fields: eachInKorean(fields) }),
  };
}

/** Problems of fields, as `{ path, message }` or as `path: message`. */
function eachInKorean(problems: unknown): unknown {
  if (!Array.isArray(problems)) return problems;
  return problems.map((problem: unknown) => {
    if (typeof problem !== 'string') {
      const { message = '', ...rest } = problem as { readonly message?: string };
      return { ...rest, message: fieldInKorean(message) };
    }
    const at = problem.indexOf(': ');
    return at < 0 ? fieldInKorean(problem) : `${problem.slice(0, at)}: ${fieldInKorean(problem.slice(at + 2))}`;
  });
}
