// By what somebody new is known again, in the order in which it is compared.
import { useEffect, useRef, useState } from 'react';
import { useT } from '../../app/i18n.ts';
import { Check } from '../../ui/field.tsx';
import { MoveButtons, type Way } from '../../ui/move-buttons.tsx';
import { toast } from '../../ui/toast.tsx';
import { ACCOUNTS } from './account-words.ts';
import { type MatchAttribute, USUAL_MATCHING } from './forms.ts';
import { type Kind, M365_MATCHING } from './model.ts';
import css from './setup.module.css';

const ALL: readonly MatchAttribute[] = ['externalId', 'anchors', 'userName', 'emails', 'employeeNumber'];

export function MatchingField({
  kind,
  value,
  error,
  onChange,
}: {
  readonly kind: Kind;
  readonly value: readonly MatchAttribute[];
  readonly error: string | undefined;
  readonly onChange: (next: readonly MatchAttribute[]) => void;
}) {
  const t = useT(ACCOUNTS);
  const list = useRef<HTMLOListElement>(null);
  const [focus, setFocus] = useState<{ readonly name: MatchAttribute; readonly on: Way } | undefined>(undefined);
  // Only Microsoft 365 knows of ids in another directory.
  const rest = ALL.filter((name) => !value.includes(name) && (name !== 'anchors' || kind === 'microsoft365'));
  const usual = kind === 'microsoft365' ? M365_MATCHING : USUAL_MATCHING;

  // The button that moved it goes along.
  useEffect(() => {
    if (focus === undefined) return;
    list.current?.querySelector<HTMLElement>(`[data-name="${focus.name}"] [data-way="${focus.on}"]`)?.focus();
    setFocus(undefined);
  }, [focus]);

  function move(name: MatchAttribute, on: Way): void {
    const from = value.indexOf(name);
    const to = on === 'up' ? from - 1 : from + 1;
    const next = value.filter((one) => one !== name);
    next.splice(to, 0, name);
    onChange(next);
    setFocus({ name, on });
    toast(t('moved', { name: t(name), n: to + 1 }), { of: 'matching' });
  }

  return (
    <fieldset className={css.matching}>
      <legend>{t('order')}</legend>
      <ol ref={list} className={css.matchList}>
        {[...value, ...rest].map((name) => {
          const at = value.indexOf(name);
          return (
            <li key={name} data-name={name}>
              <i aria-hidden>{at < 0 ? '' : at + 1}</i>
              <Check
                label={t(name)}
                note={t(`${name}Note`)}
                checked={at >= 0}
                onChange={(on) => onChange(on ? [...value, name] : value.filter((one) => one !== name))}
              />
              {at < 0 ? null : (
                <span>
                  <MoveButtons
                    at={at}
                    count={value.length}
                    labels={{
                      up: t('up', { name: t(name) }),
                      down: t('down', { name: t(name) }),
                      isFirst: t('isFirst'),
                      isLast: t('isLast'),
                    }}
                    onMove={(way) => move(name, way)}
                  />
                </span>
              )}
            </li>
          );
        })}
      </ol>
      {error === undefined ? null : (
        <p role="alert" className={css.wrong}>
          {error}
        </p>
      )}
      <p className={css.note}>
        {value.length === 0 ? `${t('nothing')} ` : ''}
        {t('usual', { list: usual.map((name) => t(name)).join(', ') })}
      </p>
    </fieldset>
  );
}
