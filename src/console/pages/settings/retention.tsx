import { useState } from 'react';
import { useCall, useGet } from '../../api/queries.ts';
import type { Retention } from '../../api/types.ts';
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
  const retention = useGet('GET /retention');
  return <Loaded query={retention}>{(data) => <Form saved={data} />}</Loaded>;
}

function Form({ saved }: { readonly saved: Retention }) {
  const t = useT(WORDS);
  const save = useCall('PUT /retention');
  const [value, setValue] = useState(saved);
  const errors = fieldErrors(save.error);
  return (
    <SaveCard
      lead={t('retentionLead')}
      save={save}
      onSave={(done) => save.mutate({ body: value }, { onSuccess: done })}
    >
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
