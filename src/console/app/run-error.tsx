// Why a run or a read of the source failed: the gateway says it in English, and here is the same in Korean.
import type { RunError } from '../api/types.ts';
import { useLanguage } from './i18n.ts';

type Said = readonly [what: string, remedy: string];

/** By the kind of failure: what happened, and what mends it. */
const KOREAN: Readonly<Record<RunError['failure'], Said>> = {
  network: ['소스에 연결할 수 없습니다.', '네트워크, 프록시, 소스 설정의 주소를 확인하세요.'],
  auth: ['소스가 자격 증명을 받아들이지 않습니다.', '소스 설정의 자격 증명을 확인하고 연결을 확인하세요.'],
  consent: ['애플리케이션에 필요한 권한이 없습니다.', '연결 확인에 표시되는 권한을 애플리케이션에 부여하세요.'],
  throttled: ['소스가 요청을 제한했습니다.', '다음 실행에서 다시 시도합니다. 반복되면 실행 횟수를 줄이세요.'],
  server: ['소스에서 오류가 발생했습니다.', '다음 실행에서 다시 시도합니다. 반복되면 소스의 서비스 상태를 확인하세요.'],
  'source-incomplete': ['소스를 끝까지 읽지 못했습니다.', '다시 실행하세요. 이 때문에 제거된 항목은 없습니다.'],
  config: ['소스 설정이 올바르지 않습니다.', '소스 설정을 확인하고 다시 저장한 뒤 연결을 확인하세요.'],
  internal: ['게이트웨이 내부 오류입니다.', '다시 실행하세요. 반복되면 이 실행의 로그와 함께 알려 주세요.'],
};

/** Those of which more is known than their kind. */
const BY_CODE: Readonly<Record<string, Said>> = {
  'run-abandoned': [
    '실행을 처리하던 프로세스가 끝났거나 데이터베이스 연결을 잃었습니다.',
    '다시 실행하면 남은 작업을 마칩니다. 반복되면 프로세스 로그를 확인하세요.',
  ],
  'tenant-mismatch': [
    '다른 테넌트의 관리자가 승인했습니다.',
    '입력한 테넌트의 관리자로 로그인하거나 테넌트를 고치세요.',
  ],
  'file-missing': ['사용자 파일이 없습니다.', '사용자 파일을 올리세요.'],
  'file-empty': ['파일이 비어 있습니다.', '파일을 다시 가져오세요. 아무도 없는 파일에도 머리글은 있어야 합니다.'],
  'tls-not-trusted': ['서버 인증서를 신뢰할 수 없습니다.', '인증서를 발급한 기관을 신뢰하도록 설정하세요.'],
};

/** What happened and what to do; in Korean the gateway's own sentence stands below, for whoever looks it up. */
export function RunErrorText({ error }: { readonly error: Pick<RunError, 'failure' | 'code' | 'message' | 'remedy'> }) {
  if (useLanguage() !== 'ko')
    return (
      <>
        {error.message} {error.remedy}
      </>
    );
  const [what, remedy] = BY_CODE[error.code] ?? KOREAN[error.failure] ?? KOREAN.internal;
  return (
    <>
      {what} {remedy}
      <small lang="en" style={{ display: 'block', marginTop: 4 }}>
        {error.message}
      </small>
    </>
  );
}
