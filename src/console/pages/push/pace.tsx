import { useT } from '../../app/i18n.ts';
import { Check, Options, SelectField } from '../../ui/field.tsx';
import { Columns, Stack } from '../../ui/layout.tsx';
import { NumberField } from './leavers.tsx';
import type { Push, SettingsProps } from './model.ts';
import { WORDS } from './words.ts';

/** How fast it goes out, how often is compared and what is mended, and how the app differs from the standard. */
export function PaceView({ value, onChange, errors }: SettingsProps) {
  const t = useT(WORDS);
  const { pace, members, reconcile } = value;
  const set = (changes: Partial<Push>): void => onChange({ ...value, ...changes });
  const repairs = [
    ['missing', t('repairMissing')],
    ['changed', t('repairChanged')],
    ['members', t('repairMembers')],
  ] as const;
  return (
    <Stack>
      <Columns many>
        <NumberField
          label={t('concurrency')}
          value={pace.concurrency}
          error={errors['pace.concurrency']}
          onChange={(concurrency) => set({ pace: { ...pace, concurrency: concurrency ?? 1 } })}
        />
        <NumberField
          label={t('reads')}
          hint={t('noLimit')}
          value={pace.readsPerSecond}
          error={errors['pace.readsPerSecond']}
          onChange={(readsPerSecond) => set({ pace: { ...pace, readsPerSecond } })}
        />
        <NumberField
          label={t('writes')}
          hint={t('noLimit')}
          value={pace.writesPerSecond}
          error={errors['pace.writesPerSecond']}
          onChange={(writesPerSecond) => set({ pace: { ...pace, writesPerSecond } })}
        />
        <NumberField
          label={t('maxAttempts')}
          hint={t('maxAttemptsHint')}
          value={value.maxAttempts}
          error={errors['maxAttempts']}
          onChange={(maxAttempts) => set({ maxAttempts: maxAttempts ?? 1 })}
        />
        <NumberField
          label={t('timeout')}
          value={value.timeoutSeconds}
          error={errors['timeoutSeconds']}
          onChange={(timeoutSeconds) => set({ timeoutSeconds: timeoutSeconds ?? 1 })}
        />
        <NumberField
          label={t('perRequest')}
          value={members.perRequest}
          error={errors['members.perRequest']}
          onChange={(perRequest) => set({ members: { ...members, perRequest: perRequest ?? 1 } })}
        />
      </Columns>
      <Check label={t('bulk')} note={t('bulkNote')} checked={value.bulk} onChange={(bulk) => set({ bulk })} />
      <Options legend={t('reconcile')}>
        <Columns many>
          <NumberField
            label={t('everyHours')}
            hint={t('everyHoursHint')}
            value={reconcile.everyHours}
            error={errors['reconcile.everyHours']}
            onChange={(everyHours) => set({ reconcile: { ...reconcile, everyHours } })}
          />
        </Columns>
        {repairs.map(([name, label]) => (
          <Check
            key={name}
            label={label}
            checked={reconcile.repair[name]}
            onChange={(isOn) => set({ reconcile: { ...reconcile, repair: { ...reconcile.repair, [name]: isOn } } })}
          />
        ))}
        <p style={{ color: 'var(--muted)' }}>{t('repairNote')}</p>
      </Options>
      <details>
        <summary style={{ cursor: 'pointer', fontWeight: 580 }}>{t('dialect')}</summary>
        <div style={{ paddingTop: 14 }}>
          <Dialect value={value} onChange={onChange} />
        </div>
      </details>
    </Stack>
  );
}

const FLAGS = ['capitalOps', 'pathless', 'onePerRequest', 'booleansAsText'] as const;

function Dialect({ value, onChange }: Pick<SettingsProps, 'value' | 'onChange'>) {
  const t = useT(WORDS);
  const { dialect } = value;
  const set = (name: string, to: string | boolean | number): void =>
    onChange({ ...value, dialect: { ...dialect, [name]: to } });
  const choice = (name: string, label: string, options: readonly (readonly [string, string])[]) => (
    <SelectField
      label={label}
      value={String(dialect[name] ?? '')}
      onChange={(next) => set(name, next)}
      options={options}
    />
  );
  const ways = [
    ['auto', t('auto')],
    ['patch', 'PATCH'],
    ['put', 'PUT'],
  ] as const;
  return (
    <Stack>
      <Columns>
        {choice('users', t('dialectUsers'), ways)}
        {choice('groups', t('dialectGroups'), ways)}
        {choice('filter', t('filter'), [
          ['auto', t('auto')],
          ['always', t('filterAlways')],
          ['never', t('filterNever')],
        ])}
        {choice('removeMembers', t('removeMembers'), [
          ['filter', t('removeFilter')],
          ['value', t('removeValue')],
        ])}
        {choice('contentType', t('contentType'), [
          ['application/scim+json', 'application/scim+json'],
          ['application/json', 'application/json'],
        ])}
        <NumberField
          label={t('pageSize')}
          value={Number(dialect['pageSize'] ?? 100)}
          onChange={(size) => set('pageSize', size ?? 1)}
        />
      </Columns>
      {FLAGS.map((name) => (
        <Check key={name} label={t(name)} checked={dialect[name] === true} onChange={(isOn) => set(name, isOn)} />
      ))}
    </Stack>
  );
}
