// Rules that put people into groups of the directory.
import { Plus, Trash2 } from 'lucide-react';
import { useEffect, useId, useRef, useState } from 'react';
import { useList } from '../../api/queries.ts';
import { useT } from '../../app/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { Choice, TextField } from '../../ui/field.tsx';
import { Columns, Stack } from '../../ui/layout.tsx';
import { MoveButtons, type Way } from '../../ui/move-buttons.tsx';
import { toast } from '../../ui/toast.tsx';
import { DESTINATION } from './destination-words.ts';
import { FilterField } from './filter-field.tsx';
import { errorAt, type SectionProps } from './forms.ts';
import { fromM365, type Json, type M365, type M365Destination, type M365Placing, NO_DESTINATION } from './model.ts';
import css from './setup.module.css';

const NEW: M365Placing = { filter: '', destinationGroup: '' };

export function DestinationSection({ kind, value, onChange, errors, clearErrors }: SectionProps<M365>) {
  const t = useT(DESTINATION);
  const names = useId();
  const { destination } = value;
  const { rules } = destination;
  /** The one that is worked at: it alone has suggestions and is counted. */
  const [open, setOpen] = useState(0);
  const list = useRef<HTMLOListElement>(null);
  const adding = useRef<HTMLDivElement>(null);
  const [focus, setFocus] = useState<{ readonly rule: number; readonly on: Way | 'filter' | 'remove' } | undefined>();
  const set = (changes: Partial<M365Destination>): void =>
    onChange({ ...value, destination: { ...destination, ...changes } });
  const own = value.scope.filter.trim();

  // A rule that was moved or made is gone on with: the button that moved it, or its first field. After one that was
  // removed comes the next, and after the last the button that adds one.
  useEffect(() => {
    if (focus === undefined) return;
    const place = focus.on === 'filter' ? 'textarea' : `[data-way="${focus.on}"]`;
    const rule = list.current?.children[focus.rule];
    (rule ?? adding.current)?.querySelector<HTMLElement>(rule === undefined ? 'button' : place)?.focus();
    setFocus(undefined);
  }, [focus]);

  function move(from: number, on: Way): void {
    const to = on === 'up' ? from - 1 : from + 1;
    const next = [...rules];
    next.splice(to, 0, ...next.splice(from, 1));
    set({ rules: next });
    clearErrors();
    setOpen(to);
    setFocus({ rule: to, on });
    toast(t('moved', { n: to + 1, total: rules.length }), { of: 'rule' });
  }

  function remove(at: number): void {
    set({ rules: rules.filter((_one, place) => place !== at) });
    clearErrors();
    setOpen(open > at ? open - 1 : open);
    setFocus({ rule: at, on: 'remove' });
  }

  /** The whole scope with the filter of a rule beside its own. */
  function withFilter(filter: string): Json {
    const both = own === '' ? filter : `(${own}) and (${filter})`;
    return fromM365({ ...value, destination: NO_DESTINATION, scope: { ...value.scope, filter: both } });
  }

  return (
    <Stack>
      <p>{t('lead')}</p>
      {rules.length === 0 ? <p className={css.note}>{t('none')}</p> : null}
      <ol className={css.rules} aria-label={t('rules')} ref={list}>
        {rules.map((rule, at) => (
          <li
            // biome-ignore lint/suspicious/noArrayIndexKey: a rule has no name but its place
            key={at}
            // A button that is pressed must not move before it is let go.
            onFocus={({ target }) => (target.matches('input, textarea') ? setOpen(at) : undefined)}
          >
            <div className={css.ruleHead}>
              <h3>{t('rule', { n: at + 1 })}</h3>
              <MoveButtons
                at={at}
                count={rules.length}
                labels={{
                  up: t('up', { n: at + 1 }),
                  down: t('down', { n: at + 1 }),
                  isFirst: t('isFirst'),
                  isLast: t('isLast'),
                }}
                onMove={(way) => move(at, way)}
              />
              <Button
                small
                look="quiet"
                data-way="remove"
                icon={<Trash2 size={15} />}
                aria-label={t('remove', { n: at + 1 })}
                onClick={() => remove(at)}
              />
            </div>
            <RuleFields
              kind={kind}
              rule={rule}
              errors={errors}
              path={`destination.rules.${at}`}
              names={names}
              assisted={at === open}
              settings={withFilter(rule.filter)}
              onChange={(next) => set({ rules: rules.map((one, place) => (place === at ? next : one)) })}
            />
          </li>
        ))}
      </ol>
      <Groups id={names} />
      {errors['destination.rules'] === undefined ? null : (
        <p role="alert" className={css.wrong}>
          {errors['destination.rules']}
        </p>
      )}
      <div ref={adding}>
        <Button
          icon={<Plus size={15} />}
          onClick={() => {
            set({ rules: [...rules, NEW] });
            setFocus({ rule: rules.length, on: 'filter' });
          }}
        >
          {t('add')}
        </Button>
      </div>
      <Columns>
        <Choice
          legend={t('match')}
          value={destination.match}
          onChange={(match) => set({ match })}
          options={[
            { value: 'first', label: t('first'), note: t('firstNote') },
            { value: 'all', label: t('all'), note: t('allNote') },
          ]}
        />
        <TextField
          label={t('rest')}
          hint={t('restHint')}
          list={names}
          value={destination.default ?? ''}
          error={errors['destination.default']}
          onChange={(name) => set({ default: name === '' ? null : name })}
        />
      </Columns>
    </Stack>
  );
}

function RuleFields({
  kind,
  rule,
  errors,
  path,
  names,
  assisted,
  settings,
  onChange,
}: Pick<SectionProps<M365>, 'kind' | 'errors'> & {
  readonly rule: M365Placing;
  readonly path: string;
  readonly names: string;
  readonly assisted: boolean;
  readonly settings: Json;
  readonly onChange: (next: M365Placing) => void;
}) {
  const t = useT(DESTINATION);
  return (
    <Columns>
      <Stack>
        <FilterField
          kind={kind}
          label={t('who')}
          hint={t('whoHint')}
          text={rule.filter}
          error={errors[`${path}.filter`]}
          settings={settings}
          assisted={assisted}
          fits={(n, total) => t('fits', { n, total })}
          onChange={(filter) => onChange({ ...rule, filter })}
        />
      </Stack>
      <TextField
        label={t('group')}
        hint={t('groupHint')}
        list={names}
        value={rule.destinationGroup}
        error={errorAt(errors, `${path}.destinationGroup`)}
        onChange={(destinationGroup) => onChange({ ...rule, destinationGroup })}
      />
    </Columns>
  );
}

/** Groups that are kept by hand already, to choose a name from. */
function Groups({ id }: { readonly id: string }) {
  const { items } = useList('GET /groups', { query: { origin: 'manual', limit: 200 } });
  return (
    <datalist id={id}>
      {items.map(({ id: key, displayName }) => (
        <option key={key} value={displayName ?? ''} />
      ))}
    </datalist>
  );
}
