import { lazy, Suspense, useState } from 'react';
import { GroupName } from '../../app/group-name.tsx';
import { useT } from '../../app/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { Check, Choice, Options, SelectField } from '../../ui/field.tsx';
import { Columns, Row, Stack } from '../../ui/layout.tsx';
import type { SectionProps } from './forms.ts';
import { fromM365, type M365, type M365Scope } from './model.ts';
import { WORDS } from './words.ts';

const GroupPicker = lazy(() => import('./group-picker.tsx').then((part) => ({ default: part.GroupPicker })));

const TYPES = ['security', 'mailEnabledSecurity', 'distribution', 'microsoft365'] as const;

/** Everybody, or the members of some groups. */
export function ScopeSection({ value, onChange, errors }: SectionProps<M365>) {
  const t = useT(WORDS);
  const { scope } = value;
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
      {scope.mode === 'groups' ? (
        <Row>
          <Button onClick={() => setPicking('scope')}>{t('pick')}</Button>
          <span>{scope.groupIds.length === 0 ? t('pickedNone') : t('picked', { n: scope.groupIds.length })}</span>
        </Row>
      ) : null}
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
          <Options legend={t('pathRoot')}>
            <Row>
              <b>{root === null ? t('pathNone') : <GroupName id={root} />}</b>
              <Button small onClick={() => setPicking('path')}>
                {t('pathPick')}
              </Button>
              {root === null ? null : (
                <Button small look="quiet" onClick={() => onChange({ ...value, pathDisplay: { rootGroupId: null } })}>
                  {t('pathClear')}
                </Button>
              )}
            </Row>
            <small style={{ color: 'var(--muted)' }}>{t('pathHint')}</small>
          </Options>
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
