import { callTagged, type Tagged } from '../../api/client.ts';
import { useDocument } from '../../api/queries.ts';
import type { DirectorySettings } from '../../api/types.ts';
import { useDraft } from '../../app/conflict/draft.tsx';
import { useT } from '../../app/i18n.ts';
import { Choice } from '../../ui/field.tsx';
import { Loaded } from '../../ui/loaded.tsx';
import { SaveCard } from './save-card.tsx';
import { WORDS } from './words.ts';

export function DirectoryTab() {
  const settings = useDocument('GET /directory');
  return <Loaded query={settings}>{(data) => <Form saved={data} />}</Loaded>;
}

function Form({ saved }: { readonly saved: Tagged<DirectorySettings> }) {
  const t = useT(WORDS);
  const draft = useDraft({
    saved,
    shape: (settings: DirectorySettings) => settings,
    read: () => callTagged('GET /directory'),
    write: (body, { etag: ifMatch }) => callTagged('PUT /directory', { body, ifMatch }),
    topic: 'directory',
    nameOf: () => t('localEdits'),
    sayValue: (_path, edits) => t(edits === 'overwrite' ? 'overwrite' : 'reject'),
  });
  const { value, setValue } = draft;
  return (
    <SaveCard draft={draft}>
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
