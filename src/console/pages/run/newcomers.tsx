import { TriangleAlert } from 'lucide-react';
import type { Newcomers as Coming } from '../../api/types.ts';
import { count } from '../../app/format.ts';
import { useLanguage, useT, words } from '../../app/i18n.ts';
import { DETAILS } from './item-words.ts';
import css from './run.module.css';

const WORDS = words({
  title: ['Who would come in', '새로 들어올 사용자'],
  users: ['{n} {n|user|users}', '사용자 {n}명'],
  guests: ['{n} {n|is a guest|are guests} of another organization', '다른 조직의 게스트 {n}명'],
  disabled: ['{n} cannot sign in at the source', '소스에서 로그인할 수 없는 사용자 {n}명'],
  unlicensed: ['{n} {n|has|have} no licence', '라이선스가 없는 사용자 {n}명'],
  onMicrosoft: ['{n} {n|has|have} an onmicrosoft.com name only', 'onmicrosoft.com 이름만 있는 사용자 {n}명'],
  note: ['If they should stay out, change the scope of the source first.', '제외하려면 먼저 소스의 범위를 변경하세요.'],
  domains: ['By domain', '도메인별'],
  mailboxes: ['By mailbox', '사서함별'],
  none: ['none', '없음'],
});

const DOUBTS = ['guests', 'disabled', 'unlicensed', 'onMicrosoft'] as const;
const SHOWN = 4;

/** Before a first run: how many come in, and of them those whom nobody may have meant. */
export function Newcomers({ coming }: { readonly coming: Coming }) {
  const t = useT(WORDS);
  const mailbox = useT(DETAILS);
  const language = useLanguage();
  const doubts = DOUBTS.filter((doubt) => coming[doubt] > 0);
  const listed = (shares: Coming['domains']): string =>
    shares
      .slice(0, SHOWN)
      .map(({ value, count: n }) => `${value ?? t('none')}: ${count(n, language)}`)
      .join(' · ');
  const mailboxes = coming.mailboxTypes.map(({ value, count: n }) => ({
    value: value !== null && value in DETAILS ? mailbox(value as keyof typeof DETAILS) : value,
    count: n,
  }));
  return (
    <div className={css.part}>
      <h3>{t('title')}</h3>
      <p>
        <b>{t('users', { n: coming.users })}</b>
      </p>
      {doubts.length === 0 ? null : (
        <ul>
          {doubts.map((doubt) => (
            <li key={doubt}>
              <TriangleAlert size={14} aria-hidden /> {t(doubt, { n: coming[doubt] })}
            </li>
          ))}
        </ul>
      )}
      <p className={css.note}>
        {t('domains')} – {listed(coming.domains)}
      </p>
      <p className={css.note}>
        {t('mailboxes')} – {listed(mailboxes)}
      </p>
      {doubts.length === 0 ? null : <p className={css.note}>{t('note')}</p>}
    </div>
  );
}
