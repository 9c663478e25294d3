import type { SourcePreview } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { Badge } from '../../ui/badge.tsx';
import { Table } from '../../ui/table.tsx';
import { CSV } from './csv-words.ts';
import css from './setup.module.css';

interface Outcome {
  readonly resource?: { readonly userName?: string; readonly displayName?: string };
  readonly skip?: string;
  readonly detail?: string;
}

/** The first lines of each file; of users also what each would become. */
export function FirstRows({ preview }: { readonly preview: SourcePreview }) {
  const t = useT(CSV);
  const outcomes = new Map(preview.resources.map(({ line, outcome }) => [line, outcome as Outcome]));
  return preview.files.map(({ role, name, encoding, columns, rows }) => (
    <div key={role}>
      <h3>
        {t('rows')}: {name} <small className={css.quiet}>{encoding}</small>
      </h3>
      <Table
        label={name}
        items={rows}
        keyOf={({ line }) => String(line)}
        columns={[
          { name: t('line'), cell: ({ line }) => line },
          ...columns.map(({ heading }, index) => ({
            name: heading,
            cell: ({ cells, problem }: (typeof rows)[number]) =>
              problem === null ? (cells[index] ?? '') : index === 0 ? problem : '',
          })),
          ...(role === 'users'
            ? [
                {
                  name: t('becomes'),
                  end: true,
                  cell: ({ line }: (typeof rows)[number]) => <Becomes outcome={outcomes.get(line)} />,
                },
              ]
            : []),
        ]}
      />
    </div>
  ));
}

function Becomes({ outcome }: { readonly outcome: Outcome | undefined }) {
  const t = useT(CSV);
  if (outcome === undefined) return null;
  const { resource, skip, detail } = outcome;
  if (resource === undefined)
    return <Badge tone="amber">{`${t('leftOut')}: ${skip ?? ''}${detail === undefined ? '' : ` (${detail})`}`}</Badge>;
  return <Badge tone="green">{resource.userName ?? resource.displayName ?? ''}</Badge>;
}
