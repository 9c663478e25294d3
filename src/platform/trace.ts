// Which request this is for, and spans around what is slow. Without a tracer (tracing.ts) a span is the work itself, and a
// trace that a caller began is only passed on. One per process, as in OpenTelemetry: a span belongs to whatever called.
import { AsyncLocalStorage } from 'node:async_hooks';

/** Few values, and none that names a person. */
export type SpanFacts = Readonly<Record<string, string | number | boolean | undefined>>;
export type SpanKind = 'internal' | 'server' | 'client';

/** A trace as it came in. Source: W3C Trace Context, section 3, checked 2026-11. */
export interface Incoming {
  readonly traceparent: string;
  readonly tracestate?: string | undefined;
}

export interface OpenSpan {
  /** Everything that the work begins, however much later, is a part of this span. */
  within<Result>(work: () => Result): Result;
  rename(name: string): void;
  note(facts: SpanFacts): void;
  end(error?: unknown): void;
}

export interface TraceIds {
  readonly trace: string;
  readonly span: string;
}

export interface Tracer {
  /** @param incoming the caller's own span; without it, the span that is open here */
  begin(name: string, kind: SpanKind, facts: SpanFacts, incoming?: Incoming): OpenSpan;
  headers(): Readonly<Record<string, string>>;
  ids(): TraceIds | undefined;
}

/** Whom the work is for. */
export interface Caller {
  readonly request: string;
  readonly incoming: Incoming | undefined;
}

const callers = new AsyncLocalStorage<Caller>();
const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}/;
const TRACESTATE_MAX = 512;
let tracer: Tracer | undefined;

/** From now on spans are made; undefined ends that. */
export function setTracer(next: Tracer | undefined): void {
  tracer = next;
}

/** The tracer, where one is set: for whoever must end a span by hand. */
export function activeTracer(): Tracer | undefined {
  return tracer;
}

/** The trace that a request belongs to; undefined without one, and for one that is not as the standard says. */
export function incomingTrace(headers: Readonly<Record<string, string | string[] | undefined>>): Incoming | undefined {
  const { traceparent, tracestate } = headers;
  if (typeof traceparent !== 'string' || !TRACEPARENT.test(traceparent)) return undefined;
  const isUsable = typeof tracestate === 'string' && tracestate.length <= TRACESTATE_MAX;
  return { traceparent: traceparent.slice(0, 55), tracestate: isUsable ? tracestate : undefined };
}

/** Whatever the work begins knows whom it is for. */
export function asCaller<Result>(caller: Caller, work: () => Result): Result {
  return callers.run(caller, work);
}

/** Does the work inside a span. `note` adds facts to it. */
export async function inSpan<Result>(
  name: string,
  facts: SpanFacts,
  work: (note: OpenSpan['note']) => Promise<Result>,
  kind: SpanKind = 'internal',
): Promise<Result> {
  if (tracer === undefined) return work(ignore);
  const span = tracer.begin(name, kind, facts);
  try {
    const result = await span.within(() => work(span.note));
    span.end();
    return result;
  } catch (error) {
    span.end(error);
    throw error;
  }
}

function ignore(): void {}

/** What goes with a request that is sent to somebody else. */
export function traceHeaders(): Readonly<Record<string, string>> {
  if (tracer !== undefined) return tracer.headers();
  const { traceparent, tracestate } = callers.getStore()?.incoming ?? {};
  if (traceparent === undefined) return {};
  return { traceparent, ...(tracestate === undefined ? {} : { tracestate }) };
}

/** What belongs on every log line: the request, and the trace. */
export function callerFacts(): Readonly<Record<string, string>> {
  const caller = callers.getStore();
  const ids = tracer === undefined ? idsOf(caller?.incoming) : tracer.ids();
  return { ...(caller === undefined ? {} : { request: caller.request }), ...ids };
}

/** The request that is under way here; undefined in the background. */
export function currentRequest(): string | undefined {
  return callers.getStore()?.request;
}

function idsOf(incoming: Incoming | undefined): TraceIds | undefined {
  const [, trace, span] = TRACEPARENT.exec(incoming?.traceparent ?? '') ?? [];
  return trace === undefined || span === undefined ? undefined : { trace, span };
}
