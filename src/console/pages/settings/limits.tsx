import { callTagged, type Tagged } from '../../api/client.ts';
import { useDocument } from '../../api/queries.ts';
import type { Guard } from '../../api/types.ts';
import { useDraft } from '../../app/conflict/draft.tsx';
import { useT } from '../../app/i18n.ts';
import { Choice, Switch, TextField } from '../../ui/field.tsx';
import { Columns } from '../../ui/layout.tsx';
import { Loaded } from '../../ui/loaded.tsx';
import { fieldErrors } from '../setup/model.ts';
import { useLimitWords } from './limit-words.ts';
import { SaveCard } from './save-card.tsx';
import { WORDS } from './words.ts';

export function LimitsTab() {
  const guard = useDocument('GET /guard');
  return <Loaded query={guard}>{(data) => <Form saved={data} />}</Loaded>;
}

type NumberField =
  | 'percent'
  | 'minObjects'
  | 'maxDeletes'
  | 'membershipPercent'
  | 'groupMembershipPercent'
  | 'attributePercent';
const FIELDS = [
  ['percent', 'percent', 'percentHint'],
  ['minObjects', 'minObjects', 'minHint'],
  ['maxDeletes', 'maxDeletes', 'minHint'],
  ['membershipPercent', 'membershipPercent', 'inPercent'],
  ['groupMembershipPercent', 'groupPercent', 'inPercent'],
  ['attributePercent', 'attributePercent', 'inPercent'],
] as const satisfies readonly (readonly [NumberField, keyof typeof WORDS, keyof typeof WORDS])[];

function Form({ saved }: { readonly saved: Tagged<Guard> }) {
  const t = useT(WORDS);
  const draft = useDraft({
    saved,
    shape: (guard: Guard) => guard,
    read: () => callTagged('GET /guard'),
    write: (body, { etag: ifMatch }) => callTagged('PUT /guard', { body, ifMatch }),
    topic: 'guard',
    ...useLimitWords(),
  });
  const { value, setValue } = draft;
  const errors = fieldErrors(draft.error, draft.refused, draft.value);
  return (
    <SaveCard lead={t('limitsLead')} draft={draft}>
      <Switch
        label={t('enabled')}
        checked={value.enabled ?? true}
        onChange={(enabled) => setValue({ ...value, enabled })}
      />
      <Columns>
        {FIELDS.map(([name, label, hint]) => (
          <TextField
            key={name}
            label={t(label)}
            hint={t(hint)}
            type="number"
            min={0}
            value={String(value[name] ?? '')}
            error={errors[name]}
            onChange={(text) => setValue({ ...value, [name]: Number(text) })}
          />
        ))}
      </Columns>
      <TextField
        label={t('protect')}
        hint={t('protectHint')}
        mono
        value={value.protect ?? ''}
        error={errors['protect']}
        onChange={(text) => setValue({ ...value, protect: text === '' ? null : text })}
      />
      <Choice
        legend={t('holds')}
        value={value.holds ?? 'class'}
        onChange={(holds) => setValue({ ...value, holds })}
        options={[
          { value: 'class', label: t('holdsClass') },
          { value: 'plan', label: t('holdsPlan') },
        ]}
      />
    </SaveCard>
  );
}
