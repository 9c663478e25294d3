import { useGet } from '../../api/queries.ts';
import { dateTime } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useSession } from '../../app/session.tsx';
import { ROLES } from '../../app/words.ts';
import { Card, Pairs } from '../../ui/layout.tsx';
import { WORDS } from './words.ts';

export function AboutTab() {
  const t = useT(WORDS);
  const roles = useT(ROLES);
  const language = useLanguage();
  const { session } = useSession();
  const ways = useGet('GET /sign-in');
  const document = useGet('GET /openapi.json');
  const version = (document.data as { info?: { version?: string } } | undefined)?.info?.version;
  return (
    <Card>
      <Pairs
        items={[
          [t('signedInAs'), session.name],
          [t('role'), roles(session.role)],
          [t('method'), t(session.method)],
          [t('since'), dateTime(session.signedInAt, language)],
          [t('ends'), dateTime(session.expiresAt, language)],
          [t('issuer'), ways.data?.oidc?.title ?? t('noIssuer')],
          [
            t('api'),
            <a key="api" href="/api/docs">
              {t('apiLink')}
            </a>,
          ],
          [t('version'), version ?? '…'],
        ]}
      />
    </Card>
  );
}
