import type { ScimResource } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { Card, Pairs } from '../../ui/layout.tsx';
import { textOf } from '../run/field-changes.tsx';
import { WORDS } from './words.ts';

const OWN = new Set(['schemas', 'meta', 'state', 'groups', 'members', 'id', 'externalId']);

/** Every attribute that is served, an extension's among them. */
export function Attributes({ resource }: { readonly resource: ScimResource }) {
  const t = useT(WORDS);
  const record = resource as unknown as Readonly<Record<string, unknown>>;
  const version = (resource.meta as { version?: string }).version;
  const rows = Object.entries(record).flatMap(([name, value]): (readonly [string, string])[] => {
    if (OWN.has(name) || value === null) return [];
    if (!name.startsWith('urn:')) return [[name, textOf(value)]];
    return Object.entries(value as Record<string, unknown>).map(([part, inner]) => [part, textOf(inner)] as const);
  });
  return (
    <Card>
      <Pairs
        items={[
          ...rows,
          [t('id'), <code key="id">{resource.id}</code>],
          ...(typeof record['externalId'] === 'string'
            ? [[t('externalId'), <code key="external">{record['externalId']}</code>] as const]
            : []),
          ...(version === undefined ? [] : [[t('version'), version] as const]),
        ]}
      />
    </Card>
  );
}

export function nameOf(resource: ScimResource): string {
  const { displayName, userName } = resource as unknown as { displayName?: string; userName?: string };
  return displayName ?? userName ?? resource.id;
}
