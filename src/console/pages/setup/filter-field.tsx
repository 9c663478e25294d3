import { useGet } from '../../api/queries.ts';
import { useT } from '../../app/i18n.ts';
import { TextField } from '../../ui/field.tsx';
import { MatchCount } from './match-count.tsx';
import type { Json, Kind } from './model.ts';
import css from './setup.module.css';
import { WORDS } from './words.ts';

const FIELDS_SHOWN = 12;

/** A filter with the fields that go on with it, and how many it lets in. */
export function FilterField({
  kind,
  label,
  hint,
  text,
  error,
  settings,
  assisted = true,
  fits,
  onChange,
}: {
  readonly kind: Kind;
  readonly label: string;
  readonly hint: string;
  readonly text: string;
  readonly error: string | undefined;
  /** The settings as they would be saved, to count by. */
  readonly settings: Json;
  /** False for one of many that is not worked at: it has neither suggestions nor a count. */
  readonly assisted?: boolean;
  /** How the count is said; in terms of who comes in and who leaves, unless it is another. */
  readonly fits?: (n: string, total: string) => string;
  readonly onChange: (text: string) => void;
}) {
  return (
    <>
      <TextField label={label} hint={hint} lines mono value={text} error={error} onChange={onChange} />
      {assisted ? (
        <>
          <Completion kind={kind} text={text} onChange={onChange} />
          {fits !== undefined && text.trim() === '' ? null : <MatchCount kind={kind} settings={settings} fits={fits} />}
        </>
      ) : null}
    </>
  );
}

/** Fields that go on with the last word; a press puts the field and an example in. */
function Completion({
  kind,
  text,
  onChange,
}: {
  readonly kind: Kind;
  readonly text: string;
  readonly onChange: (text: string) => void;
}) {
  const t = useT(WORDS);
  const word = /[A-Za-z][\w/]*$/.exec(text)?.[0] ?? '';
  const { data, isLoading } = useGet('GET /providers/{kind}/source/fields', {
    path: { kind },
    query: { prefix: word },
  });
  const fields = (data?.items ?? []).filter(({ operators }) => operators.length > 0).slice(0, FIELDS_SHOWN);
  if (isLoading && word === '') return <div className={css.fieldsToCome} />;
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
