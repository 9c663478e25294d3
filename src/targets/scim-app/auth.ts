import { TargetError } from '#core/target.ts';
import type { Clock } from '#platform/clock.ts';
import type { HttpClient } from '#platform/http-client.ts';
import { waitAsked } from './pace.ts';
import type { Auth } from './settings.ts';
import { unlessAborted } from './wait.ts';

/** Answers the Authorization header, and takes up another credential when one is refused. */
export interface Authorizer {
  /** Undefined when the target needs none. @throws {TargetError} `credentials` */
  header(signal: AbortSignal): Promise<string | undefined>;
  /** The header was refused. Answers whether there is another to try: a fresh token, or the next credential. */
  refused(header: string | undefined): boolean;
  /** The token endpoint is asked again, whatever it asked for. */
  endRest(): void;
}

/** Renewed this long before it ends. */
const EARLY_MS = 60_000;
/** When a token endpoint does not say. */
const LIFE_MS = 300_000;

interface Token {
  readonly header: string;
  readonly until: number;
}

export function makeAuthorizer(auths: readonly Auth[], http: HttpClient, clock: Clock): Authorizer {
  let place = 0;
  let token: Token | undefined;
  let asking: Promise<Token> | undefined;
  /** The token endpoint asked to wait: nobody asks it before that is over. */
  let resting: { readonly until: number; readonly error: unknown } | undefined;
  /** Tokens that were refused although they were fresh. */
  const bad = new Set<string>();

  async function header(signal: AbortSignal): Promise<string | undefined> {
    const asked = place;
    try {
      return await currentHeader(signal);
    } catch (error) {
      const isRefused = error instanceof TargetError && error.kind === 'credentials';
      if (!isRefused || asked + 1 >= auths.length) throw error;
      // Of several at once, the first goes on to the next for all.
      if (place === asked) takeNext();
      return header(signal);
    }
  }

  function takeNext(): void {
    place += 1;
    token = undefined;
  }

  async function currentHeader(signal: AbortSignal): Promise<string | undefined> {
    const auth = auths[place];
    if (auth === undefined || auth.kind === 'none') return undefined;
    if (auth.kind !== 'oauth') return fixedHeader(auth);
    if (token !== undefined && token.until > clock.elapsed()) return token.header;
    if (resting !== undefined && clock.elapsed() < resting.until) throw resting.error;
    signal.throwIfAborted();
    // Under no deadline of whoever asks first: others wait for it, too.
    asking ??= askForToken(auth, http, clock)
      .then((given) => {
        token = given;
        return given;
      })
      .catch((error: unknown) => {
        const waitMs = error instanceof TargetError ? error.retryAfterMs : undefined;
        if (waitMs !== undefined) resting = { until: clock.elapsed() + waitMs, error };
        throw error;
      })
      .finally(() => {
        asking = undefined;
      });
    return (await unlessAborted(asking, signal)).header;
  }

  return {
    header,
    refused(given) {
      const auth = auths[place];
      // Of several at once, somebody else has found a better one meanwhile, or is about to.
      const now = auth === undefined || auth.kind === 'oauth' ? token?.header : fixedHeader(auth);
      if (given !== undefined && now !== given) return true;
      if (auth?.kind === 'oauth' && given !== undefined && !bad.has('renewed')) {
        token = undefined;
        bad.add('renewed');
        clockLater(() => bad.delete('renewed'));
        return true;
      }
      if (place + 1 >= auths.length) return false;
      takeNext();
      return true;
    },
    endRest() {
      resting = undefined;
    },
  };
}

function fixedHeader(auth: Exclude<Auth, { kind: 'oauth' }>): string | undefined {
  if (auth.kind === 'bearer') return `Bearer ${auth.token}`;
  return auth.kind === 'basic' ? `Basic ${base64(`${auth.username}:${auth.password}`)}` : undefined;
}

/** What of a credential must not be seen. */
export function secretsOf(auth: Auth): readonly string[] {
  if (auth.kind === 'bearer') return [auth.token];
  if (auth.kind === 'basic') return [auth.password];
  return auth.kind === 'oauth' ? [auth.clientSecret] : [];
}

/** One renewal for a refusal; after a while another may be. */
function clockLater(work: () => void): void {
  setTimeout(work, 1_000).unref();
}

/** RFC 6749 section 4.4. */
async function askForToken(auth: Extract<Auth, { kind: 'oauth' }>, http: HttpClient, clock: Clock): Promise<Token> {
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  if (auth.scope !== undefined) form.set('scope', auth.scope);
  const headers: Record<string, string> = {
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
  };
  if (auth.style === 'basic') {
    const [id, secret] = [auth.clientId, auth.clientSecret].map((part) =>
      new URLSearchParams({ v: part }).toString().slice(2),
    );
    headers['authorization'] = `Basic ${base64(`${id}:${secret}`)}`;
  } else {
    form.set('client_id', auth.clientId);
    form.set('client_secret', auth.clientSecret);
  }
  const answer = await http.request(
    { method: 'POST', url: auth.tokenUrl, headers, body: form.toString() },
    new AbortController().signal,
  );
  const body = parseToken(answer.text);
  if (answer.status >= 500 || answer.status === 429)
    throw new TargetError(`The token endpoint answered ${answer.status}.`, {
      kind: 'network',
      reason: 'token-endpoint-failed',
      status: answer.status,
      retryAfterMs: waitAsked(answer.headers, clock.now()),
    });
  if (answer.status !== 200 || body === undefined)
    throw new TargetError(`The token endpoint refused the client credentials (${answer.status}).`, {
      kind: 'credentials',
      reason: 'token-refused',
      status: answer.status,
      remedy: 'Check the token URL, client id, client secret and scope.',
    });
  const life = body.expiresIn === undefined ? LIFE_MS : body.expiresIn * 1_000;
  // Of a token that lives shorter than twice that, half of its life.
  const until = clock.elapsed() + Math.max(life - EARLY_MS, life / 2);
  return { header: `Bearer ${body.token}`, until };
}

function parseToken(text: string): { token: string; expiresIn: number | undefined } | undefined {
  try {
    const { access_token: token, expires_in: expires } = JSON.parse(text) as Record<string, unknown>;
    if (typeof token !== 'string' || token === '') return undefined;
    const expiresIn = Number(expires);
    return { token, expiresIn: Number.isFinite(expiresIn) && expiresIn > 0 ? expiresIn : undefined };
  } catch {
    return undefined;
  }
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
