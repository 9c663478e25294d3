import { Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useCall, useGet } from '../../api/queries.ts';
import type { MappingRule, MappingTry } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { useReason } from '../../app/reasons.ts';
import { useNeeds } from '../../app/session.tsx';
import { Badge } from '../../ui/badge.tsx';
import { Banner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { SelectField, TextField } from '../../ui/field.tsx';
import { Card, Columns, Row, Stack } from '../../ui/layout.tsx';
import { Loaded, Refusal } from '../../ui/loaded.tsx';
import { Table } from '../../ui/table.tsx';
import { textOf } from '../run/field-changes.tsx';
import { errorAt, type SectionProps, type Shared } from './forms.ts';
import { MAPPING } from './mapping-words.ts';
import type { Kind } from './model.ts';
import css from './setup.module.css';

type How = 'source' | 'constant' | 'expression';

function howOf(rule: MappingRule): How {
  if (rule.expression !== undefined) return 'expression';
  return rule.constant === undefined ? 'source' : 'constant';
}

/** Rules over the ones built in, and what they make of one person before they are saved. */
export function MappingSection<Value extends Shared>({ kind, value, onChange, errors }: SectionProps<Value>) {
  const t = useT(MAPPING);
  const rules = value.mapping?.users ?? [];
  const set = (users: readonly MappingRule[]): void => onChange({ ...value, mapping: { users } });
  const change = (index: number, next: MappingRule): void => set(rules.map((rule, at) => (at === index ? next : rule)));
  return (
    <Stack>
      <p>{t('lead')}</p>
      <h3>{t('own')}</h3>
      {rules.length === 0 ? <p>{t('none')}</p> : null}
      {rules.map((rule, index) => (
        <RuleFields
          // biome-ignore lint/suspicious/noArrayIndexKey: a rule has no name but its place
          key={index}
          rule={rule}
          error={errorAt(errors, `mapping.users.${index}`)}
          onChange={(next) => change(index, next)}
          onRemove={() => set(rules.filter((_rule, at) => at !== index))}
        />
      ))}
      <div>
        <Button icon={<Plus size={16} />} onClick={() => set([...rules, { target: '', source: '', apply: 'always' }])}>
          {t('add')}
        </Button>
      </div>
      <TryIt kind={kind} mapping={{ users: rules }} />
      <InForce kind={kind} />
    </Stack>
  );
}

function RuleFields({
  rule,
  error,
  onChange,
  onRemove,
}: {
  readonly rule: MappingRule;
  readonly error: string | undefined;
  readonly onChange: (next: MappingRule) => void;
  readonly onRemove: () => void;
}) {
  const t = useT(MAPPING);
  const how = howOf(rule);
  const of = (kind: How, text: string): MappingRule => {
    const { source: _source, constant: _constant, expression: _expression, ...kept } = rule;
    return { ...kept, [kind]: text };
  };
  return (
    <Card>
      <Columns>
        <TextField
          label={t('target')}
          mono
          value={rule.target}
          error={error}
          onChange={(target) => onChange({ ...rule, target })}
        />
        <SelectField
          label={t('how')}
          value={how}
          onChange={(kind) => onChange(of(kind as How, ''))}
          options={(['source', 'constant', 'expression'] as const).map((kind) => [kind, t(kind)] as const)}
        />
        <TextField
          label={t('value')}
          mono
          value={String(rule[how] ?? '')}
          onChange={(text) => onChange(of(how, text))}
        />
        <SelectField
          label={t('apply')}
          value={rule.apply}
          onChange={(apply) => onChange({ ...rule, apply: apply as 'always' })}
          options={(['always', 'onCreate'] as const).map((name) => [name, t(name)] as const)}
        />
      </Columns>
      <Button look="quiet" small icon={<Trash2 size={15} />} onClick={onRemove}>
        {t('remove')}
      </Button>
    </Card>
  );
}

function TryIt({
  kind,
  mapping,
}: {
  readonly kind: Kind;
  readonly mapping: { readonly users: readonly MappingRule[] };
}) {
  const t = useT(MAPPING);
  const needs = useNeeds('operator');
  const [person, setPerson] = useState('');
  const attempt = useCall('POST /providers/{kind}/mapping/try');
  return (
    <Stack>
      <h3>{t('tryTitle')}</h3>
      <Row>
        <div style={{ flex: '1 1 260px' }}>
          <TextField label={t('person')} value={person} onChange={setPerson} />
        </div>
        <Button
          off={person.trim() === '' ? t('person') : needs}
          busy={attempt.isPending}
          onClick={() => attempt.mutate({ path: { kind }, body: { person: person.trim(), mapping } })}
        >
          {t('tryDo')}
        </Button>
      </Row>
      <Refusal error={attempt.error} />
      {attempt.data === undefined ? null : <Tried result={attempt.data} />}
    </Stack>
  );
}

function Tried({ result }: { readonly result: MappingTry }) {
  const t = useT(MAPPING);
  const sayReason = useReason();
  return (
    <>
      {result.skipped === null ? null : (
        <Banner tone="amber" title={t('skipped')}>
          {sayReason(result.skipped.code, result.skipped.sentence)}
        </Banner>
      )}
      <Table
        first
        label={t('tryTitle')}
        items={result.attributes}
        keyOf={({ target }) => target}
        columns={[
          { name: t('target'), cell: ({ target }) => target },
          {
            name: t('seen'),
            cell: ({ source }) =>
              Object.entries(source)
                .map(([name, seen]) => `${name}: ${textOf(seen)}`)
                .join('; ') || '–',
          },
          { name: t('result'), cell: ({ value, problem }) => problem ?? textOf(value) },
          {
            name: t('how'),
            end: true,
            cell: ({ byDefault }) => (
              <Badge tone={byDefault ? 'grey' : 'blue'}>{t(byDefault ? 'builtIn' : 'yours')}</Badge>
            ),
          },
        ]}
      />
    </>
  );
}

function InForce({ kind }: { readonly kind: Kind }) {
  const t = useT(MAPPING);
  const mapping = useGet('GET /providers/{kind}/mapping', { path: { kind } });
  return (
    <details className={css.more}>
      <summary>{t('force')}</summary>
      <Loaded query={mapping}>
        {({ items }) => (
          <Table
            first
            label={t('force')}
            items={items}
            keyOf={({ target }) => target}
            columns={[
              { name: t('target'), cell: ({ target }) => target },
              { name: t('how'), cell: (rule) => <code>{String(rule[howOf(rule)] ?? '')}</code> },
              { name: t('apply'), cell: ({ apply }) => t(apply) },
              {
                name: '',
                end: true,
                cell: ({ byDefault }) => (
                  <Badge tone={byDefault ? 'grey' : 'blue'}>{t(byDefault ? 'builtIn' : 'yours')}</Badge>
                ),
              },
            ]}
          />
        )}
      </Loaded>
    </details>
  );
}
