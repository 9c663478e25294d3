import { callTagged, type Tagged } from '../../api/client.ts';
import { useDocument } from '../../api/queries.ts';
import type { Retention } from '../../api/types.ts';
import { useDraft } from '../../app/conflict/draft.tsx';
import { useT } from '../../app/i18n.ts';
import { TextField } from '../../ui/field.tsx';
import { Columns } from '../../ui/layout.tsx';
import { Loaded } from '../../ui/loaded.tsx';
import { fieldErrors } from '../setup/model.ts';
import { SaveCard } from './save-card.tsx';
import { WORDS } from './words.ts';

const FIELDS = [
  ['runs', 'runs', 7],
  ['plans', 'plans', 7],
  ['tombstones', 'tombstones', 1],
  ['changes', 'changeLog', 30],
  ['audit', 'audit', 30],
] as const satisfies readonly (readonly [keyof Retention, keyof typeof WORDS, number])[];

export function RetentionTab() {
  const retention = useDocument('GET /retention');
  return <Loaded query={retention}>{(data) => <Form saved={data} />}</Loaded>;
}

function Form({ saved }: { readonly saved: Tagged<Retention> }) {
  const t = useT(WORDS);
  const draft = useDraft({
    saved,
    shape: (retention: Retention) => retention,
    read: () => callTagged('GET /retention'),
    write: (body, { etag: ifMatch }) => callTagged('PUT /retention', { body, ifMatch }),
    topic: 'retention',
    nameOf: (path) => {
      const field = FIELDS.find(([name]) => name === path);
      return field === undefined ? undefined : t(field[1]);
    },
  });
  const { value, setValue } = draft;
  const errors = fieldErrors(draft.error, draft.refused, draft.value);
  return (
    <SaveCard lead={t('retentionLead')} draft={draft}>
      <Columns>
        {FIELDS.map(([name, label, least]) => (
          <TextField
            key={name}
            label={t(label)}
            hint={t('atLeast', { n: least })}
            type="number"
            min={least}
            value={value[name] === null || value[name] === undefined ? '' : String(value[name])}
            error={errors[name]}
            onChange={(text) => setValue({ ...value, [name]: text === '' ? null : Number(text) })}
          />
        ))}
      </Columns>
    </SaveCard>
  );
}
