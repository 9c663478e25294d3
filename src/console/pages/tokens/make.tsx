import { Copy } from 'lucide-react';
import { useState } from 'react';
import { useCall } from '../../api/queries.ts';
import { useT } from '../../app/i18n.ts';
import { COMMON } from '../../app/words.ts';
import { Banner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { SelectField, TextField } from '../../ui/field.tsx';
import { Row } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { copy } from '../apps/copy.ts';
import { WORDS } from './words.ts';

const DAY_MS = 86_400_000;
const LIVES_DAYS = ['', '30', '90', '365'] as const;

interface Whose {
  readonly id: string;
  readonly name: string;
}

/**
 * Makes a token and shows it once; nothing closes the dialog by accident.
 * @param app whose it is; where it is asked for, `apps` are those to choose from, beside administrators and programs
 */
export function MakeToken({
  app,
  apps = [],
  onClose,
}: {
  readonly app?: Whose;
  readonly apps?: readonly Whose[];
  readonly onClose: () => void;
}) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const ofApp = useCall('POST /apps/{id}/tokens');
  const ofProgram = useCall('POST /tokens');
  const [name, setName] = useState('');
  const [appId, setAppId] = useState(app?.id ?? '');
  const [role, setRole] = useState<'viewer' | 'operator' | 'admin'>('viewer');
  const [scope, setScope] = useState<'scim:read' | 'scim:write'>('scim:read');
  const [days, setDays] = useState('');
  const token = ofApp.data?.token ?? ofProgram.data?.token;
  const expiresAt = days === '' ? null : new Date(Date.now() + Number(days) * DAY_MS).toISOString();

  function make(): void {
    if (appId === '') ofProgram.mutate({ body: { name, scopes: [role], expiresAt } });
    else {
      const scopes = scope === 'scim:read' ? (['scim:read'] as const) : (['scim:read', 'scim:write'] as const);
      ofApp.mutate({ path: { id: appId }, body: { name, scopes: [...scopes], expiresAt } });
    }
  }

  return (
    <Dialog
      open
      sticky={token !== undefined}
      onClose={onClose}
      title={token === undefined ? t('makeToken') : t('once')}
      foot={
        token === undefined ? (
          <>
            <Button onClick={onClose}>{common('cancel')}</Button>
            <Button
              look="primary"
              off={appId === '' && name.trim() === '' ? t('nameNeeded') : undefined}
              busy={ofApp.isPending || ofProgram.isPending}
              onClick={make}
            >
              {t('makeToken')}
            </Button>
          </>
        ) : (
          <Button look="primary" onClick={onClose}>
            {t('saved')}
          </Button>
        )
      }
    >
      <Refusal error={ofApp.error ?? ofProgram.error} />
      {token === undefined ? (
        <>
          {app === undefined ? (
            <SelectField
              label={t('whose')}
              value={appId}
              onChange={setAppId}
              options={[['', t('programs')], ...apps.map((one) => [one.id, one.name] as const)]}
            />
          ) : null}
          <TextField
            label={t('tokenName')}
            hint={appId === '' ? undefined : t('tokenNameHint')}
            value={name}
            onChange={setName}
          />
          {appId === '' ? (
            <SelectField
              label={t('scope')}
              value={role}
              onChange={(next) => setRole(next as typeof role)}
              options={(['viewer', 'operator', 'admin'] as const).map((one) => [one, t(one)] as const)}
            />
          ) : (
            <SelectField
              label={t('scope')}
              value={scope}
              onChange={(next) => setScope(next as typeof scope)}
              options={(['scim:read', 'scim:write'] as const).map((one) => [one, t(one)] as const)}
            />
          )}
          <SelectField
            label={t('expires')}
            value={days}
            onChange={setDays}
            options={LIVES_DAYS.map(
              (life) => [life, life === '' ? t('never') : t('days', { n: Number(life) })] as const,
            )}
          />
        </>
      ) : (
        <>
          <Banner tone="amber" title={t('onceText')} />
          <Row>
            <code style={{ overflowWrap: 'anywhere', flex: '1 1 240px' }}>{token}</code>
            <Button icon={<Copy size={15} />} onClick={() => void copy(token, t('copied'))}>
              {t('copy')}
            </Button>
          </Row>
        </>
      )}
    </Dialog>
  );
}
