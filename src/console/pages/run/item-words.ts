// What an item of a plan says in words, wherever the gateway keeps a code.
import { useT, words } from '../../app/i18n.ts';
import { PROVIDERS } from '../../app/words.ts';
import { ATTRIBUTES } from '../people/attribute-words.ts';
import type { Item } from './changes.tsx';

const WORDS = words({
  stays: ['Stays with {to} under another id there', '{to}에 그대로 있으며 그곳의 ID만 바뀜'],
  moves: ['From {from} to {to}; the id here stays', '{from}에서 {to}(으)로. 여기의 ID는 유지'],
  lost: ['No longer linked to a record of {from}', '{from}의 레코드와 더 이상 연결되지 않음'],
  matchedBy: ['Found by {what}', '{what}(으)로 찾음'],
  former: ['an earlier link', '이전 연결'],
  chosen: ["somebody's choice", '사람의 선택'],
  externalId: ['the id in the source', '소스의 ID'],
});

/** What a reason is about, where the gateway says it by a code of the source. */
export const DETAILS = words({
  mailbox: ['The mailbox is missing', '사서함이 없음'],
  user: ['A mailbox of a person', '사용자 사서함'],
  shared: ['A shared mailbox', '공유 사서함'],
  room: ['A room', '회의실'],
  equipment: ['Equipment', '장비'],
  others: ['Another kind of mailbox', '다른 유형의 사서함'],
  sharedOrResource: ['Probably shared, or of a room', '공유 또는 회의실 사서함으로 추정'],
  unknown: ['Of a kind that is not known', '알 수 없는 유형'],
  security: ['A security group', '보안 그룹'],
  mailEnabledSecurity: ['A mail-enabled security group', '메일 사용 가능 보안 그룹'],
  distribution: ['A distribution list', '배포 목록'],
  microsoft365: ['A Microsoft 365 group', 'Microsoft 365 그룹'],
});
const TYPED: ReadonlySet<string> = new Set([
  ...['MailNotProvisioned', 'MailboxRemoved', 'MailboxTypeExcluded', 'GroupTypeExcluded'],
]);
const LINKED: ReadonlySet<string> = new Set(['Linked', 'Relinked', 'Adopted']);

/** Whose somebody was and will be, in a line; undefined where that stays. */
export function useLinkWords({ link }: Item): string | undefined {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  if (link === null) return undefined;
  const [from, to] = [link.before.origin, link.after.origin].map((origin) => names(origin as keyof typeof PROVIDERS));
  if (link.after.externalId === null) return t('lost', { from: from ?? '' });
  return t(link.before.origin === link.after.origin ? 'stays' : 'moves', { from: from ?? '', to: to ?? '' });
}

/** What a reason is about; undefined where it says enough. */
export function useDetail(): (item: Item) => string | undefined {
  const t = useT(WORDS);
  const typed = useT(DETAILS);
  const names = useT(ATTRIBUTES);
  return ({ reason, detail }) => {
    if (detail === null) return undefined;
    if (TYPED.has(reason) && detail in DETAILS) return typed(detail as keyof typeof DETAILS);
    if (!LINKED.has(reason)) return detail;
    const attribute = detail in ATTRIBUTES ? names(detail as keyof typeof ATTRIBUTES) : undefined;
    return t('matchedBy', { what: attribute ?? (detail in WORDS ? t(detail as keyof typeof WORDS) : detail) });
  };
}
