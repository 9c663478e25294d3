import { Download, FileSpreadsheet, LayoutGrid, Server } from 'lucide-react';
import type { ProviderCard } from '../../api/types.ts';
import { classes } from '../../ui/classes.ts';
import css from './inbound.module.css';

const ICONS = { microsoft365: LayoutGrid, scim: Download, ldap: Server, csv: FileSpreadsheet } as const;

export function ProviderIcon({ kind, grey = false }: { readonly kind: ProviderCard['kind']; readonly grey?: boolean }) {
  const Icon = ICONS[kind];
  return (
    <span className={classes(css.sign, grey && css.grey)}>
      <Icon size={21} aria-hidden />
    </span>
  );
}
