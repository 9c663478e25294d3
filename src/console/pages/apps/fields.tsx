import type { App } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { SelectField, TextField } from '../../ui/field.tsx';
import { Stack } from '../../ui/layout.tsx';
import { WORDS } from './words.ts';

type Sees = 'everything' | 'usersOnly' | 'groupsOnly';

export interface EnteredApp {
  readonly name: string;
  readonly sees: Sees;
  readonly userFilter: string;
  /** What else limits it stays as it is. */
  readonly kept: NonNullable<App['scope']>;
}

export const NO_APP: EnteredApp = { name: '', sees: 'everything', userFilter: '', kept: {} };

export function enteredOf({ name, scope }: App): EnteredApp {
  const types = scope?.resourceTypes;
  const sees: Sees = types?.length === 1 ? (types[0] === 'User' ? 'usersOnly' : 'groupsOnly') : 'everything';
  const { resourceTypes: _types, userFilter = '', ...kept } = scope ?? {};
  return { name, sees, userFilter, kept };
}

export function bodyOf({ name, sees, userFilter, kept }: EnteredApp): { name: string; scope: App['scope'] } {
  const scope = {
    ...kept,
    ...(sees === 'everything'
      ? {}
      : { resourceTypes: [sees === 'usersOnly' ? ('User' as const) : ('Group' as const)] }),
    ...(userFilter.trim() === '' ? {} : { userFilter: userFilter.trim() }),
  };
  return { name, scope: Object.keys(scope).length === 0 ? null : scope };
}

export function AppFields({
  value,
  onChange,
}: {
  readonly value: EnteredApp;
  readonly onChange: (next: EnteredApp) => void;
}) {
  const t = useT(WORDS);
  return (
    <Stack>
      <TextField label={t('name')} value={value.name} onChange={(name) => onChange({ ...value, name })} />
      <SelectField
        label={t('sees')}
        value={value.sees}
        onChange={(sees) => onChange({ ...value, sees: sees as Sees })}
        options={(['everything', 'usersOnly', 'groupsOnly'] as const).map((name) => [name, t(name)] as const)}
      />
      {value.sees === 'groupsOnly' ? null : (
        <TextField
          label={t('userFilter')}
          hint={t('filterHint')}
          mono
          value={value.userFilter}
          onChange={(userFilter) => onChange({ ...value, userFilter })}
        />
      )}
    </Stack>
  );
}
