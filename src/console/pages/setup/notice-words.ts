import { words } from '../../app/i18n.ts';

/** Whether Microsoft tells of changes. */
export const NOTICES = words({
  notices: ['Microsoft tells of changes', 'Microsoft의 변경 알림 받기'],
  noticesLead: [
    'A change in Microsoft 365 is then read within a minute or so, not only by the schedule. It needs an https address that Microsoft reaches (PUBLIC_URL); without one the schedule does everything.',
    '켜면 Microsoft 365의 변경을 일정과 별도로 약 1분 안에 읽습니다. Microsoft가 접근할 수 있는 https 주소(PUBLIC_URL)가 필요하며, 없으면 일정에 따라 읽습니다.',
  ],
  sweep: ['Try again after so many minutes', '다시 시도할 때까지의 시간(분)'],
  sweepHint: [
    'When the run that should read a change failed. 5 to 1440.',
    '변경을 읽을 실행이 실패한 경우입니다. 5~1440.',
  ],
});
