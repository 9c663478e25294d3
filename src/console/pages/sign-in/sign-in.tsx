import { type FormEvent, useEffect, useRef, useState } from 'react';
import { call } from '../../api/client.ts';
import type { Session, SignIn } from '../../api/types.ts';
import { useT } from '../../app/i18n.ts';
import { Banner } from '../../ui/banner.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { TextField } from '../../ui/field.tsx';
import { Failure, Refusal } from '../../ui/loaded.tsx';
import css from './sign-in.module.css';
import { WORDS } from './words.ts';

function useTokenForm(onSignedIn: (session: Session) => void) {
  const t = useT(WORDS);
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);

  async function submit(event?: FormEvent): Promise<void> {
    event?.preventDefault();
    if (token.trim() === '') {
      setProblem(t('empty'));
      input.current?.focus();
      return;
    }
    setBusy(true);
    setError(null);
    try {
      onSignedIn(await call('POST /session', { body: { token: token.trim() } }));
    } catch (refused) {
      setError(refused);
      input.current?.focus();
    } finally {
      setBusy(false);
    }
  }

  const field = (
    <TextField
      label={t('token')}
      hint={t('tokenHint')}
      type="password"
      autoComplete="current-password"
      value={token}
      error={problem}
      inputRef={input}
      onChange={(value) => {
        setToken(value);
        setProblem(undefined);
      }}
    />
  );
  return { field, submit, error, busy, input };
}

function useWays(): SignIn | undefined {
  const [ways, setWays] = useState<SignIn | undefined>(undefined);
  useEffect(() => {
    call('GET /sign-in').then(setWays, () => setWays({ token: true, oidc: null }));
  }, []);
  return ways;
}

/** Why a sign-in at the identity provider came to nothing, as the gateway names it in the address. */
const REFUSED = ['no-role', 'sign-in-stale', 'sign-in-refused', 'issuer-unreachable'] as const;

export function SignInPage({ onSignedIn }: { readonly onSignedIn: (session: Session) => void }) {
  const t = useT(WORDS);
  const { field, submit, error, busy } = useTokenForm(onSignedIn);
  const ways = useWays();
  const refused = new URLSearchParams(window.location.search).get('refused');
  useEffect(() => {
    document.title = `${t('title')} · Sluice`;
  }, [t]);
  return (
    <main className={css.page}>
      <div className={css.box}>
        <div className={css.brand}>
          <img src="/icon.svg" alt="" />
          Sluice
        </div>
        <div>
          <h1>{t('title')}</h1>
          <p>{t('lead')}</p>
        </div>
        {refused === null ? null : <Banner tone="red" title={t(REFUSED.find((one) => one === refused) ?? 'failed')} />}
        {ways?.oidc ? (
          <>
            <a className={buttonClass('primary')} href={oidcLink()}>
              {t('oidc', { title: ways.oidc.title })}
            </a>
            <div className={css.or}>{t('or')}</div>
          </>
        ) : null}
        <form onSubmit={(event) => void submit(event)}>
          <Refusal error={error} />
          {field}
          <Button type="submit" look={ways?.oidc ? undefined : 'primary'} busy={busy}>
            {t('enter')}
          </Button>
        </form>
      </div>
    </main>
  );
}

const ASK_AGAIN_MS = 4_000;

/** Who is signed in is not known while the gateway does not say: it is asked again by itself. */
export function Unreachable({ error, onRetry }: { readonly error: unknown; readonly onRetry: () => void }) {
  const retry = useRef(onRetry);
  retry.current = onRetry;
  // biome-ignore lint/correctness/useExhaustiveDependencies: each time that it failed
  useEffect(() => {
    const timer = window.setTimeout(() => retry.current(), ASK_AGAIN_MS);
    return () => window.clearTimeout(timer);
  }, [error]);
  return (
    <main className={css.page}>
      <div className={css.box}>
        <div className={css.brand}>
          <img src="/icon.svg" alt="" />
          Sluice
        </div>
        <Failure error={error} onRetry={onRetry} />
      </div>
    </main>
  );
}

function oidcLink(): string {
  const { pathname, search } = window.location;
  return `/api/v1/sign-in/oidc?return=${encodeURIComponent(pathname + search)}`;
}

/** Tabs of one browser tell each other here that somebody signed in. */
export const SIGNED_IN = 'signed-in';

/** Over the page, whose work is kept: the way to an identity provider is in a tab of its own. */
export function SignInAgain({
  why,
  session,
  onDone,
}: {
  readonly why: 'over' | 'step-up';
  /** That is over, or too old. */
  readonly session: Session;
  readonly onDone: (session: Session | undefined) => void;
}) {
  const t = useT(WORDS);
  const { field, submit, error, busy, input } = useTokenForm(onDone);
  const ways = useWays();
  const leave = useElsewhere(session, onDone);
  return (
    <Dialog
      open
      sticky
      onClose={() => onDone(undefined)}
      title={t('overTitle')}
      lead={t(why === 'over' ? 'overLead' : 'stepLead')}
      initialFocus={input}
      foot={
        <>
          <Button onClick={() => onDone(undefined)}>{t('cancel')}</Button>
          {ways?.oidc ? (
            <a
              className={buttonClass()}
              href={`${oidcLink()}&fresh=true`}
              target="_blank"
              rel="noopener"
              onClick={leave}
            >
              {t('oidc', { title: ways.oidc.title })}
            </a>
          ) : null}
          <Button look="primary" busy={busy} onClick={() => void submit()}>
            {t('enter')}
          </Button>
        </>
      }
    >
      <form onSubmit={(event) => void submit(event)}>
        <Refusal error={error} />
        {ways?.oidc ? <p>{t('otherTab', { title: ways.oidc.title })}</p> : null}
        {field}
      </form>
    </Dialog>
  );
}

/** A sign-in in the other tab belongs to this question for so long. */
const ELSEWHERE_MS = 10 * 60_000;

/**
 * Goes on when the same person has signed in by the tab that was opened from here. A sign-in for anything else is no answer:
 * whoever began the change may have left the desk to somebody else.
 */
function useElsewhere({ name, method, signedInAt }: Session, onDone: (session: Session) => void): () => void {
  const done = useRef(onDone);
  done.current = onDone;
  const leftAt = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    const others = new BroadcastChannel(SIGNED_IN);
    others.onmessage = () => {
      if (performance.now() - leftAt.current > ELSEWHERE_MS) return;
      call('GET /session').then(
        (next) => {
          const isSame = next.name === name && next.method === method;
          if (isSame && next.signedInAt !== signedInAt) done.current(next);
        },
        () => undefined,
      );
    };
    return () => others.close();
  }, [name, method, signedInAt]);
  return () => {
    leftAt.current = performance.now();
  };
}
