// OpenTelemetry traces over OTLP/HTTP, when the standard variables name an exporter. Nothing of it is loaded before.
// Source: opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables, checked 2026-11.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context, Span, TextMapPropagator } from '@opentelemetry/api';
import type { Sampler } from '@opentelemetry/sdk-trace';
import { ConfigError, GatewayError } from '#core/errors.ts';
import type { Log } from './log.ts';
import { type Incoming, type OpenSpan, type SpanFacts, type SpanKind, setTracer, type Tracer } from './trace.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Api = typeof import('@opentelemetry/api');
type Sdk = typeof import('@opentelemetry/sdk-trace');

export interface Tracing {
  /** Sends what is left, for a few seconds at most, and ends tracing. */
  close(): Promise<void>;
}

/** Longer than the gateway may take to stop would be of no use. */
const FLUSH_WITHIN_MS = 3_000;

/**
 * Makes spans from now on, where an exporter is configured; answers undefined where none is.
 * @throws {ConfigError} `tracing-invalid`: a variable asks for what there is not
 */
export async function startTracing(
  environment: Environment,
  { version, log }: { readonly version: string; readonly log: Pick<Log, 'warn'> },
): Promise<Tracing | undefined> {
  if (!isAsked(environment)) return undefined;
  checkProtocol(environment);
  const [api, sdk, { OTLPTraceExporter }, core, resources] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
    import('@opentelemetry/core'),
    import('@opentelemetry/resources'),
  ]);
  const note = (message: string): void => log.warn({ detail: message.slice(0, 500) }, 'traces not exported');
  const silent = (): void => undefined;
  const logger = { error: note, warn: note, info: silent, debug: silent, verbose: silent };
  api.diag.setLogger(logger, { logLevel: api.DiagLogLevel.WARN, suppressOverrideMessage: true });
  const named = resources.resourceFromAttributes({ 'service.name': 'sluice', 'service.version': version });
  const given = resources.detectResources({ detectors: [resources.envDetector, resources.serviceInstanceIdDetector] });
  const delay = Number(environment['OTEL_BSP_SCHEDULE_DELAY']) || undefined;
  const provider = new sdk.TracerProvider({
    resource: resources.defaultResource().merge(named).merge(given),
    sampler: samplerOf(environment, sdk),
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: new OTLPTraceExporter(),
        ...(delay === undefined ? {} : { scheduledDelayMillis: delay }),
      }),
    ],
  });
  setTracer(makeTracer(api, provider.getTracer('sluice', version), new core.W3CTraceContextPropagator()));
  return {
    async close() {
      setTracer(undefined);
      const late = new Promise<void>((resolve) => setTimeout(resolve, FLUSH_WITHIN_MS).unref());
      await Promise.race([provider.shutdown().catch((error: unknown) => note(String(error))), late]);
    },
  };
}

function isAsked(environment: Environment): boolean {
  if (environment['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return false;
  const exporter = environment['OTEL_TRACES_EXPORTER'] || undefined;
  if (exporter === 'none') return false;
  if (exporter !== undefined && exporter !== 'otlp')
    throw refused('OTEL_TRACES_EXPORTER', exporter, 'Set it to "otlp" or "none".');
  const endpoint = environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || environment['OTEL_EXPORTER_OTLP_ENDPOINT'];
  return exporter === 'otlp' || Boolean(endpoint);
}

function checkProtocol(environment: Environment): void {
  const name = environment['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL']
    ? 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'
    : 'OTEL_EXPORTER_OTLP_PROTOCOL';
  const protocol = environment[name] || 'http/protobuf';
  if (protocol !== 'http/protobuf')
    throw refused(name, protocol, 'Set it to "http/protobuf", which every collector takes on port 4318.');
}

function samplerOf(environment: Environment, sdk: Sdk): Sampler {
  const name = environment['OTEL_TRACES_SAMPLER'] || 'parentbased_always_on';
  const share = Number(environment['OTEL_TRACES_SAMPLER_ARG'] || 1);
  const roots: Readonly<Record<string, () => Sampler>> = {
    always_on: () => new sdk.AlwaysOnSampler(),
    always_off: () => new sdk.AlwaysOffSampler(),
    traceidratio: () => new sdk.TraceIdRatioBasedSampler(share),
  };
  const root = roots[name.replace('parentbased_', '')]?.();
  if (root === undefined || !(share >= 0 && share <= 1))
    throw refused('OTEL_TRACES_SAMPLER', name, 'Set it to a sampler of the specification, with a share from 0 to 1.');
  return name.startsWith('parentbased_') ? new sdk.ParentBasedSampler({ root }) : root;
}

function refused(variable: string, value: string, remedy: string): ConfigError {
  return new ConfigError(`tracing: ${variable} is "${value}", which is not supported`, {
    reason: 'tracing-invalid',
    remedy,
  });
}

type OtelTracer = ReturnType<InstanceType<Sdk['TracerProvider']>['getTracer']>;

function makeTracer(api: Api, tracer: OtelTracer, propagator: TextMapPropagator): Tracer {
  const contexts = new AsyncLocalStorage<Context>();
  const current = (): Context => contexts.getStore() ?? api.ROOT_CONTEXT;
  const kinds = { internal: api.SpanKind.INTERNAL, server: api.SpanKind.SERVER, client: api.SpanKind.CLIENT };

  return {
    begin(name: string, kind: SpanKind, facts: SpanFacts, incoming?: Incoming) {
      const parent =
        incoming === undefined
          ? current()
          : propagator.extract(api.ROOT_CONTEXT, { ...incoming }, api.defaultTextMapGetter);
      const span = tracer.startSpan(name, { kind: kinds[kind], attributes: facts }, parent);
      const own = api.trace.setSpan(parent, span);
      return open(api, span, (work) => contexts.run(own, work));
    },
    headers() {
      const carrier: Record<string, string> = {};
      propagator.inject(current(), carrier, api.defaultTextMapSetter);
      return carrier;
    },
    ids() {
      const found = api.trace.getSpanContext(current());
      return found === undefined ? undefined : { trace: found.traceId, span: found.spanId };
    },
  };
}

function open(api: Api, span: Span, within: OpenSpan['within']): OpenSpan {
  return {
    within,
    rename: (name) => void span.updateName(name),
    note: (facts) => void span.setAttributes(facts),
    end(error) {
      if (error !== undefined) {
        // The message of an error of ours holds no secret; of any other only the name is told.
        const isOurs = error instanceof GatewayError;
        const type = isOurs ? error.reason : error instanceof Error ? error.name : 'unknown';
        span.setAttribute('error.type', type);
        span.setStatus({ code: api.SpanStatusCode.ERROR, ...(isOurs ? { message: error.message } : {}) });
      }
      span.end();
    },
  };
}
