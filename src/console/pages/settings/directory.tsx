import { useState } from 'react';
import { useCall, useGet } from '../../api/queries.ts';
import type { DirectorySettings } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { Choice } from '../../ui/field.tsx';
import { Loaded } from '../../ui/loaded.tsx';
import { SaveCard } from './save-card.tsx';
import { WORDS } from './words.ts';

export function DirectoryTab() {
  const settings = useGet('GET /directory');
  return <Loaded query={settings}>{(data) => <Form saved={data} />}</Loaded>;
}

function Form({ saved }: { readonly saved: DirectorySettings }) {
  const t = useT(WORDS);
  const save = useCall('PUT /directory');
  const [value, setValue] = useState(saved);
  return (
    <SaveCard save={save} onSave={(done) => save.mutate({ body: value }, { onSuccess: done })}>
      <Choice
        legend={t('localEdits')}
        value={value.localEdits ?? 'reject'}
        onChange={(localEdits) => setValue({ ...value, localEdits })}
        options={[
          { value: 'reject', label: t('reject'), note: t('rejectNote') },
          { value: 'overwrite', label: t('overwrite'), note: t('overwriteNote') },
        ]}
      />
    </SaveCard>
  );
}
