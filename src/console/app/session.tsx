// Who is signed in, what the role may do, and the dialog that asks to sign in again over the page.
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from 'react';
import { ApiError, call, whenSignedOut } from '../api/client.ts';
import { startLive, stopLive } from '../api/live.ts';
import { queryClient } from '../api/queries.ts';
import type { Session } from '../api/types.ts';
import { SIGNED_IN, SignInAgain, SignInPage, Unreachable } from '../pages/sign-in/sign-in.tsx';
import { useT, words } from './i18n.ts';

export type Role = Session['role'];
const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };

const WORDS = words({
  needsOperator: ['Needs the operator role.', '운영자 역할이 필요합니다.'],
  needsAdmin: ['Needs the administrator role.', '관리자 역할이 필요합니다.'],
});

interface SessionState {
  readonly session: Session;
  signOut(everywhere: boolean): Promise<void>;
}

const Context = createContext<SessionState | undefined>(undefined);

export function useSession(): SessionState {
  const state = useContext(Context);
  if (state === undefined) throw new Error('outside of a session');
  return state;
}

/** Undefined when the role may; else the sentence that says why not, for `off` of a button. */
export function useNeeds(role: 'operator' | 'admin'): string | undefined {
  const t = useT(WORDS);
  const { session } = useSession();
  if (RANK[session.role] >= RANK[role]) return undefined;
  return t(role === 'admin' ? 'needsAdmin' : 'needsOperator');
}

function isRefused(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

/** Shows what it holds to whoever is signed in, and the sign-in page to everybody else. */
export function SessionGate({ children }: { readonly children: ReactNode }) {
  const [session, setSession] = useState<Session | null | undefined>(undefined);
  const [again, setAgain] = useState<'over' | 'step-up' | undefined>(undefined);
  /** Why the gateway does not say who is signed in. */
  const [failed, setFailed] = useState<unknown>(undefined);
  const [tries, setTries] = useState(0);
  const waiting = useRef<((signedIn: boolean) => void)[]>([]);

  useEffect(() => {
    whenSignedOut(
      (error) =>
        new Promise((resolve) => {
          waiting.current.push(resolve);
          setAgain(error.code === 'step-up-required' ? 'step-up' : 'over');
        }),
    );
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each try asks anew
  useEffect(() => {
    const is = (known: Session | null): void => {
      setFailed(undefined);
      setSession(known);
    };
    call('GET /session').then(is, (error: unknown) => (isRefused(error) ? is(null) : setFailed(error)));
  }, [tries]);

  const signedIn = session !== undefined && session !== null;
  useEffect(() => {
    if (!signedIn) return;
    startLive();
    // A tab that waits for this sign-in goes on.
    const others = new BroadcastChannel(SIGNED_IN);
    others.postMessage(null);
    others.close();
    return stopLive;
  }, [signedIn]);

  const state = useMemo(
    () =>
      signedIn
        ? {
            session,
            async signOut(everywhere: boolean) {
              await call('DELETE /session', { query: { everywhere } }).catch((error: Error) => {
                if (!isRefused(error)) throw error;
              });
              queryClient.clear();
              setSession(null);
            },
          }
        : undefined,
    [session, signedIn],
  );

  function settle(next: Session | undefined): void {
    if (next !== undefined) setSession(next);
    setAgain(undefined);
    for (const resolve of waiting.current.splice(0)) resolve(next !== undefined);
    if (next === undefined && again === 'over') setSession(null);
  }

  if (failed !== undefined) return <Unreachable error={failed} onRetry={() => setTries(tries + 1)} />;
  if (session === undefined) return null;
  if (state === undefined) return <SignInPage onSignedIn={setSession} />;
  return (
    <Context value={state}>
      {children}
      {again === undefined ? null : <SignInAgain why={again} session={state.session} onDone={settle} />}
    </Context>
  );
}
