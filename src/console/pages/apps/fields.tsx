import { useEffect, useState } from 'react';
import { useAsk } from '../../api/queries.ts';
import type { App } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { SelectField, TextField } from '../../ui/field.tsx';
import { Columns, Stack } from '../../ui/layout.tsx';
import { GroupsField } from './groups-field.tsx';
import { WORDS } from './words.ts';

type Scope = NonNullable<App['scope']>;
type Sees = 'everything' | 'usersOnly' | 'groupsOnly';

export interface EnteredApp {
  readonly name: string;
  readonly sees: Sees;
  readonly userFilter: string;
  readonly groupFilter: string;
  /** Paths, with commas between. */
  readonly attributes: string;
  readonly groups: readonly string[];
}

export const NO_APP: EnteredApp = {
  ...{ name: '', sees: 'everything', userFilter: '', groupFilter: '', attributes: '', groups: [] },
};

export function enteredOf({ name, scope }: App): EnteredApp {
  const { resourceTypes: types, userFilter = '', groupFilter = '', attributes = [], groups = [] } = scope ?? {};
  const sees: Sees = types?.length === 1 ? (types[0] === 'User' ? 'usersOnly' : 'groupsOnly') : 'everything';
  return { name, sees, userFilter, groupFilter, attributes: attributes.join(', '), groups };
}

export function bodyOf(value: EnteredApp): { name: string; scope: App['scope'] } {
  return { name: value.name, scope: scopeOf(value) };
}

function scopeOf({ sees, userFilter, groupFilter, attributes, groups }: EnteredApp): App['scope'] {
  const paths = attributes.split(/[,\s]+/).filter((path) => path !== '');
  const scope: Scope = {
    ...(sees === 'everything'
      ? {}
      : { resourceTypes: [sees === 'usersOnly' ? ('User' as const) : ('Group' as const)] }),
    ...(userFilter.trim() === '' || sees === 'groupsOnly' ? {} : { userFilter: userFilter.trim() }),
    ...(groupFilter.trim() === '' || sees === 'usersOnly' ? {} : { groupFilter: groupFilter.trim() }),
    ...(paths.length === 0 ? {} : { attributes: paths }),
    ...(groups.length === 0 ? {} : { groups }),
  };
  return Object.keys(scope).length === 0 ? null : scope;
}

interface FieldsProps {
  readonly value: EnteredApp;
  readonly onChange: (next: EnteredApp) => void;
  /** With everything that limits an app, not only what most need. */
  readonly whole?: boolean;
}

export function AppFields({ value, onChange, whole = false }: FieldsProps) {
  const t = useT(WORDS);
  const set = (changes: Partial<EnteredApp>): void => onChange({ ...value, ...changes });
  return (
    <Stack>
      <Columns>
        <TextField label={t('name')} value={value.name} onChange={(name) => set({ name })} />
        <SelectField
          label={t('sees')}
          value={value.sees}
          onChange={(sees) => set({ sees: sees as Sees })}
          options={(['everything', 'usersOnly', 'groupsOnly'] as const).map((name) => [name, t(name)] as const)}
        />
      </Columns>
      {value.sees === 'groupsOnly' ? null : (
        <TextField
          label={t('userFilter')}
          hint={t('filterHint')}
          mono
          value={value.userFilter}
          onChange={(userFilter) => set({ userFilter })}
        />
      )}
      {whole ? <Limits value={value} onChange={onChange} /> : null}
      <Counted value={value} />
    </Stack>
  );
}

function Limits({ value, onChange }: FieldsProps) {
  const t = useT(WORDS);
  return (
    <>
      {value.sees === 'usersOnly' ? null : (
        <TextField
          label={t('groupFilter')}
          hint={t('groupFilterHint')}
          mono
          value={value.groupFilter}
          onChange={(groupFilter) => onChange({ ...value, groupFilter })}
        />
      )}
      <GroupsField value={value.groups} onChange={(groups) => onChange({ ...value, groups })} />
      <TextField
        label={t('attributes')}
        hint={t('attributesHint')}
        mono
        value={value.attributes}
        onChange={(attributes) => onChange({ ...value, attributes })}
      />
    </>
  );
}

const SETTLE_MS = 400;

/** How many that is now, said again a moment after each change. */
function Counted({ value }: { readonly value: EnteredApp }) {
  const t = useT(WORDS);
  const { mutate, data, error } = useAsk('POST /apps/scope/count');
  const asked = JSON.stringify(scopeOf(value));
  const [settled, settle] = useState(asked);
  useEffect(() => {
    const timer = window.setTimeout(() => settle(asked), SETTLE_MS);
    return () => window.clearTimeout(timer);
  }, [asked]);
  useEffect(() => mutate({ body: { scope: JSON.parse(settled) } }), [settled, mutate]);
  return (
    <p aria-live="polite" style={{ color: error === null ? 'var(--muted)' : 'var(--red-text)', minHeight: '1.45em' }}>
      {error !== null ? error.message : data === undefined ? '' : t('counted', data)}
    </p>
  );
}
