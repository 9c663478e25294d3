import { Search } from 'lucide-react';
import { type ChangeEvent, type ReactNode, type Ref, useEffect, useId, useState } from 'react';
import { classes } from './classes.ts';
import css from './field.module.css';

interface FieldProps {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly error?: string | undefined;
}

interface TextProps extends FieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly type?: 'text' | 'password' | 'time' | 'number' | 'email' | 'url' | 'datetime-local';
  readonly placeholder?: string;
  readonly autoComplete?: string;
  readonly lines?: boolean;
  readonly disabled?: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly list?: string;
  readonly mono?: boolean;
  readonly inputRef?: Ref<HTMLInputElement>;
  readonly onBlur?: () => void;
  /** It chooses from a list below it, by the ids of the list and of the option that is chosen. */
  readonly choosing?: { readonly list: string; readonly option: string | undefined };
}

export function TextField({
  label,
  hint,
  error,
  value,
  onChange,
  lines = false,
  mono = false,
  inputRef,
  type = 'text',
  autoComplete = 'off',
  choosing,
  ...rest
}: TextProps) {
  const id = useId();
  const shared = {
    id,
    value,
    className: css.input,
    autoComplete,
    spellCheck: false,
    'aria-invalid': error !== undefined,
    'aria-describedby': `${id}-hint`,
    style: mono ? { fontFamily: 'var(--mono)', fontSize: '13px' } : undefined,
    onChange: (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => onChange(event.target.value),
    ...(choosing === undefined ? {} : comboboxOver(choosing)),
    ...rest,
  };
  return (
    <div className={css.field}>
      <label htmlFor={id}>{label}</label>
      {lines ? <textarea {...shared} /> : <input {...shared} type={type} ref={inputRef} />}
      <Below id={id} hint={hint} error={error} />
    </div>
  );
}

function comboboxOver({ list, option }: NonNullable<TextProps['choosing']>) {
  return {
    role: 'combobox',
    'aria-expanded': true,
    'aria-autocomplete': 'list',
    'aria-controls': list,
    'aria-activedescendant': option,
  } as const;
}

function Below({
  id,
  hint,
  error,
}: {
  readonly id: string;
  readonly hint: ReactNode;
  readonly error: string | undefined;
}) {
  return (
    <span
      id={`${id}-hint`}
      className={error === undefined ? css.hint : css.error}
      role={error === undefined ? undefined : 'alert'}
    >
      {error ?? hint}
    </span>
  );
}

interface SelectProps extends FieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly options: readonly (readonly [value: string, text: string])[];
  readonly disabled?: boolean;
}

export function SelectField({ label, hint, error, value, onChange, options, disabled }: SelectProps) {
  const id = useId();
  return (
    <div className={css.field}>
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        className={css.input}
        value={value}
        disabled={disabled}
        aria-describedby={`${id}-hint`}
        onChange={(event) => onChange(event.target.value)}
      >
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
      <Below id={id} hint={hint} error={error} />
    </div>
  );
}

/** A choice without a label of its own beside other filters. */
export function FilterSelect({
  label,
  value,
  onChange,
  options,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly options: readonly (readonly [string, string])[];
}) {
  return (
    <select
      className={css.input}
      style={{ width: 'auto' }}
      aria-label={label}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    >
      {options.map(([key, text]) => (
        <option key={key} value={key}>
          {text}
        </option>
      ))}
    </select>
  );
}

/** A day beside other filters, as `2026-11-20`; empty for none. */
export function FilterDay({
  label,
  value,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  return (
    <label className={css.day}>
      {label}
      <input type="date" className={css.input} value={value} onChange={(event) => onChange(event.target.value)} />
    </label>
  );
}

const SEARCH_WAIT_MS = 250;

/** Says what was typed after a moment of quiet. */
export function SearchField({
  label,
  value,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = window.setTimeout(() => onChange(text), SEARCH_WAIT_MS);
    return () => window.clearTimeout(timer);
  }, [text, value, onChange]);
  return (
    <div className={css.search}>
      <Search size={16} aria-hidden />
      <input
        type="search"
        className={css.input}
        aria-label={label}
        placeholder={label}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
    </div>
  );
}

interface CheckProps {
  readonly label: ReactNode;
  readonly note?: ReactNode;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly disabled?: boolean;
}

export function Check({ label, note, checked, onChange, disabled }: CheckProps) {
  return (
    <label className={css.check}>
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.target.checked)}
      />
      <b>{label}</b>
      {note === undefined ? null : <small>{note}</small>}
    </label>
  );
}

export function Switch({ label, checked, onChange, disabled }: CheckProps) {
  return (
    <label className={css.switch}>
      <input
        type="checkbox"
        role="switch"
        aria-checked={checked}
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.target.checked)}
      />
      {label}
    </label>
  );
}

interface ChoiceProps<Value extends string> {
  readonly legend: string;
  readonly value: Value;
  readonly onChange: (value: Value) => void;
  readonly options: readonly { readonly value: Value; readonly label: string; readonly note?: string }[];
}

/** One of a few, each with a word that explains it. */
export function Choice<Value extends string>({ legend, value, onChange, options }: ChoiceProps<Value>) {
  const name = useId();
  return (
    <fieldset className={css.options}>
      <legend>{legend}</legend>
      {options.map((option) => (
        <label key={option.value} className={classes(css.check, css.choice)}>
          <input type="radio" name={name} checked={value === option.value} onChange={() => onChange(option.value)} />
          <b>{option.label}</b>
          {option.note === undefined ? null : <small>{option.note}</small>}
        </label>
      ))}
    </fieldset>
  );
}

export function Options({ legend, children }: { readonly legend: string; readonly children: ReactNode }) {
  return (
    <fieldset className={css.options}>
      <legend>{legend}</legend>
      {children}
    </fieldset>
  );
}

/** Filters of which one is on. */
export function Chips({
  label,
  value,
  onChange,
  options,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly options: readonly (readonly [string, ReactNode])[];
}) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: buttons in a row are no fieldset of a form
    <div className={css.chips} role="group" aria-label={label}>
      {options.map(([key, text]) => (
        <button key={key} type="button" aria-pressed={value === key} onClick={() => onChange(key)}>
          {text}
        </button>
      ))}
    </div>
  );
}
