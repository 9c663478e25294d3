import { useMutation } from '@tanstack/react-query';
import { Upload } from 'lucide-react';
import { useId, useState } from 'react';
import { upload } from '../../api/client.ts';
import { queryClient, refresh, useGet } from '../../api/queries.ts';
import { useT } from '../../app/i18n.ts';
import { useNeeds } from '../../app/session.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { Columns, Stack } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { toast } from '../../ui/toast.tsx';
import { CSV } from './csv-words.ts';
import css from './setup.module.css';

const ROLES = ['users', 'groups', 'memberships'] as const;
type Role = (typeof ROLES)[number];

/** The files that are here, and others to take their place. */
export function CsvUpload() {
  const t = useT(CSV);
  const needs = useNeeds('admin');
  const [files, setFiles] = useState<Readonly<Partial<Record<Role, File>>>>({});
  const send = useMutation({
    mutationFn: () => upload('POST /providers/csv/upload', files as Record<string, File>),
    onSuccess: () => {
      toast(t('sent'));
      refresh(queryClient, ['provider']);
    },
  });
  return (
    <Stack>
      <Refusal error={send.error} />
      <Columns many>
        {ROLES.map((role) => (
          <FileField key={role} label={t(`${role}File`)} onPick={(file) => setFiles({ ...files, [role]: file })} />
        ))}
      </Columns>
      <div>
        <Button
          icon={<Upload size={16} />}
          off={files.users === undefined ? t('needUsers') : needs}
          busy={send.isPending}
          onClick={() => send.mutate()}
        >
          {t('send')}
        </Button>
      </div>
      <Newest />
    </Stack>
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
  const t = useT(CSV);
  const id = useId();
  const [name, setName] = useState<string | undefined>(undefined);
  return (
    <div className={css.file}>
      <label htmlFor={id}>{label}</label>
      {/* What the browser says beside its own button is in the browser's language. */}
      <label className={css.pickFile}>
        <input
          id={id}
          type="file"
          accept=".csv,text/csv"
          className="hidden"
          onChange={(event) => {
            const file = event.target.files?.[0];
            setName(file?.name);
            onPick(file);
          }}
        />
        <span className={buttonClass()} aria-hidden>
          {t('choose')}
        </span>
        <span className={css.quiet} aria-hidden>
          {name ?? t('noneChosen')}
        </span>
      </label>
    </div>
  );
}
