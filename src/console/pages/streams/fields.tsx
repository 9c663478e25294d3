import { useT } from '../../app/i18n.ts';
import { Check, Options } from '../../ui/field.tsx';
import { Columns } from '../../ui/layout.tsx';
import { WORDS } from './words.ts';

const PREFIX = 'urn:ietf:params:scim:event:';

/** Types of messages; none ticked means all. */
export function EventsField<Name extends string>({
  all,
  value,
  onChange,
}: {
  readonly all: readonly Name[];
  readonly value: readonly Name[];
  readonly onChange: (next: readonly Name[]) => void;
}) {
  const t = useT(WORDS);
  return (
    <Options legend={t('events')}>
      <span style={{ color: 'var(--muted)' }}>{t('eventsHint')}</span>
      <Columns many>
        {all.map((name) => {
          const short = name.replace(PREFIX, '');
          return (
            <Check
              key={name}
              label={t(short as keyof typeof WORDS)}
              note={<code>{short}</code>}
              checked={value.includes(name)}
              onChange={(isOn) => onChange(all.filter((one) => (one === name ? isOn : value.includes(one))))}
            />
          );
        })}
      </Columns>
    </Options>
  );
}
