import { Fragment } from 'react';
import { useT } from '../../app/i18n.ts';
import { COMMON, PROVIDERS } from '../../app/words.ts';
import { ATTRIBUTES } from '../people/attribute-words.ts';
import type { Item } from './changes.tsx';
import { DETAILS } from './item-words.ts';
import css from './run.module.css';
import { WORDS } from './words.ts';

/** What a change does, attribute by attribute. */
export function FieldChanges({ item }: { readonly item: Item }) {
  const t = useT(WORDS);
  const names = useT(ATTRIBUTES);
  const nameOf = (path: string): string => attributeName(path, names);
  const say = useValue();
  const diff = item.diff.length > 0 || item.link !== null ? item.diff : whole(item);
  // The first two say it in words.
  const rows = [...useLinkRows(item), ...(item.link === null ? diff : diff.filter(({ path }) => !OF_LINK.test(path)))];
  if (rows.length === 0) return <p>{t('members', { added: item.added, removed: item.removed })}</p>;
  return (
    <div className={css.diff}>
      <span className={css.head}>{t('field')}</span>
      <span className={css.head}>{t('before')}</span>
      <span className={css.head}>{t('after')}</span>
      {rows.map(({ path, before, after }) => (
        <Fragment key={path}>
          <span>{nameOf(path)}</span>
          <del>{say(path, before)}</del>
          <ins>{say(path, after)}</ins>
        </Fragment>
      ))}
    </div>
  );
}

const OF_LINK = /^externalId$|:(origin|source)$/;

/** Attributes whose values are codes of kinds. */
const KINDS = /(^|:)(mailboxType|groupType)$/;

/** The word for a kind of mailbox or group; undefined for every other attribute. */
export function useKind(): (path: string, value: unknown) => string | undefined {
  const kinds = useT(DETAILS);
  return (path, value) =>
    KINDS.test(path) && String(value) in DETAILS ? kinds(String(value) as keyof typeof DETAILS) : undefined;
}

/** A value as people read it: yes and no, the name of a source, and kinds in words. */
export function useValue(): (path: string, value: unknown) => string {
  const common = useT(COMMON);
  const kind = useKind();
  const origins = useT(PROVIDERS);
  return (path, value) => {
    if (typeof value === 'boolean') return common(value ? 'yes' : 'no');
    if (/(^|:)(origin|source)$/.test(path) && String(value) in PROVIDERS)
      return origins(value as keyof typeof PROVIDERS);
    return kind(path, value) ?? textOf(value);
  };
}

/** Whose a resource was and will be, and by which id there. */
function useLinkRows({ link }: Item) {
  const t = useT(WORDS);
  const origins = useT(PROVIDERS);
  if (link === null) return [];
  const nameOf = (origin: string): string => origins(origin as keyof typeof PROVIDERS);
  return [
    { path: t('owner'), before: nameOf(link.before.origin), after: nameOf(link.after.origin) },
    { path: t('anchor'), before: link.before.externalId, after: link.after.externalId },
  ];
}

/** An attribute as people call it; of one that only programs know, its own name. */
export function attributeName(path: string, names: (name: keyof typeof ATTRIBUTES) => string): string {
  const short = path.replace(/^urn:.*:/, '');
  const last = short.slice(short.lastIndexOf('.') + 1);
  if (short in ATTRIBUTES) return names(short as keyof typeof ATTRIBUTES);
  return last in ATTRIBUTES ? names(last as keyof typeof ATTRIBUTES) : short;
}

/** What comes or goes as a whole: every attribute is on one side only. */
function whole({ before, after, action }: Item): readonly { path: string; before: unknown; after: unknown }[] {
  const side = (after ?? before ?? {}) as Readonly<Record<string, unknown>>;
  const gone = action === 'delete' || action === 'deactivate';
  return Object.entries(side)
    .filter(([path]) => path !== 'schemas')
    .flatMap(([path, value]) =>
      path.startsWith('urn:') ? Object.entries(value as Readonly<Record<string, unknown>>) : [[path, value] as const],
    )
    .map(([path, value]) => ({ path, before: gone ? value : null, after: gone ? null : value }));
}

export function textOf(value: unknown): string {
  if (value === null || value === undefined) return '–';
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return value.map(textOf).join(', ');
  const record = value as Readonly<Record<string, unknown>>;
  if (record['value'] !== undefined) return textOf(record['value']);
  return Object.values(record)
    .filter((part) => typeof part !== 'boolean')
    .map(textOf)
    .join(' · ');
}
