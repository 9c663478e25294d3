import { Copy, KeyRound } from 'lucide-react';
import { useState } from 'react';
import { useCall, useList } from '../../api/queries.ts';
import { useT } from '../../app/i18n.ts';
import { useNeeds } from '../../app/session.tsx';
import { Banner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { SelectField } from '../../ui/field.tsx';
import { Row, Stack } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { copy } from '../apps/copy.ts';
import { SCIM } from './scim-words.ts';
import css from './setup.module.css';

/** Whose tokens may write, and a new one, shown once. The first makes the app that it belongs to. */
export function IdpToken({
  appId,
  onChange,
}: {
  readonly appId: string | null;
  readonly onChange: (appId: string | null) => void;
}) {
  const t = useT(SCIM);
  const needs = useNeeds('admin');
  const apps = useList('GET /apps');
  const add = useCall('POST /apps');
  const make = useCall('POST /apps/{id}/tokens');
  const [shown, setShown] = useState<string | undefined>(undefined);

  async function create(): Promise<void> {
    const id = appId ?? (await add.mutateAsync({ body: { name: t('appName') } })).id;
    onChange(id);
    const { token } = await make.mutateAsync({
      path: { id },
      body: { name: t('appName'), scopes: ['scim:read', 'scim:write'] },
    });
    setShown(token);
  }

  return (
    <Stack>
      <Refusal error={add.error ?? make.error} />
      <SelectField
        label={t('whose')}
        hint={t(appId === null ? 'whoseAll' : 'whoseOne')}
        value={appId ?? ''}
        onChange={(id) => onChange(id === '' ? null : id)}
        options={[['', t('anyApp')], ...apps.items.map(({ id, name }) => [id, name] as const)]}
      />
      <div>
        <Button
          icon={<KeyRound size={16} />}
          off={needs}
          busy={add.isPending || make.isPending}
          onClick={() => void create().catch(() => undefined)}
        >
          {t('makeToken')}
        </Button>
      </div>
      {shown === undefined ? null : (
        <Dialog
          open
          sticky
          onClose={() => setShown(undefined)}
          title={t('once')}
          foot={
            <Button look="primary" onClick={() => setShown(undefined)}>
              {t('kept')}
            </Button>
          }
        >
          <Banner tone="amber" title={t('onceText')} />
          <Row>
            <code className={css.copied}>{shown}</code>
            <Button icon={<Copy size={15} />} onClick={() => void copy(shown, t('copied'))}>
              {t('copyToken')}
            </Button>
          </Row>
        </Dialog>
      )}
    </Stack>
  );
}
