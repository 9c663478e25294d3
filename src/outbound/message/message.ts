// Gathers what a message tells: the run, the plan, and the list of results.
import { daysUntil } from '#core/connect.ts';
import { csvLine } from '#core/csv.ts';
import { type Report, reportCredential, reportHeld, reportRun, reportStream, reportTarget } from '#core/report.ts';
import type { ProviderKindName } from '#core/resource.ts';
import type { Attachment } from '#platform/mail.ts';
import type { Db } from '#store/database.ts';
import { findStream } from '#store/event/event-streams.ts';
import type { ClaimedNotification, NotificationEvent } from '#store/event/notifications.ts';
import { readRunLog } from '#store/run/run-logs.ts';
import { readConnection } from '#store/source/connections.ts';
import { readTarget } from '#store/target/targets.ts';
import { readPlan } from '#store/views/plans.ts';
import { countResults, listResults, type ResultRow } from '#store/views/results.ts';
import { type RunView, readRun } from '#store/views/runs.ts';

/** Of a list in a mail, in characters: what every mail server takes. */
const CSV_MAX = 2 * 1024 * 1024;
/** Of a list in a webhook. */
const RESULTS_MAX = 500;
const PAGE = 2_000;

export interface MessageParts {
  readonly db: Db;
  readonly publicUrl: string;
  readonly now: Date;
  titleOf(kind: ProviderKindName): string;
}

export interface Message {
  readonly report: Report;
  /** Null in what is about a provider, a stream of events or a push target. */
  readonly run: RunView | null;
  readonly planId: string | null;
  /** Only what is held, of a message about a held plan. */
  readonly held: boolean;
}

/** The message as things stand now; undefined when it has nothing to say any more: the plan was decided meanwhile. */
export async function gatherMessage(
  { db, publicUrl, titleOf, now }: MessageParts,
  {
    event,
    run_id,
    plan_id,
    provider,
    stream_id,
    app_id,
    number,
  }: Pick<ClaimedNotification, 'event' | 'run_id' | 'plan_id' | 'provider' | 'stream_id' | 'app_id' | 'number'>,
): Promise<Message | undefined> {
  if (provider !== null) return gatherWarning({ db, publicUrl, titleOf, now }, provider);
  if (stream_id !== null) return gatherStreamMessage(db, publicUrl, stream_id);
  if (app_id !== null) return gatherTargetMessage(db, publicUrl, app_id, event);
  const run = run_id === null ? undefined : await readRun(db, run_id);
  if (run === undefined) return undefined;
  const reported = {
    ...run,
    provider: titleOf(run.provider),
    startedAt: run.startedAt === null ? null : new Date(run.startedAt),
    finishedAt: run.finishedAt === null ? null : new Date(run.finishedAt),
  };
  if (event === 'run.finished') return { report: reportRun(reported, publicUrl), run, planId: run.planId, held: false };
  const plan = plan_id === null ? undefined : await readPlan(db, plan_id);
  if (plan === undefined || plan.status !== 'held') return undefined;
  const { reasons = [] } = (plan.held ?? {}) as { reasons?: readonly { message: string }[] };
  const waiting = {
    id: plan.id,
    reasons: reasons.map(({ message }) => message),
    held: await countResults(db, plan.id, { held: true }),
    expiresAt: plan.expiresAt === null ? null : new Date(plan.expiresAt),
    number,
  };
  return { report: reportHeld(reported, waiting, publicUrl), run, planId: plan.id, held: true };
}

const CREDENTIALS: Readonly<Record<string, string>> = { clientSecret: 'client secret', certificate: 'certificate' };

