// A form over settings that others may save meanwhile: nobody is overwritten unseen, and nothing that was entered is lost.
import { lazy, type ReactNode, Suspense, useEffect, useState } from 'react';
import { ApiError, type Tagged } from '../../api/client.ts';
import { queryClient, refresh } from '../../api/queries.ts';
import { Banner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { useT } from '../i18n.ts';
import { apart, isSame, merged } from './three-way.ts';
import { WORDS } from './words.ts';

const ConflictDialog = lazy(() => import('./dialog.tsx').then((part) => ({ default: part.ConflictDialog })));

/** Who saved, and when, as far as the gateway knows. */
export interface Saver {
  readonly savedBy: string | null;
  readonly savedAt: string | null;
}

export interface DraftOf<Saved, Value extends object> {
  /** What the page shows now; follows what others save. */
  readonly saved: Tagged<Saved>;
  /** Of the settings, what the form holds. */
  readonly shape: (saved: Saved) => Value;
  readonly read: () => Promise<Tagged<Saved>>;
  /** @param from what the value was made from, with the version that is named in `If-Match` */
  readonly write: (value: Value, from: Tagged<Saved>) => Promise<Tagged<Saved>>;
  /** Which queries show them. */
  readonly topic: string;
  /** What a field is called; undefined shows its path. */
  readonly nameOf?: (path: string) => string | undefined;
  /** A value in words; undefined shows it as it is. */
  readonly sayValue?: (path: string, value: unknown) => string | undefined;
  /** What the form begins with, where that is not what is saved. */
  readonly start?: (saved: Value) => Value;
}

export interface Draft<Saved, Value> {
  readonly value: Value;
  setValue(next: Value): void;
  /** The settings that the form began with. */
  readonly base: Saved;
  readonly changed: boolean;
  readonly isPending: boolean;
  /** Why it was not saved; a conflict is asked about instead. */
  readonly error: Error | null;
  /** What was not saved, for the reason of `error`. */
  readonly refused: Value | undefined;
  clearError(): void;
  /** Back to what the form began with. */
  revert(): void;
  save(done?: (saved: Saved) => void): void;
  /** Belongs on the page: says that others saved, and asks field by field whose it is to be. */
  readonly notice: ReactNode;
}

interface Conflict<Saved> extends Saver {
  readonly theirs: Tagged<Saved>;
  readonly done: ((saved: Saved) => void) | undefined;
}

const NOBODY: Saver = { savedBy: null, savedAt: null };

export function useDraft<Saved, Value extends object>({
  saved,
  shape,
  read,
  write,
  topic,
  nameOf,
  sayValue,
  start,
}: DraftOf<Saved, Value>): Draft<Saved, Value> {
  const [base, setBase] = useState(saved);
  const [value, setValue] = useState(() => (start ?? ((first: Value) => first))(shape(saved.value)));
  const [isPending, setPending] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const [refused, setRefused] = useState<Value | undefined>(undefined);
  const [conflict, setConflict] = useState<Conflict<Saved> | undefined>(undefined);
  const changed = !isSame(value, shape(base.value));
  // What was just saved here comes back as news a moment later, and before it once more what was there before.
  const [seen, setSeen] = useState(saved.etag);
  const isOld = saved.etag !== base.etag && saved.etag !== seen && !isPending && conflict === undefined;

  function take(next: Tagged<Saved>): void {
    setBase(next);
    setValue(shape(next.value));
  }

  const isAgainst = isOld && changed && apart(shape(base.value), value, shape(saved.value)).length > 0;

  // What somebody else saved is taken up unless it goes against what is being changed here.
  useEffect(() => {
    if (saved.etag === base.etag) setSeen(saved.etag);
    else if (isOld && !changed) take(saved);
    else if (isOld && !isAgainst) setBase(saved);
  });

  async function store(mine: Value, from: Tagged<Saved>, done: ((saved: Saved) => void) | undefined): Promise<void> {
    setPending(true);
    setError(null);
    try {
      const next = await write(mine, from);
      take(next);
      setConflict(undefined);
      refresh(queryClient, [topic]);
      done?.(next.value);
    } catch (refusal) {
      setConflict(undefined);
      setRefused(mine);
      if (!(refusal instanceof ApiError && refusal.status === 412)) setError(refusal as Error);
      else await meet(mine, from, { ...NOBODY, ...refusal.problem, done }).catch(setError);
    } finally {
      setPending(false);
    }
  }

  /** Where they changed nothing of it there is nothing to ask. */
  async function meet(mine: Value, from: Tagged<Saved>, met: Omit<Conflict<Saved>, 'theirs'>): Promise<void> {
    const theirs = await read();
    if (apart(shape(from.value), mine, shape(theirs.value)).length > 0) setConflict({ ...met, theirs });
    else await settle(mine, { ...met, theirs });
  }

  /** The form goes on from theirs, whatever becomes of the write. */
  function settle(whole: Value, { theirs, done }: Conflict<Saved>): Promise<void> {
    setBase(theirs);
    setValue(whole);
    return store(whole, theirs, done);
  }

  return {
    value,
    setValue,
    base: base.value,
    changed,
    isPending,
    error,
    refused,
    clearError: () => setError(null),
    revert() {
      setValue(shape(base.value));
      setError(null);
    },
    save: (done) => void store(value, base, done),
    notice: (
      <>
        {isAgainst ? <Others onLook={() => setConflict({ ...NOBODY, theirs: saved, done: undefined })} /> : null}
        {conflict === undefined ? null : (
          <Suspense>
            <ConflictDialog
              key={conflict.theirs.etag}
              saver={conflict}
              fields={apart(shape(base.value), value, shape(conflict.theirs.value))}
              nameOf={nameOf}
              sayValue={sayValue}
              busy={isPending}
              onClose={() => setConflict(undefined)}
              onSave={(taken) => void settle(merged(value, taken), conflict)}
            />
          </Suspense>
        )}
      </>
    ),
  };
}

function Others({ onLook }: { readonly onLook: () => void }) {
  const t = useT(WORDS);
  return (
    <Banner tone="amber" title={t('others')} actions={<Button onClick={onLook}>{t('compare')}</Button>}>
      {t('compareFirst')}
    </Banner>
  );
}
