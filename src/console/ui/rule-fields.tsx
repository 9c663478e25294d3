// Rules that say what an attribute is made of, one card each.
import { Plus, Trash2 } from 'lucide-react';
import type { ReactNode } from 'react';
import { useT, words } from '../app/i18n.ts';
import { Button } from './button.tsx';
import { SelectField, TextField } from './field.tsx';
import { Card, Columns, Stack } from './layout.tsx';

const WORDS = words({
  add: ['Add a rule', '규칙 추가'],
  remove: ['Remove the rule', '규칙 제거'],
});

type Options<Value extends string> = readonly (readonly [Value, string])[];

/** The fields of one rule. */
export interface RuleForm<How extends string, When extends string> {
  readonly target: { readonly label: string; readonly value: string; readonly error: string | undefined };
  readonly how: { readonly label: string; readonly value: How; readonly options: Options<How> };
  /** Undefined for a way that needs nothing more. */
  readonly text: { readonly label: string; readonly hint?: string; readonly value: string } | undefined;
  readonly when: { readonly label: string; readonly value: When; readonly options: Options<When> };
  readonly onTarget: (target: string) => void;
  /** Another way begins with an empty text. */
  readonly onText: (how: How, text: string) => void;
  readonly onWhen: (when: When) => void;
  readonly more?: ReactNode;
}

/** All rules in their order: each can be changed and taken away, and one can be added at the end. */
export function RuleList<Rule, How extends string, When extends string>({
  rules,
  fresh,
  formOf,
  onChange,
}: {
  readonly rules: readonly Rule[];
  readonly fresh: Rule;
  readonly formOf: (rule: Rule, change: (next: Rule) => void, index: number) => RuleForm<How, When>;
  readonly onChange: (next: readonly Rule[]) => void;
}) {
  const t = useT(WORDS);
  return (
    <>
      {rules.map((rule, index) => (
        <RuleFields
          // biome-ignore lint/suspicious/noArrayIndexKey: a rule has no name but its place
          key={index}
          form={formOf(rule, (next) => onChange(rules.map((one, at) => (at === index ? next : one))), index)}
          onRemove={() => onChange(rules.filter((_one, at) => at !== index))}
        />
      ))}
      <div>
        <Button small icon={<Plus size={15} />} onClick={() => onChange([...rules, fresh])}>
          {t('add')}
        </Button>
      </div>
    </>
  );
}

function RuleFields<How extends string, When extends string>({
  form: { target, how, text, when, onTarget, onText, onWhen, more },
  onRemove,
}: {
  readonly form: RuleForm<How, When>;
  readonly onRemove: () => void;
}) {
  const t = useT(WORDS);
  return (
    <Card>
      <Stack>
        <Columns>
          <TextField label={target.label} mono value={target.value} error={target.error} onChange={onTarget} />
          <SelectField
            label={how.label}
            value={how.value}
            onChange={(next) => onText(next as How, '')}
            options={how.options}
          />
          {text === undefined ? null : (
            <TextField
              label={text.label}
              hint={text.hint}
              mono
              value={text.value}
              onChange={(next) => onText(how.value, next)}
            />
          )}
          <SelectField
            label={when.label}
            value={when.value}
            onChange={(next) => onWhen(next as When)}
            options={when.options}
          />
        </Columns>
        {more}
        <div>
          <Button look="quiet" small icon={<Trash2 size={15} />} onClick={onRemove}>
            {t('remove')}
          </Button>
        </div>
      </Stack>
    </Card>
  );
}
