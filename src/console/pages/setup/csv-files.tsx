import { useMutation } from '@tanstack/react-query';
import { Eye, Upload } from 'lucide-react';
import { useId, useState } from 'react';
import { upload } from '../../api/client.ts';
import { queryClient, refresh, useCall, useGet } from '../../api/queries.ts';
import type { SourcePreview } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { useNeeds } from '../../app/session.tsx';
import { Button } from '../../ui/button.tsx';
import { Card, Columns, Row, Stack } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { Table } from '../../ui/table.tsx';
import { toast } from '../../ui/toast.tsx';
import { CSV } from './csv-words.ts';

const ROLES = ['users', 'groups', 'memberships'] as const;
type Role = (typeof ROLES)[number];

/** The files that are here, others to take their place, and a look at the first rows. */
export function CsvFiles({ uploads }: { readonly uploads: boolean }) {
  const t = useT(CSV);
  const needs = useNeeds('operator');
  const needsAdmin = useNeeds('admin');
  const look = useCall('POST /providers/{kind}/preview');
  const [files, setFiles] = useState<Readonly<Partial<Record<Role, File>>>>({});
  const send = useMutation({
    mutationFn: () => upload('POST /providers/csv/upload', files as Record<string, File>),
    onSuccess: () => {
      toast(t('sent'));
      refresh(queryClient, ['provider']);
    },
  });
  return (
    <>
      <Card title={t('files')}>
        <Stack>
          {uploads ? (
            <>
              <Newest />
              <Refusal error={send.error} />
              <Columns>
                {ROLES.map((role) => (
                  <FileField
                    key={role}
                    label={t(`${role}File`)}
                    onPick={(file) => setFiles({ ...files, [role]: file })}
                  />
                ))}
              </Columns>
            </>
          ) : null}
          <Row>
            {uploads ? (
              <Button
                icon={<Upload size={16} />}
                off={files.users === undefined ? t('needUsers') : needsAdmin}
                busy={send.isPending}
                onClick={() => send.mutate()}
              >
                {t('send')}
              </Button>
            ) : null}
            <Button
              icon={<Eye size={16} />}
              off={needs}
              busy={look.isPending}
              onClick={() => look.mutate({ path: { kind: 'csv' } })}
            >
              {t('look')}
            </Button>
          </Row>
          <Refusal error={look.error} />
        </Stack>
      </Card>
      {look.data === undefined ? null : <FirstRows preview={look.data} />}
    </>
  );
}

function Newest() {
  const t = useT(CSV);
  const { data } = useGet('GET /providers/csv/upload');
  if (data === undefined || data.files.length === 0) return <p>{t('none')}</p>;
  return (
    <ul>
      {data.files.map(({ role, name, bytes }) => (
        <li key={role}>
          <strong>{t(role)}</strong>: {t('newest', { name, n: bytes })}
        </li>
      ))}
    </ul>
  );
}

function FileField({ label, onPick }: { readonly label: string; readonly onPick: (file: File | undefined) => void }) {
  const id = useId();
  return (
    <div>
      <label htmlFor={id}>{label}</label>
      <input id={id} type="file" accept=".csv,text/csv" onChange={(event) => onPick(event.target.files?.[0])} />
    </div>
  );
}

function FirstRows({ preview }: { readonly preview: SourcePreview }) {
  const t = useT(CSV);
  return preview.files.map(({ role, name, encoding, columns, rows }) => (
    <Card key={role} title={`${t('rows')}: ${name}`} note={encoding} flush>
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
        ]}
      />
    </Card>
  ));
}
