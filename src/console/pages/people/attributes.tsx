import type { ReactNode } from 'react';
import { useGet } from '../../api/queries.ts';
import type { ScimResource } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { COMMON } from '../../app/words.ts';
import { Card, Pairs } from '../../ui/layout.tsx';
import { Together } from '../../ui/loaded.tsx';
import { Table } from '../../ui/table.tsx';
import { textOf, useKind } from '../run/field-changes.tsx';
import { ATTRIBUTES } from './attribute-words.ts';
import { Manager } from './manager.tsx';
import { WORDS } from './words.ts';

/** What stands elsewhere on the page. */
const ELSEWHERE = new Set(['schemas', 'meta', 'state', 'groups', 'members', 'id', 'externalId', 'origin', 'source']);

type Origin = ScimResource['state']['origin'];

interface Attribute {
  /** Its own name, without that of its schema. */
  readonly name: string;
  /** As a mapping rule names it. */
  readonly path: string;
  readonly value: unknown;
}

/** Every attribute that is served, an extension's among them, and what in the source each is made of. */
export function Attributes({ resource }: { readonly resource: ScimResource }) {
  const t = useT(WORDS);
  const names = useT(ATTRIBUTES);
  const { origin } = resource.state;
  const mapping = useMapping(origin);
  const fromOf = useFrom(origin);
  const version = (resource.meta as { version?: string }).version?.match(/\d+/)?.[0];
  const external = (resource as unknown as { externalId?: unknown }).externalId;
  const ids: (readonly [string, ReactNode])[] = [[t('id'), <code key="id">{resource.id}</code>]];
  if (typeof external === 'string') ids.push([t('externalId'), <code key="external">{external}</code>]);
  if (version !== undefined) ids.push([t('version'), version]);
  return (
    <Together of={[mapping]}>
      <Card flush>
        <Table
          first
          label={t('overview')}
          items={attributesOf(resource)}
          keyOf={({ path }) => path}
          columns={[
            {
              name: t('attribute'),
              cell: ({ name }) => (name in ATTRIBUTES ? names(name as keyof typeof ATTRIBUTES) : name),
            },
            {
              name: t('value'),
              cell: (attribute) => (
                <div style={{ overflowWrap: 'anywhere' }}>
                  <Value {...attribute} />
                </div>
              ),
            },
            { name: t('from'), cell: ({ path }) => <span style={{ color: 'var(--muted)' }}>{fromOf(path)}</span> },
          ]}
        />
      </Card>
      <Card>
        <Pairs items={ids} />
      </Card>
    </Together>
  );
}

function attributesOf(resource: ScimResource): readonly Attribute[] {
  return Object.entries(resource).flatMap(([name, value]): readonly Attribute[] => {
    if (ELSEWHERE.has(name) || value === null) return [];
    if (!name.startsWith('urn:')) return [{ name, path: name, value }];
    return Object.entries(value as Readonly<Record<string, unknown>>)
      .filter(([part]) => !ELSEWHERE.has(part))
      .map(([part, inner]) => ({ name: part, path: `${name}:${part}`, value: inner }));
  });
}

/** The rules in force; none for who was entered by hand. */
function useMapping(origin: Origin) {
  return useGet('GET /providers/{kind}/mapping', { path: { kind: origin }, enabled: origin !== 'manual' });
}

/** Says which fields of the source the rules in force take an attribute from. */
function useFrom(origin: Origin): (path: string) => string {
  const t = useT(WORDS);
  const mapping = useMapping(origin);
  return (path) => {
    if (origin === 'manual') return t('byHand');
    const rules = (mapping.data?.items ?? []).filter(({ target }) => target === path || target.startsWith(`${path}.`));
    const from = rules.map(
      ({ source, expression }) => source ?? (expression === undefined ? t('constant') : t('rule')),
    );
    if (from.length > 0) return [...new Set(from)].join(', ');
    return mapping.data === undefined ? '' : t('worked');
  };
}

interface Part {
  readonly value?: string;
  readonly type?: string;
  readonly primary?: boolean;
}

const ADDRESS = ['streetAddress', 'postalCode', 'locality', 'region', 'country'] as const;

function Value({ name, value }: Attribute) {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const kind = useKind();
  if (typeof value === 'boolean') return <>{common(value ? 'yes' : 'no')}</>;
  if (name === 'manager') return <Manager value={value} />;
  if (name === 'name') return <>{nameIn(value as Readonly<Record<string, string>>)}</>;
  if (!Array.isArray(value)) return <>{kind(name, value) ?? textOf(value)}</>;
  const lines = (value as readonly (Part & Readonly<Record<string, unknown>>)[]).map((part) => {
    const text = name === 'addresses' ? [...new Set(ADDRESS.map((of) => part[of]).filter(Boolean))].join(', ') : '';
    const notes = [part.type, part.primary === true && value.length > 1 ? t('primary') : undefined].filter(Boolean);
    return { text: text === '' ? textOf(part) : text, note: notes.join(', ') };
  });
  return (
    <div>
      {lines.map(({ text, note }) => (
        <div key={text + note}>
          {text} {note === '' ? null : <small style={{ color: 'var(--muted)' }}>{note}</small>}
        </div>
      ))}
    </div>
  );
}

function nameIn({ formatted, givenName, familyName }: Readonly<Record<string, string>>): string {
  return formatted ?? [givenName, familyName].filter(Boolean).join(' ');
}
