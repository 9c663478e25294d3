import { lazy, Suspense, useState } from 'react';
import { GroupName } from '../../app/group-name.tsx';
import { useT } from '../../app/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { Check, Choice, Options, SelectField, TextField } from '../../ui/field.tsx';
import { Columns, Row, Stack } from '../../ui/layout.tsx';
import { ACCOUNTS } from './account-words.ts';
import { errorAt, type SectionProps } from './forms.ts';
import { fromM365, type M365, type M365Scope } from './model.ts';
import css from './setup.module.css';
import { WORDS } from './words.ts';

const GroupPicker = lazy(() => import('./group-picker.tsx').then((part) => ({ default: part.GroupPicker })));

const TYPES = ['security', 'mailEnabledSecurity', 'distribution', 'microsoft365'] as const;

/** Everybody, or the members of some groups. */
export function ScopeSection({ value, onChange, errors }: SectionProps<M365>) {
  const t = useT(WORDS);
  const account = useT(ACCOUNTS);
  const { scope } = value;
  const designated = scope.mode === 'groups';
  const root = value.pathDisplay.rootGroupId;
  const [picking, setPicking] = useState<'scope' | 'path' | undefined>(undefined);
  const set = (changes: Partial<M365Scope>): void => onChange({ ...value, scope: { ...scope, ...changes } });
  return (
    <Stack>
      <Choice
        legend={t('mode')}
        value={scope.mode}
        onChange={(mode) => set({ mode })}
        options={[
          { value: 'full', label: t('full'), note: t('fullNote') },
          { value: 'groups', label: t('groups'), note: t('groupsNote') },
        ]}
      />
      {designated ? (
        <Row>
          <Button onClick={() => setPicking('scope')}>{t('pick')}</Button>
          <span>{scope.groupIds.length === 0 ? t('pickedNone') : t('picked', { n: scope.groupIds.length })}</span>
        </Row>
      ) : null}
      {errorAt(errors, 'scope.groupIds') === undefined ? null : (
        <p role="alert" className={css.wrong}>
          {errorAt(errors, 'scope.groupIds')}
        </p>
      )}
      <Columns>
        <Options legend={t('groupTypes')}>
          {TYPES.map((type) => (
            <Check
              key={type}
              label={t(type)}
              checked={scope.groupTypes.includes(type)}
              onChange={(on) =>
                set({ groupTypes: on ? [...scope.groupTypes, type] : scope.groupTypes.filter((one) => one !== type) })
              }
            />
          ))}
          <Check
            label={t('dynamic')}
            checked={scope.dynamicMembership === 'include'}
            onChange={(on) => set({ dynamicMembership: on ? 'include' : 'exclude' })}
          />
        </Options>
        <Stack>
          <SelectField
            label={t('nested')}
            value={scope.nestedGroups}
            error={errors['scope.nestedGroups']}
            onChange={(nestedGroups) => set({ nestedGroups: nestedGroups as M365Scope['nestedGroups'] })}
            options={(['include', 'flatten', 'ignore'] as const).map((name) => [name, t(name)] as const)}
          />
          {scope.nestedGroups === 'flatten' || (designated && scope.nestedGroups === 'include') ? (
            <TextField
              label={account('depth')}
              hint={account(designated ? 'depthHint' : 'depthHintFull')}
              type="number"
              min={0}
              max={100}
              value={scope.maxDepth === null ? '' : String(scope.maxDepth)}
              error={errors['scope.maxDepth']}
              onChange={(text) => set({ maxDepth: text === '' ? null : Number(text) })}
            />
          ) : null}
          <PathRoot
            designated={designated}
            id={root}
            onPick={() => setPicking('path')}
            onClear={() => onChange({ ...value, pathDisplay: { rootGroupId: null } })}
          />
        </Stack>
      </Columns>
      {picking === undefined ? null : (
        <Suspense>
          <GroupPicker
            kind="microsoft365"
            single={picking === 'path'}
            picked={
              picking === 'path' ? [value.pathDisplay.rootGroupId ?? ''].filter((id) => id !== '') : scope.groupIds
            }
            {...(picking === 'path'
              ? {}
              : {
                  types: scope.groupTypes,
                  nested: scope.nestedGroups !== 'ignore',
                  settingsWith: (groupIds) => fromM365({ ...value, scope: { ...scope, groupIds } }),
                })}
            onClose={() => setPicking(undefined)}
            onPick={(ids) => {
              if (picking === 'path') onChange({ ...value, pathDisplay: { rootGroupId: ids[0] ?? null } });
              else set({ groupIds: ids });
              setPicking(undefined);
            }}
          />
        </Suspense>
      )}
    </Stack>
  );
}

/** Where group paths begin. */
function PathRoot({
  designated,
  id,
  onPick,
  onClear,
}: {
  readonly designated: boolean;
  readonly id: string | null;
  readonly onPick: () => void;
  readonly onClear: () => void;
}) {
  const t = useT(WORDS);
  if (designated)
    return (
      <Options legend={t('pathRoot')}>
        <small className={css.note}>{t('pathDesignated')}</small>
      </Options>
    );
  return (
    <Options legend={t('pathRoot')}>
      <Row>
        <b>{id === null ? t('pathNone') : <GroupName id={id} />}</b>
        <Button small onClick={onPick}>
          {t('pathPick')}
        </Button>
        {id === null ? null : (
          <Button small look="quiet" onClick={onClear}>
            {t('pathClear')}
          </Button>
        )}
      </Row>
      <small className={css.note}>{t('pathHint')}</small>
    </Options>
  );
}
