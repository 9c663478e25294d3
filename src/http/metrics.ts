// What Prometheus is told. What happens in this process is counted as it happens; how things stand is asked of the
// database at each scrape. Labels have few values: routes as they are declared, ids of apps, words of ours.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { outcomeOfStatus, type SourceRequest } from '#core/cost.ts';
import type { Figures } from '#core/figures.ts';

export interface MetricsParts {
  readonly build: Readonly<Record<'version' | 'role' | 'database', string>>;
  /** How things stand in the database; a rejection is shown as `sluice_database_up 0`. */
  figures(): Promise<Figures>;
  /** Connections of the pool: in use, idle, and who waits for one. */
  pool(): Readonly<Record<'used' | 'free' | 'waiting', number>>;
}

export interface Metrics {
  /** Prometheus text; what the database does not answer in time is left out. */
  text(): Promise<string>;
  readonly contentType: string;
  /** One answered request. `route` is a template, never a path. */
  request(facts: { readonly method: string; readonly route: string; readonly status: number }, seconds: number): void;
  /** One request to the source. */
  sourceRequest(request: SourceRequest): void;
  /** One settled delivery: what was done, or `failed`. */
  delivery(app: string, outcome: string): void;
  /** Somebody was deprovisioned at a target, that long after it changed here. */
  deprovisioned(app: string, seconds: number): void;
}

const FIGURES_WITHIN_MS = 5_000;
const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const SOURCE_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const DEPROVISION_SECONDS = [1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400];
const RUN_STATUSES = ['queued', 'running', 'held', 'succeeded', 'failed', 'cancelled', 'abandoned', 'incomplete'];
const TARGET_STATES = ['active', 'paused', 'quarantined', 'disabled'];

export function makeMetrics({ build, figures, pool }: MetricsParts): Metrics {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const registers = [register];
  new Gauge({
    name: 'sluice_build_info',
    help: 'Always 1; what runs here.',
    labelNames: Object.keys(build),
    registers,
  }).set(build, 1);
  const requests = new Histogram({
    name: 'sluice_http_request_seconds',
    help: 'Requests answered, by route, method and class of status.',
    labelNames: ['method', 'route', 'status'],
    buckets: REQUEST_SECONDS,
    registers,
  });
  const source = new Histogram({
    name: 'sluice_source_request_seconds',
    help: 'Requests to the source (Microsoft Graph), by what came of them.',
    labelNames: ['outcome'],
    buckets: SOURCE_SECONDS,
    registers,
  });
  const units = new Counter({
    name: 'sluice_source_resource_units_total',
    help: 'Resource units spent at the source, as Microsoft Graph counts them.',
    registers,
  });
  const deliveries = new Counter({
    name: 'sluice_delivery_attempts_total',
    help: 'Deliveries tried, by app and what was done.',
    labelNames: ['app', 'outcome'],
    registers,
  });
  const deprovision = new Histogram({
    name: 'sluice_deprovision_seconds',
    help: 'From a leaver being applied here to the acknowledgement of the target.',
    labelNames: ['app'],
    buckets: DEPROVISION_SECONDS,
    registers,
  });
  const stateText = makeStateText(figures, pool);
  return {
    contentType: register.contentType,
    async text() {
      const [own, state] = await Promise.all([register.metrics(), stateText()]);
      return `${own}\n${state}`;
    },
    request({ method, route, status }, seconds) {
      requests.observe({ method, route, status: `${Math.floor(status / 100)}xx` }, seconds);
    },
    sourceRequest({ status, seconds, resourceUnits }) {
      source.observe({ outcome: outcomeOfStatus(status) }, seconds);
      units.inc(resourceUnits);
    },
    delivery: (app, outcome) => deliveries.inc({ app, outcome }),
    deprovisioned: (app, seconds) => deprovision.observe({ app }, seconds),
  };
}

/** One registry for each scrape, so that an app that is gone is not shown for ever. Scrapes at the same time share it. */
function makeStateText(figures: MetricsParts['figures'], pool: MetricsParts['pool']): () => Promise<string> {
  let asking: Promise<Figures | undefined> | undefined;
  function ask(): Promise<Figures | undefined> {
    asking ??= figures()
      .catch(() => undefined)
      .finally(() => {
        asking = undefined;
      });
    return asking;
  }
  return async () => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), FIGURES_WITHIN_MS);
    });
    const found = await Promise.race([ask(), late]).finally(() => clearTimeout(timer));
    const registry = new Registry();
    showPool(registry, pool());
    gaugeIn(registry)('sluice_database_up', 'Whether the database answered this scrape.', found === undefined ? 0 : 1);
    if (found !== undefined) showFigures(registry, found);
    return registry.metrics();
  };
}

