import type { Token } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { Badge } from '../../ui/badge.tsx';
import { WORDS } from './words.ts';

/** Whether a token still lets somebody in. */
export function isOver({ revokedAt, expiresAt }: Pick<Token, 'revokedAt' | 'expiresAt'>): boolean {
  return revokedAt !== null || (expiresAt !== null && new Date(expiresAt) < new Date());
}

export function TokenState({ token }: { readonly token: Token }) {
  const t = useT(WORDS);
  if (token.revokedAt !== null) return <Badge tone="red">{t('revoked')}</Badge>;
  return isOver(token) ? <Badge tone="amber">{t('ended')}</Badge> : <Badge tone="green">{t('live')}</Badge>;
}
