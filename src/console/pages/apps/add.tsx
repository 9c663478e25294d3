import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useCall } from '../../api/queries.ts';
import { useT } from '../../app/i18n.ts';
import { CHANNELS } from '../../app/targets.tsx';
import { COMMON } from '../../app/words.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Choice } from '../../ui/field.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { AppFields, bodyOf, type EnteredApp, NO_APP } from './fields.tsx';
import { WORDS } from './words.ts';

const WAYS = ['token', 'push', 'webhook', 'events'] as const;
type Way = (typeof WAYS)[number];

/** A name, what it sees, and how it gets there: what comes next is the set-up of that way. */
export function AddApp({ onClose }: { readonly onClose: () => void }) {
  const t = useT(WORDS);
  const how = useT(CHANNELS);
  const common = useT(COMMON);
  const navigate = useNavigate();
  const create = useCall('POST /apps');
  const [value, setValue] = useState<EnteredApp>(NO_APP);
  const [way, setWay] = useState<Way>('token');
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('add')}
      lead={t('addLead')}
      foot={
        <>
          <Button onClick={onClose}>{common('cancel')}</Button>
          <Button
            look="primary"
            busy={create.isPending}
            off={value.name.trim() === '' ? t('nameNeeded') : undefined}
            onClick={() =>
              create.mutate(
                { body: bodyOf(value) },
                {
                  onSuccess: (app) => {
                    const search = way === 'token' ? { tab: 'access', token: 'new' } : { tab: way };
                    void navigate({ to: '/apps/$id', params: { id: app.id }, search } as never);
                  },
                },
              )
            }
          >
            {t('add')}
          </Button>
        </>
      }
    >
      <Refusal error={create.error} />
      <AppFields value={value} onChange={setValue} />
      <Choice
        legend={t('way')}
        value={way}
        onChange={setWay}
        options={WAYS.map((name) => ({ value: name, label: how(name), note: t(`${name}Note`) }))}
      />
    </Dialog>
  );
}