/** Undefined when the credential was replaced meanwhile: it no longer ends so soon. */
async function gatherWarning(
  { db, publicUrl, titleOf, now }: MessageParts,
  provider: ProviderKindName,
): Promise<Message | undefined> {
  const connection = await readConnection(db, provider);
  const expiresAt = connection?.credential_expires_at;
  if (connection?.warned_days == null || expiresAt == null) return undefined;
  const { kind = '' } = connection.facts?.credential ?? {};
  const credential = CREDENTIALS[kind] ?? 'credential';
  const ending = { provider: titleOf(provider), credential, expiresAt, days: daysUntil(expiresAt, now) };
  return { report: reportCredential(ending, publicUrl), run: null, planId: null, held: false };
}

/** Undefined when somebody has taken it up again meanwhile. */
async function gatherStreamMessage(db: Db, publicUrl: string, streamId: string): Promise<Message | undefined> {
  const stream = await findStream(db, streamId);
  if (stream?.disabled_at == null) return undefined;
  const report = reportStream({ ...stream, disabledAt: stream.disabled_at }, publicUrl);
  return { report, run: null, planId: null, held: false };
}

/** Undefined when it is in service again, or out of it again, meanwhile. */
async function gatherTargetMessage(
  db: Db,
  publicUrl: string,
  appId: string,
  event: NotificationEvent,
): Promise<Message | undefined> {
  const target = await readTarget(db, appId);
  if (target === undefined) return undefined;
  const isOut = event !== 'target.recovered';
  if (isOut !== (target.quarantine !== null)) return undefined;
  return { report: reportTarget(target, publicUrl), run: null, planId: null, held: false };
}

const COLUMNS = [
  'action',
  'outcome',
  'type',
  'name',
  'id',
  'externalId',
  'affiliationPath',
  'reason',
  'detail',
  'error',
  'added',
  'removed',
];

/** The list of results, and the run's log when one is kept; the notes say what was cut. */
export async function gatherAttachments(
  db: Db,
  { run, planId, held }: Message,
): Promise<{ attachments: readonly Attachment[]; notes: readonly string[] }> {
  const attachments: Attachment[] = [];
  const notes: string[] = [];
  if (run === null) return { attachments, notes };
  const name = `sluice-${held ? 'held' : 'results'}-${run.id.slice(0, 8)}`;
  const total = planId === null ? 0 : await countResults(db, planId, { held });
  if (planId !== null && total > 0) {
    // The mark of UTF-8, without which a spreadsheet guesses.
    let content = `\ufeff${csvLine(COLUMNS)}`;
    let lines = 0;
    for await (const row of eachResult(db, planId, held)) {
      const line = csvLine(cellsOf(row));
      if (content.length + line.length > CSV_MAX) break;
      content += line;
      lines += 1;
    }
    attachments.push({ filename: `${name}.csv`, contentType: 'text/csv; charset=utf-8', content });
    if (lines < total)
      notes.push(`The attached list is cut: it has ${lines} of ${total} lines. All of them are at the run.`);
  }
  const log = (await readRunLog(db, run.id)).join('');
  if (log !== '')
    attachments.push({ filename: `${name}-log.ndjson`, contentType: 'application/x-ndjson', content: log });
  return { attachments, notes };
}

/** The first results as objects. */
export async function gatherResults(db: Db, { planId, held }: Message) {
  if (planId === null) return { total: 0, cut: false, items: [] };
  const total = await countResults(db, planId, { held });
  const rows = await listResults(db, planId, { after: '0', limit: RESULTS_MAX, held });
  return { total, cut: rows.length < total, items: rows.map(({ seq: _seq, ...row }) => row) };
}

async function* eachResult(db: Db, planId: string, held: boolean): AsyncGenerator<ResultRow> {
  for (let after = '0'; ; ) {
    const rows = await listResults(db, planId, { after, limit: PAGE, held });
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = last.seq;
  }
}

function cellsOf(row: ResultRow): (string | number | null)[] {
  const { action, outcome, type, label, id, externalId, affiliationPath, reason, detail, error, added, removed } = row;
  return [action, outcome, type, label, id, externalId, affiliationPath, reason, detail, error, added, removed];
}
