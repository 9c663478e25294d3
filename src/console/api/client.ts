// The only code that calls fetch. Every call is one of openapi.yaml.
import { fieldProblem } from '../app/field-problems.ts';
import { language, say } from '../app/i18n.ts';
import type { Refused } from '../app/korean-errors.ts';
import type { Operations } from './types.ts';

export type Operation = keyof Operations;
export type Answer<O extends Operation> = Operations[O]['answer'];
export type PathOf<O extends Operation> = Operations[O]['path'];
export type BodyOf<O extends Operation> = Operations[O]['body'];
export type QueryOf<O extends Operation> = Operations[O]['query'];

export interface CallOptions<O extends Operation> {
  readonly path?: PathOf<O>;
  readonly query?: Partial<QueryOf<O>>;
  readonly body?: BodyOf<O>;
  /** The version that was read: the gateway refuses when another one was saved since. */
  readonly ifMatch?: string;
  readonly signal?: AbortSignal;
}

const UNREACHABLE = ['The gateway cannot be reached.', '게이트웨이에 연결할 수 없습니다.'] as const;

/** In the language of the reader; the words come when they are needed. */
async function refusal(status: number, problem: Refused): Promise<ApiError> {
  if (language() !== 'ko') return new ApiError(status, problem);
  const korean = await import('../app/korean-errors.ts').catch(() => undefined);
  const said = korean?.inKorean(problem);
  return said === undefined ? new ApiError(status, problem) : new ApiError(status, said, problem.detail);
}

/** The gateway said no, or could not be reached (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly remedy: string | undefined;
  /** What the gateway said, when the message is a translation of it: it names what the translation leaves out. */
  readonly original: string | undefined;
  readonly problem: Refused;

  constructor(status: number, problem: Refused, original?: string) {
    super(problem.detail ?? say(UNREACHABLE));
    this.status = status;
    this.code = problem.code ?? 'unreachable';
    this.remedy = problem.remedy;
    this.original = original;
    this.problem = problem;
  }

  /** What is wrong, field by field, where the gateway says so. */
  get fields(): Readonly<Record<string, string>> {
    const problems = (this.problem['problems'] ?? this.problem['fields'] ?? []) as readonly {
      path?: string;
      message?: string;
    }[];
    return Object.fromEntries(problems.map(({ path = '', message = '' }) => [path, fieldProblem(message)]));
  }
}

type SignedOut = (error: ApiError) => Promise<boolean>;
let onSignedOut: SignedOut = () => Promise.resolve(false);

/** Who asks the person to sign in again; the call is then repeated. */
export function whenSignedOut(handler: SignedOut): void {
  onSignedOut = handler;
}

function isSignedOut(error: unknown): error is ApiError {
  const codes = ['session-over', 'step-up-required', 'unauthenticated'];
  return error instanceof ApiError && codes.includes(error.code);
}

/** Asks to sign in again where the session is over: false when nobody did. Undefined when the gateway does not say. */
export async function isStillSignedIn(): Promise<boolean | undefined> {
  try {
    await call('GET /session');
    return true;
  } catch (error) {
    return isSignedOut(error) ? onSignedOut(error) : undefined;
  }
}

/** An answer and its version, which a change of it names in `ifMatch`. */
export interface Tagged<Value> {
  readonly value: Value;
  readonly etag: string;
}

/** The version in an entity tag. */
export function versionIn(tag: string): string {
  return tag.replace(/^W\//, '').replaceAll('"', '');
}

/** @throws {ApiError} */
export async function call<O extends Operation>(operation: O, options: CallOptions<O> = {}): Promise<Answer<O>> {
  return (await callTagged(operation, options)).value;
}

/** The same with the version of the answer; empty where it has none. @throws {ApiError} */
export function callTagged<O extends Operation>(
  operation: O,
  options: CallOptions<O> = {},
): Promise<Tagged<Answer<O>>> {
  return send(operation, options, async (response) => {
    const text = await response.text();
    return {
      value: (text === '' ? undefined : parsed(text)) as Answer<O>,
      etag: versionIn(response.headers.get('etag') ?? ''),
    };
  });
}

/** Keeps what is answered as a file, under the name that the gateway gives it. @throws {ApiError} */
export async function download<O extends Operation>(operation: O, options: CallOptions<O> = {}): Promise<void> {
  const { blob, name } = await send(operation, options, async (response) => ({
    blob: await response.blob(),
    name: /filename="?([^";]+)/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? '',
  }));
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

type Take<Taken> = (response: Response) => Promise<Taken>;
type Sendable<O extends Operation> = CallOptions<O> & { readonly form?: FormData };

/** Once more, when somebody who was signed out has signed in again. */
async function send<O extends Operation, Taken>(operation: O, options: Sendable<O>, take: Take<Taken>): Promise<Taken> {
  try {
    return await sendOnce(operation, options, take);
  } catch (error) {
    if (isSignedOut(error) && !operation.endsWith(' /session') && (await onSignedOut(error)))
      return sendOnce(operation, options, take);
    throw error;
  }
}

async function sendOnce<O extends Operation, Taken>(
  operation: O,
  { path, query, body, form, ifMatch, signal }: Sendable<O>,
  take: Take<Taken>,
): Promise<Taken> {
  const sent = form ?? (body === undefined ? undefined : JSON.stringify(body));
  const method = operation.slice(0, operation.indexOf(' '));
  const response = await fetch(urlOf(operation, path, query), {
    method,
    credentials: 'same-origin',
    headers: {
      'x-requested-with': 'console',
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(ifMatch === undefined ? {} : { 'if-match': `"${ifMatch}"` }),
    },
    ...(sent === undefined ? {} : { body: sent }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((cause: unknown) => {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new ApiError(0, {});
  });
  if (response.ok) return take(response);
  throw await refusal(response.status, parsed(await response.text()) as Refused);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** Where a call goes: also for links that download. */
export function urlOf<O extends Operation>(operation: O, path?: PathOf<O>, query?: Partial<QueryOf<O>>): string {
  const template = operation.slice(operation.indexOf(' ') + 1);
  const filled = template.replaceAll(/\{(\w+)\}/g, (_whole, name: string) =>
    encodeURIComponent(String((path as Record<string, unknown> | undefined)?.[name] ?? '')),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== undefined && value !== '' && value !== null) search.set(name, String(value));
  const text = search.toString();
  return `/api/v1${filled}${text === '' ? '' : `?${text}`}`;
}

/** Keeps as a file what an address answers, however large it is, once somebody is signed in for it. */
export async function save(url: string): Promise<void> {
  if ((await isStillSignedIn()) === false) return;
  const link = document.createElement('a');
  link.href = url;
  link.download = '';
  link.click();
}

/** Sends files as a form. @throws {ApiError} */
export function upload<O extends Operation>(operation: O, files: Readonly<Record<string, File>>): Promise<Answer<O>> {
  const form = new FormData();
  for (const [name, file] of Object.entries(files)) form.set(name, file);
  return send(operation, { form }, async (response) => parsed(await response.text()) as Answer<O>);
}
