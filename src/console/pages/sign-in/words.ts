import { words } from '../../app/i18n.ts';

export const WORDS = words({
  title: ['Sign in', '로그인'],
  lead: ['Provisioning gateway for your directory.', '디렉터리 프로비저닝 게이트웨이입니다.'],
  token: ['Admin token', '관리자 토큰'],
  tokenHint: [
    'Printed once by the first start of the gateway, or set as ADMIN_TOKEN.',
    '게이트웨이가 처음 시작할 때 한 번 출력되거나 ADMIN_TOKEN으로 설정됩니다.',
  ],
  enter: ['Sign in with the token', '토큰으로 로그인'],
  empty: ['Paste the token first.', '토큰을 먼저 붙여 넣으세요.'],
  oidc: ['Sign in with {title}', '{title}(으)로 로그인'],
  or: ['or', '또는'],
  'no-role': [
    'You are signed in, but nobody has given you a role here. Ask an administrator.',
    '로그인되었지만 여기에서 역할이 부여되지 않았습니다. 관리자에게 문의하세요.',
  ],
  'sign-in-stale': [
    'This sign-in is not known here, or took too long. Sign in again.',
    '알 수 없는 로그인이거나 시간이 너무 오래 걸렸습니다. 다시 로그인하세요.',
  ],
  'sign-in-refused': ['The identity provider refused to sign you in.', 'ID 공급자가 로그인을 거부했습니다.'],
  'issuer-unreachable': [
    'The identity provider does not answer. Try again, or sign in with a token.',
    'ID 공급자가 응답하지 않습니다. 다시 시도하거나 토큰으로 로그인하세요.',
  ],
  failed: ['The identity provider did not sign you in.', 'ID 공급자 로그인에 실패했습니다.'],
  overTitle: ['Sign in again', '다시 로그인'],
  overLead: [
    'Your session is over. Your work on this page is kept.',
    '세션이 끝났습니다. 이 페이지의 작업은 유지됩니다.',
  ],
  stepLead: ['This change needs a sign-in not older than 15 minutes.', '이 변경에는 15분 이내의 로그인이 필요합니다.'],
  otherTab: [
    '{title} opens in another tab. Come back to this one afterwards; it goes on by itself.',
    '{title} 로그인은 다른 탭에서 열립니다. 로그인한 뒤 이 탭으로 돌아오면 자동으로 계속됩니다.',
  ],
  cancel: ['Cancel', '취소'],
});
