import { Link } from '@tanstack/react-router';
import { useGet } from '../../api/queries.ts';
import { nameOf } from './name-of.ts';

/** Somebody's manager by name, as somebody to go on to. */
export function Manager({ value }: { readonly value: unknown }) {
  const { value: id = '' } = (value ?? {}) as { readonly value?: string };
  const boss = useGet('GET /users/{id}', { path: { id }, enabled: id !== '' });
  if (id === '') return <>–</>;
  return (
    <Link to="/users/$id" params={{ id }}>
      {boss.data === undefined ? '…' : nameOf(boss.data)}
    </Link>
  );
}
