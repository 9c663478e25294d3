import { Waypoints } from 'lucide-react';
import { useState } from 'react';
import { useCall, useGet } from '../../api/queries.ts';
import type { ScimResource } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { useNeeds } from '../../app/session.tsx';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { toast } from '../../ui/toast.tsx';
import { fromM365, type Json, toM365 } from '../setup/model.ts';
import { nameOf } from './name-of.ts';
import { WORDS } from './words.ts';

/** Makes a group the one at which the group paths of users begin. */
export function PathGroup({ resource }: { readonly resource: ScimResource }) {
  const t = useT(WORDS);
  const needs = useNeeds('admin');
  const [asking, setAsking] = useState(false);
  const isSource = resource.state.origin === 'microsoft365';
  const saved = useGet('GET /providers/{kind}', { path: { kind: 'microsoft365' }, enabled: isSource });
  const save = useCall('PUT /providers/{kind}');
  const id = String((resource as unknown as { externalId?: string }).externalId ?? '');
  const name = nameOf(resource);
  const settings = saved.data as Json | undefined;
  const is = settings !== undefined && toM365(settings).pathDisplay.rootGroupId === id;
  const off = isSource ? (is ? t('isPath') : needs) : t('onlyM365');

  function begin(): void {
    if (settings === undefined) return;
    save.mutate(
      {
        path: { kind: 'microsoft365' },
        body: fromM365({ ...toM365(settings), pathDisplay: { rootGroupId: id } }) as never,
        ifMatch: String(settings['configVersion']),
      },
      {
        onSuccess: () => {
          setAsking(false);
          toast(t('setPathDone', { name }));
        },
      },
    );
  }

  return (
    <>
      <Button icon={<Waypoints size={16} />} off={off} onClick={() => setAsking(true)}>
        {t('setPath')}
      </Button>
      {asking ? (
        <ConfirmDialog
          onClose={() => setAsking(false)}
          title={t('setPathTitle', { name })}
          lead={t('setPathText')}
          action={t('setPath')}
          look="primary"
          call={save}
          onConfirm={begin}
        />
      ) : null}
    </>
  );
}
