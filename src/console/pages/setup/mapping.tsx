import { useState } from 'react';
import { useAsk, useGet } from '../../api/queries.ts';
import type { MappingRule, MappingTry } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { useReason } from '../../app/reasons.ts';
import { useNeeds } from '../../app/session.tsx';
import { Badge } from '../../ui/badge.tsx';
import { Banner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';
import { Row, Stack } from '../../ui/layout.tsx';
import { Loaded, Refusal } from '../../ui/loaded.tsx';
import { RuleList } from '../../ui/rule-fields.tsx';
import { Table } from '../../ui/table.tsx';
import { textOf } from '../run/field-changes.tsx';
import { errorAt, type SectionProps, type Shared } from './forms.ts';
import { MAPPING } from './mapping-words.ts';
import type { Kind } from './model.ts';
import css from './setup.module.css';

const HOWS = ['source', 'constant', 'expression'] as const;
const WHENS = ['always', 'onCreate'] as const;
const NEW_RULE: MappingRule = { target: '', source: '', apply: 'always' };

type How = (typeof HOWS)[number];
type When = (typeof WHENS)[number];

function howOf(rule: MappingRule): How {
  if (rule.expression !== undefined) return 'expression';
  return rule.constant === undefined ? 'source' : 'constant';
}

function withText(rule: MappingRule, how: How, text: string): MappingRule {
  const { source: _source, constant: _constant, expression: _expression, ...kept } = rule;
  return { ...kept, [how]: text };
}

/** Rules over the ones built in, and what they make of one person before they are saved. */
export function MappingSection<Value extends Shared>({
  kind,
  value,
  onChange,
  errors,
  clearErrors,
}: SectionProps<Value>) {
  const t = useT(MAPPING);
  const rules = value.mapping?.users ?? [];
  function set(users: readonly MappingRule[]): void {
    onChange({ ...value, mapping: { users } });
    if (users.length < rules.length) clearErrors();
  }
  return (
    <Stack>
      <p>{t('lead')}</p>
      <h3>{t('own')}</h3>
      {rules.length === 0 ? <p>{t('none')}</p> : null}
      <RuleList<MappingRule, How, When>
        rules={rules}
        fresh={NEW_RULE}
        formOf={(rule, change, index) => ({
          target: { label: t('target'), value: rule.target, error: errorAt(errors, `mapping.users.${index}`) },
          how: { label: t('how'), value: howOf(rule), options: HOWS.map((how) => [how, t(how)] as const) },
          text: { label: t('value'), value: String(rule[howOf(rule)] ?? '') },
          when: {
            label: t('apply'),
            value: rule.apply ?? 'always',
            options: WHENS.map((when) => [when, t(when)] as const),
          },
          onTarget: (target) => change({ ...rule, target }),
          onText: (how, text) => change(withText(rule, how, text)),
          onWhen: (apply) => change({ ...rule, apply }),
        })}
        onChange={set}
      />
      <TryIt kind={kind} mapping={{ users: rules }} />
      <InForce kind={kind} />
    </Stack>
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
  const attempt = useAsk('POST /providers/{kind}/mapping/try');
  return (
    <Stack>
      <h3>{t('tryTitle')}</h3>
      <Row end>
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
              { name: t('apply'), cell: ({ apply = 'always' }) => t(apply) },
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
