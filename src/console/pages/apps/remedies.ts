// What mends a way out: the gateway says it in English, and here is the same in Korean.
import type { TargetHealth } from '../../api/types.ts';
import { useLanguage } from '../../app/i18n.ts';

const KOREAN: Readonly<Record<string, string>> = {
  unreachable: '대상에 연결할 수 있는지 확인하세요.',
  'target-throttled': '조치할 것이 없습니다. 요청받은 시간만큼 기다립니다.',
  'target-failed': '아직 조치할 것이 없습니다. 다시 시도하며, 반복되면 대상 운영자에게 문의하세요.',
  'target-refused-us': '사용자와 그룹을 읽고 쓸 수 있는 유효한 자격 증명을 입력하세요.',
  'not-scim': '기본 URL을 확인하세요. SCIM 서비스의 주소여야 합니다.',
  'target-gone': '조치할 것이 없습니다. 다시 만들어집니다.',
  'target-conflict': '대상의 다른 항목이 같은 값을 가지고 있습니다. 제거하거나 여기의 값을 바꾸세요.',
  'target-changed': '조치할 것이 없습니다. 다시 읽고 다시 시도합니다.',
  'target-unsupported': '대상이 받아들이는 방식으로 설정을 바꾸세요.',
  'target-refused': '응답을 확인하고 값을 고치거나 매핑을 바꾼 다음 다시 보내세요.',
  'too-many-failures': '실패한 전송을 확인하세요. 대부분 원인이 같습니다.',
};

/** The remedy of a cause: the gateway's own, or the Korean one. */
export function useRemedy(): (cause: NonNullable<TargetHealth['reason']>) => string {
  const language = useLanguage();
  return ({ code, remedy }) => (language === 'ko' ? (KOREAN[code] ?? remedy ?? '') : (remedy ?? ''));
}

const MESSAGES: Readonly<Record<string, string>> = {
  unreachable: '대상에 연결할 수 없습니다.',
  'target-throttled': '대상이 요청을 제한했습니다{status}.',
  'target-failed': '대상에서 오류가 발생했습니다{status}.',
  'target-refused-us': '대상이 자격 증명을 거부했습니다{status}.',
  'not-scim': '대상이 SCIM으로 응답하지 않았습니다{status}.',
  'target-gone': '대상에 더 이상 없습니다{status}.',
  'target-conflict': '대상의 다른 항목과 충돌합니다{status}.',
  'target-changed': '대상에서 그사이 변경되었습니다{status}.',
  'target-unsupported': '대상이 지원하지 않는 요청입니다{status}.',
  'target-refused': '대상이 거부했습니다{status}.',
  'too-many-failures': '최근 응답 중 실패가 너무 많습니다.',
};

/** What went wrong: the gateway's own sentence, or the Korean one with the answer's status. */
export function useCauseText(): (cause: { readonly code: string; readonly message: string }) => string {
  const language = useLanguage();
  return ({ code, message }) => {
    const said = MESSAGES[code];
    if (language !== 'ko' || said === undefined) return message;
    const status = /\b[1-5]\d\d\b/.exec(message)?.[0];
    return said.replace('{status}', status === undefined ? '' : ` (${status})`);
  };
}