type Labelled = readonly (readonly [Readonly<Record<string, string>>, number])[];

/** A gauge; without a value, where there is nothing to show. */
function gaugeIn(registry: Registry): (name: string, help: string, value: number | null | Labelled) => void {
  return (name, help, value) => {
    const values: Labelled = typeof value === 'number' ? [[{}, value]] : (value ?? []);
    const labelNames = [...new Set(values.flatMap(([labels]) => Object.keys(labels)))];
    const gauge = new Gauge({ name, help, labelNames, registers: [registry] });
    if (values.length === 0) gauge.remove();
    for (const [labels, number] of values) gauge.set({ ...labels }, number);
  };
}

function showPool(registry: Registry, { used, free, waiting }: ReturnType<MetricsParts['pool']>): void {
  const gauge = gaugeIn(registry);
  gauge('sluice_database_connections', 'Connections of the pool.', [
    [{ state: 'used' }, used],
    [{ state: 'free' }, free],
  ]);
  gauge('sluice_database_waiting', 'Queries that wait for a connection.', waiting);
}

function showFigures(registry: Registry, figures: Figures): void {
  const gauge = gaugeIn(registry);
  gauge('sluice_resources', 'Resources in the directory.', [
    [{ type: 'User' }, figures.users],
    [{ type: 'Group' }, figures.groups],
  ]);
  showRuns(registry, figures);
  showTargets(registry, figures);
  gauge('sluice_notifications', 'Messages to people that were not sent: yet, or at all.', [
    [{ state: 'pending' }, figures.notifications.pending],
    [{ state: 'failed' }, figures.notifications.failed],
  ]);
  gauge('sluice_events', 'Events of apps that were not taken: yet, or at all.', [
    [{ state: 'pending' }, figures.eventsPending],
    [{ state: 'dead' }, figures.eventsDead],
  ]);
  gauge(
    'sluice_event_lag_seconds',
    'Age of the oldest change that a webhook or stream was not told of.',
    figures.eventLagSeconds,
  );
  gauge('sluice_event_streams', 'Webhooks and streams of tokens that do not work.', [
    [{ state: 'failing' }, figures.streamsFailing],
    [{ state: 'disabled' }, figures.streamsDisabled],
  ]);
}

function showRuns(registry: Registry, figures: Figures): void {
  const gauge = gaugeIn(registry);
  gauge('sluice_plans_held', 'Plans that wait for a decision.', figures.plansHeld);
  gauge('sluice_plan_held_age_seconds', 'Age of the oldest of them; absent without one.', figures.heldAgeSeconds);
  gauge('sluice_runs_in_progress', 'Runs that are queued or running.', figures.runsInProgress);
  gauge(
    'sluice_run_age_seconds',
    'Since that run was queued, or its plan approved; absent without one.',
    figures.runAgeSeconds,
  );
  const { lastRun } = figures;
  const last = RUN_STATUSES.map((status) => [{ status }, Number(status === lastRun?.status)] as const);
  gauge('sluice_last_run', '1 at the status of the newest run of the active provider.', lastRun === null ? null : last);
  gauge('sluice_last_run_work_seconds', 'Time worked on that run.', lastRun?.workSeconds ?? null);
  gauge(
    'sluice_last_success_age_seconds',
    'Since the last run that succeeded; absent before the first.',
    figures.lastSuccessAgeSeconds,
  );
  gauge(
    'sluice_credential_expires_seconds',
    'Until the credential of the active provider ends; absent when nobody knows.',
    figures.credentialSeconds,
  );
  gauge('sluice_disputes_open', 'Accounts that a person has to match.', figures.disputes);
}

function showTargets(registry: Registry, { targets }: Figures): void {
  const gauge = gaugeIn(registry);
  const queued = targets.flatMap(({ app, deliveries }) =>
    Object.entries(deliveries).map(([state, count]) => [{ app, state }, count] as const),
  );
  gauge(
    'sluice_deliveries',
    'Deliveries to push targets that have not arrived; of each app and state 10,000 at most.',
    queued,
  );
  const lags = targets.map(({ app, lagSeconds }) => [{ app }, lagSeconds] as const);
  gauge('sluice_target_lag_seconds', 'Age of the oldest change that has not arrived at a push target.', lags);
  const states = TARGET_STATES.map(
    (state) => [{ state }, targets.filter((one) => one.state === state).length] as const,
  );
  gauge('sluice_targets', 'Push targets by state.', states);
}
