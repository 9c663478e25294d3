// What one line of the list says, in words.
import type { Sending } from '../../api/types.ts';
import { relative } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useFailed, useFailedThere } from '../../app/korean.ts';
import { Badge } from '../../ui/badge.tsx';
import { ACTIONS, WORDS } from './words.ts';

export function nameOf(item: Pick<Sending, 'display' | 'resourceId'>, t: (key: 'gone' | 'message') => string): string {
  return item.display ?? (item.resourceId === null ? t('message') : t('gone'));
}

/** What was done there, or which message it is. */
export function useWhat(): (item: Pick<Sending, 'channel' | 'what' | 'state' | 'resourceType'>) => string {
  const action = useT(ACTIONS);
  return ({ channel, what, state, resourceType }) => {
    if (channel === 'push' && (state !== 'delivered' || what === null))
      return action(resourceType === 'Group' ? 'aGroup' : 'aUser');
    if (what === null) return '';
    if (what in ACTIONS) return action(what as keyof typeof ACTIONS);
    return what.replace('urn:ietf:params:scim:event:', '');
  };
}

const TONE = { delivered: 'green', pending: 'grey', sending: 'blue', dead: 'red', held: 'amber' } as const;

export function SendingResult({
  item,
}: {
  readonly item: Pick<Sending, 'state' | 'what' | 'error' | 'nextAttemptAt'>;
}) {
  const t = useT(WORDS);
  const language = useLanguage();
  const failed = useFailed();
  const causeText = useFailedThere();
  const isRetry = item.state === 'pending' && item.error !== null;
  const word = item.what === 'dropped' && item.state === 'delivered' ? 'dropped' : item.state;
  const small =
    item.state === 'delivered'
      ? null
      : isRetry && item.nextAttemptAt !== null && new Date(item.nextAttemptAt) > new Date()
        ? t('retrying', { t: relative(item.nextAttemptAt, language) })
        : item.error === null
          ? null
          : causeText({ ...item.error, message: failed(item.error) });
  return (
    <>
      <Badge tone={isRetry ? 'amber' : word === 'dropped' ? 'grey' : TONE[item.state]}>{t(word)}</Badge>
      {small === null || small === undefined ? null : (
        <small style={{ display: 'block', color: 'var(--muted)', maxWidth: '44ch' }}>{small}</small>
      )}
    </>
  );
}
