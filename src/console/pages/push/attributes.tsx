import { useT } from '../../app/i18n.ts';
import { Check, Choice, Options, TextField } from '../../ui/field.tsx';
import { Columns, Stack } from '../../ui/layout.tsx';
import { RuleList } from '../../ui/rule-fields.tsx';
import type { SettingsProps } from './model.ts';
import { listOf, type Push, type ResourceType, type Rule } from './model.ts';
import { WORDS } from './words.ts';

const TYPES = ['User', 'Group'] as const;

/** Which resources go there, how they are found there, and what is changed of them on the way. */
export function AttributesView({ value, onChange, errors }: SettingsProps) {
  const t = useT(WORDS);
  const set = (changes: Partial<Push>): void => onChange({ ...value, ...changes });
  return (
    <Stack>
      <Columns>
        <Options legend={t('types')}>
          {TYPES.map((type) => (
            <Check
              key={type}
              label={t(type === 'User' ? 'users' : 'groups')}
              checked={value.types.includes(type)}
              onChange={(isOn) =>
                set({ types: TYPES.filter((one) => (one === type ? isOn : value.types.includes(one))) })
              }
            />
          ))}
        </Options>
        <Choice
          legend={t('externalId')}
          value={value.externalId}
          onChange={(externalId) => set({ externalId })}
          options={[
            { value: 'id', label: t('ourId'), note: t('ourIdNote') },
            { value: 'externalId', label: t('theirId'), note: t('theirIdNote') },
          ]}
        />
      </Columns>
      <Columns>
        {TYPES.map((type) => (
          <ListField
            key={type}
            label={t(type === 'User' ? 'matchUser' : 'matchGroup')}
            hint={t('matchHint')}
            value={value.matching[type]}
            error={errorUnder(errors, `matching.${type}`)}
            onChange={(paths) => set({ matching: { ...value.matching, [type]: paths } })}
          />
        ))}
      </Columns>
      <Columns>
        <ListField
          label={t('exclude')}
          hint={t('excludeHint')}
          value={value.exclude}
          error={errorUnder(errors, 'exclude')}
          onChange={(exclude) => set({ exclude })}
        />
        <ListField
          label={t('single')}
          hint={t('singleHint')}
          value={value.singleValued}
          error={errorUnder(errors, 'singleValued')}
          onChange={(singleValued) => set({ singleValued })}
        />
      </Columns>
      {TYPES.map((type) => (
        <Rules
          key={type}
          type={type}
          rules={value.mapping[type]}
          errorOf={(index) => errorUnder(errors, `mapping.${type}.${index}`)}
          onChange={(rules) => set({ mapping: { ...value.mapping, [type]: rules } })}
        />
      ))}
      <p>{t('tryHint')}</p>
    </Stack>
  );
}

export function errorUnder(errors: SettingsProps['errors'], path: string): string | undefined {
  return Object.entries(errors).find(([name]) => name === path || name.startsWith(`${path}.`))?.[1];
}

function ListField({
  value,
  onChange,
  ...rest
}: {
  readonly label: string;
  readonly hint: string;
  readonly value: readonly string[];
  readonly error: string | undefined;
  readonly onChange: (next: readonly string[]) => void;
}) {
  return <TextField {...rest} mono value={value.join(', ')} onChange={(text) => onChange(listWhileTyping(text))} />;
}

/** A comma or space at the end is somebody who goes on typing. */
function listWhileTyping(text: string): readonly string[] {
  const parts = listOf(text);
  return /,\s*$/.test(text) ? [...parts, ''] : parts;
}

type How = 'from' | 'value' | 'template' | 'nothing';
const HOWS = ['from', 'value', 'template', 'nothing'] as const;

function howOf(rule: Rule): How {
  return HOWS.find((how) => how !== 'nothing' && rule[how] !== undefined) ?? 'nothing';
}

function withText(rule: Rule, how: How, text: string): Rule {
  const { from: _from, value: _value, template: _template, ...kept } = rule;
  return how === 'nothing' ? kept : { ...kept, [how]: text };
}

const WHENS = ['always', 'create', 'update'] as const;
const NEW_RULE: Rule = { to: '', from: '', when: 'always', required: false };

function Rules({
  type,
  rules,
  errorOf,
  onChange,
}: {
  readonly type: ResourceType;
  readonly rules: readonly Rule[];
  readonly errorOf: (index: number) => string | undefined;
  readonly onChange: (next: readonly Rule[]) => void;
}) {
  const t = useT(WORDS);
  return (
    <Stack>
      <h3>{t(type === 'User' ? 'mapUser' : 'mapGroup')}</h3>
      {type === 'User' ? <p style={{ color: 'var(--muted)' }}>{t('mapLead')}</p> : null}
      {rules.length === 0 ? <p style={{ color: 'var(--muted)' }}>{t('mapNone')}</p> : null}
      <RuleList<Rule, How, Rule['when']>
        rules={rules}
        fresh={NEW_RULE}
        formOf={(rule, change, index) => {
          const how = howOf(rule);
          return {
            target: { label: t('to'), value: rule.to, error: errorOf(index) },
            how: { label: t('by'), value: how, options: HOWS.map((name) => [name, t(name)] as const) },
            text:
              how === 'nothing' ? undefined : { label: t(how), hint: t(`${how}Hint`), value: String(rule[how] ?? '') },
            when: { label: t('when'), value: rule.when, options: WHENS.map((name) => [name, t(name)] as const) },
            onTarget: (to) => change({ ...rule, to }),
            onText: (next, text) => change(withText(rule, next, text)),
            onWhen: (when) => change({ ...rule, when }),
            more: (
              <Check
                label={t('required')}
                checked={rule.required}
                onChange={(required) => change({ ...rule, required })}
              />
            ),
          };
        }}
        onChange={onChange}
      />
    </Stack>
  );
}
