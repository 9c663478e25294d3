// Why one who was removed cannot be brought back: the gateway says it in English, and here is the same in Korean.
import { useLanguage } from '../../app/i18n.ts';

interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly remedy: string | null;
}

const KOREAN: Readonly<Record<string, string>> = {
  'source-would-remove':
    '활성 소스에 없거나 범위에 포함되지 않아 다음 동기화 때 다시 제거됩니다. 소스에서 되돌리면 다음 동기화가 같은 ID로 복원합니다. 제거한 실행을 취소하면 해제할 때까지 유지됩니다.',
  'name-taken': '다른 사용자가 지금 이 사용자 이름을 사용합니다. 먼저 그 사용자의 이름을 바꾸거나 제거하세요.',
  'link-taken': '다른 항목이 지금 소스의 같은 계정에 연결되어 있습니다. 먼저 그 항목을 제거하세요.',
  'not-removed': '제거되지 않았습니다.',
};

export function useRefusal(): (refusal: Refusal) => string {
  const language = useLanguage();
  return ({ code, message, remedy }) =>
    language === 'ko' ? (KOREAN[code] ?? message) : [message, remedy].filter(Boolean).join(' ');
}
