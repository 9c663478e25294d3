import { useGet } from '../../api/queries.ts';
import { useT } from '../../app/i18n.ts';
import { Check, Options, TextField } from '../../ui/field.tsx';
import { Stack } from '../../ui/layout.tsx';
import type { SectionProps } from './connect.tsx';
import type { M365Scope } from './model.ts';
import css from './setup.module.css';
import { WORDS } from './words.ts';

const FIELDS_SHOWN = 12;

/** Who of those is left out. */
export function FiltersSection({ value, onChange, errors }: SectionProps) {
  const t = useT(WORDS);
  const { scope } = value;
  const set = (changes: Partial<M365Scope>): void => onChange({ ...value, scope: { ...scope, ...changes } });
  return (
    <Stack>
      <TextField
        label={t('filter')}
        hint={t('filterHint')}
        lines
        mono
        value={scope.filter}
        error={errors['scope.filter']}
        onChange={(filter) => set({ filter })}
      />
      <Completion text={scope.filter} onChange={(filter) => set({ filter })} />
      <TextField
        label={t('domains')}
        hint={t('domainsHint')}
        lines
        value={scope.domains.join('\n')}
        error={Object.entries(errors).find(([path]) => path.startsWith('scope.domains'))?.[1]}
        onChange={(text) => set({ domains: text === '' ? [] : text.split('\n') })}
      />
      <Options legend={t('filters')}>
        <Check
          label={t('excludeOnMicrosoft')}
          checked={scope.excludeOnMicrosoft}
          onChange={(excludeOnMicrosoft) => set({ excludeOnMicrosoft })}
        />
        <Check
          label={t('requireLicence')}
          checked={scope.requireLicence}
          onChange={(requireLicence) => set({ requireLicence })}
        />
        <Check
          label={t('requireMailbox')}
          checked={scope.requireMailbox}
          onChange={(requireMailbox) => set({ requireMailbox })}
        />
      </Options>
    </Stack>
  );
}

/** Fields that go on with the last word; a press puts the field and an example in. */
function Completion({ text, onChange }: { readonly text: string; readonly onChange: (text: string) => void }) {
  const t = useT(WORDS);
  const word = /[A-Za-z][\w/]*$/.exec(text)?.[0] ?? '';
  const { data } = useGet('GET /providers/{kind}/source/fields', {
    path: { kind: 'microsoft365' },
    query: { prefix: word },
  });
  const fields = (data?.items ?? []).slice(0, FIELDS_SHOWN);
  if (fields.length === 0) return null;
  return (
    // biome-ignore lint/a11y/useSemanticElements: suggestions are no fieldset of the form
    <div className={css.fields} role="group" aria-label={t('fields')}>
      {fields.map(({ name, example, type }) => (
        <button
          key={name}
          type="button"
          title={`${type} · ${example}`}
          onClick={() => onChange(`${text.slice(0, text.length - word.length)}${example}`)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}
