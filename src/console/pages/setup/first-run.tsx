import { useT } from '../../app/i18n.ts';
import { Choice } from '../../ui/field.tsx';
import { Stack } from '../../ui/layout.tsx';
import { ACCOUNTS } from './account-words.ts';
import type { Read, SectionProps } from './forms.ts';
import css from './setup.module.css';

/** Whether the first sync is looked at before it changes anything. */
export function FirstRunSection<Value extends Read>({ value, onChange }: SectionProps<Value>) {
  const t = useT(ACCOUNTS);
  return (
    <Stack>
      <Choice
        legend={t('firstLegend')}
        value={value.initialRun}
        onChange={(initialRun) => onChange({ ...value, initialRun })}
        options={(['preview', 'auto', 'manual'] as const).map((name) => ({
          value: name,
          label: t(name),
          note: t(`${name}Note`),
        }))}
      />
      <p className={css.note}>{t('firstLead')}</p>
    </Stack>
  );
}
