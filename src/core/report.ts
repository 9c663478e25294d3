// What people are told of a run or of a held plan, in plain words; and which of it they want to hear.

import type { CountsByType } from './counts.ts';
import type { RunError } from './failure.ts';
import { numberOf } from './number-of.ts';

/** Which runs a channel wants to hear of. A held plan is told whatever this says: it waits for a person. */
export type ReportOn = 'always' | 'changes' | 'failure';

/** A run that ended, as far as a report needs it. */
export interface ReportedRun {
  readonly id: string;
  /** The provider, as people call it. */
  readonly provider: string;
  readonly status: string;
  readonly preview: boolean;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly counts: Readonly<Record<string, number>>;
  /** Absent, or null, of a run of an earlier release. */
  readonly countsByType?: CountsByType | null;
  readonly error: RunError | null;
}

export interface HeldPlan {
  readonly id: string;
  /** Sentences of the guard. */
  readonly reasons: readonly string[];
  readonly held: number;
  readonly expiresAt: Date | null;
  /** 0 for the first message, then the number of the reminder. */
  readonly number: number;
}

/** A message before it is text or HTML. Nothing in it is escaped yet. */
export interface Report {
  /** One line. */
  readonly subject: string;
  readonly lead: string;
  readonly facts: readonly (readonly [label: string, value: string])[];
  readonly reasons: readonly string[];
  readonly notes: readonly string[];
  readonly link: { readonly text: string; readonly url: string };
}

const FAILED = new Set(['failed', 'incomplete', 'abandoned']);
const CHANGED: readonly (readonly [count: string, words: string])[] = [
  ['created', 'created'],
  ['updated', 'updated'],
  ['deactivated', 'deactivated'],
  ['deleted', 'deleted'],
  ['membershipsChanged', 'group(s) with other members'],
];
const LEFT: readonly (readonly [count: string, words: string])[] = [
  ['skipped', 'skipped'],
  ['stale', 'dropped, because they changed meanwhile'],
  ['conflict', 'in conflict'],
];

export function isWorthTelling(on: ReportOn, { status, counts }: Pick<ReportedRun, 'status' | 'counts'>): boolean {
  if (on === 'always' || FAILED.has(status)) return true;
  return on === 'changes' && CHANGED.some(([count]) => (counts[count] ?? 0) > 0);
}

/** How long after the nth message the next reminder comes: each gap is twice the one before. */
export function reminderGapMs(firstHours: number, notices: number): number {
  return firstHours * 3_600_000 * 2 ** Math.max(0, notices - 1);
}

/** The report of a run that is over. */
export function reportRun(run: ReportedRun, baseUrl: string): Report {
  const changes = changesOf(run);
  return {
    subject: oneLine(`Sluice: ${headline(run, changes)}`),
    lead: leadOf(run, changes),
    facts: [
      ['Source', run.provider],
      ...timesOf(run),
      ['Changed', changes === '' ? 'nothing' : changes],
      ...factIf('Left as it was', wordsOf(run.counts, LEFT)),
      ...(run.error === null ? [] : ([['What to do', run.error.remedy ?? 'Look at the run.']] as const)),
    ],
    reasons: [],
    notes: [],
    link: { text: 'Look at the run', url: `${baseUrl}/runs/${run.id}` },
  };
}

/** The message about a plan that waits, or the reminder that it still does. */
export function reportHeld(run: ReportedRun, plan: HeldPlan, baseUrl: string): Report {
  const applied = changesOf(run);
  const what = plan.held === 1 ? '1 change waits' : `${plan.held} changes wait`;
  const again = plan.number === 0 ? '' : `reminder ${plan.number}: `;
  return {
    subject: oneLine(`Sluice: ${again}${what} for your decision (${run.provider})`),
    lead: `${what} for somebody to approve or reject ${plan.held === 1 ? 'it' : 'them'}. Nothing of what is held was applied.`,
    facts: [
      ['Source', run.provider],
      ...timesOf(run),
      ['Held', String(plan.held)],
      ['Applied', applied === '' ? '0' : applied],
      ...factIf('Can be approved until', timeOf(plan.expiresAt)),
    ],
    reasons: plan.reasons,
    notes: [
      `By REST: POST ${baseUrl}/api/v1/plans/${plan.id}/approve, or /reject.`,
      'A newer run takes the place of this plan by itself.',
    ],
    link: { text: 'Look at what is held, then approve or reject it', url: `${baseUrl}/runs/${run.id}` },
  };
}

/** A credential that ends soon, or has ended. */
export interface EndingCredential {
  /** The provider, as people call it. */
  readonly provider: string;
  /** In words: `client secret`. */
  readonly credential: string;
  readonly expiresAt: Date;
  /** Whole days until then; 0 or less when it has ended. */
  readonly days: number;
}

/** The warning that a credential ends. */
export function reportCredential({ provider, credential, expiresAt, days }: EndingCredential, baseUrl: string): Report {
  const when = days <= 0 ? 'has expired' : days === 1 ? 'expires within a day' : `expires in ${days} days`;
  return {
    subject: oneLine(`Sluice: the ${credential} of ${provider} ${when}`),
    lead:
      days <= 0
        ? 'Nothing is read any more until a new one is saved. What was provisioned stays as it is.'
        : 'Make a new one and save it in the settings of the provider before that day; until then nothing changes.',
    facts: [
      ['Source', provider],
      ['Credential', credential],
      ['Valid until', timeOf(expiresAt)],
    ],
    reasons: [],
    notes: [],
    link: { text: 'Look at the provider', url: baseUrl },
  };
}

/** A webhook, or a stream of tokens, that the gateway has switched off. */
export interface DisabledStream {
  readonly app_id: string;
  readonly app_name: string;
  readonly kind: 'webhook' | 'set';
  readonly disabled_reason: string | null;
  readonly disabledAt: Date;
  readonly failing_since: Date | null;
  readonly last_error: RunError | null;
}

const DISABLED_BECAUSE: Readonly<Record<string, string>> = {
  gone: 'The receiver answered that it is gone (410).',
  'gave-up': 'The receiver took nothing for four days.',
  'fell-behind': 'The receiver was away for longer than changes are kept.',
};

export function reportStream(stream: DisabledStream, baseUrl: string): Report {
  const { app_id, app_name, kind, disabled_reason, last_error } = stream;
  const noun = kind === 'webhook' ? 'webhook' : 'events';
  const what = kind === 'webhook' ? `the webhook of "${app_name}" was` : `the event tokens of "${app_name}" were`;
  return {
    subject: oneLine(`Sluice: ${what} switched off`),
    lead: `${DISABLED_BECAUSE[disabled_reason ?? ''] ?? 'It does not work.'} Changes wait for it and are not lost.`,
    facts: [
      ['App', app_name],
      ...factIf('Failing since', timeOf(stream.failing_since)),
      ['Switched off', timeOf(stream.disabledAt)],
      ...factIf('Last failure', last_error?.message ?? ''),
    ],
    reasons: [],
    notes: [`When the receiver works again: POST ${baseUrl}/api/v1/apps/${app_id}/${noun}/resume.`],
    link: { text: 'Look at the app', url: `${baseUrl}/apps/${app_id}` },
  };
}

/** A push target as people are told of it. */
export interface ReportedTarget {
  readonly app_id: string;
  readonly name: string;
  readonly state: string;
  /** Null when it is in service. */
  readonly quarantine: {
    readonly message: string;
    readonly remedy: string | null;
    readonly since: string;
    readonly probeAt: string;
  } | null;
}

/** Nothing is sent to a target any more, or it is in service again. */
export function reportTarget({ app_id, name, state, quarantine }: ReportedTarget, baseUrl: string): Report {
  const link = { text: 'Look at the app', url: `${baseUrl}/apps/${app_id}` };
  if (quarantine === null)
    return {
      subject: oneLine(`Sluice: "${name}" is in service again`),
      lead: 'What waited for it is being sent: for each resource the newest state, and nothing of what was in between.',
      facts: [['App', name]],
      reasons: [],
      notes: [],
      link,
    };
  const { message, remedy, since, probeAt } = quarantine;
  const isOver = state === 'disabled';
  return {
    subject: oneLine(`Sluice: "${name}" ${isOver ? 'was switched off after four weeks' : 'is in quarantine'}`),
    lead: `${message} Nothing is sent to it; changes wait and are not lost.`,
    facts: [
      ['App', name],
      ['Since', timeOf(new Date(since))],
      ...factIf('Asked again', isOver ? '' : timeOf(new Date(probeAt))),
      ...factIf('What helps', remedy ?? ''),
    ],
    reasons: [],
    notes: [`When it works again: POST ${baseUrl}/api/v1/apps/${app_id}/push/resume.`],
    link,
  };
}

/** What a test sends. */
export function reportTest(baseUrl: string): Report {
  return {
    subject: 'Sluice: test message',
    lead: 'This is a test. Messages of Sluice reach you.',
    facts: [],
    reasons: [],
    notes: [],
    link: { text: 'Sluice', url: baseUrl },
  };
}

function headline(run: ReportedRun, changes: string): string {
  const kind = run.preview ? 'preview' : 'sync';
  if (run.status === 'failed')
    return `the ${kind} of ${run.provider} failed: ${run.error?.message ?? 'internal error'}`;
  if (run.status === 'abandoned') return `the ${kind} of ${run.provider} was cut short`;
  if (run.status === 'incomplete') return `the ${kind} of ${run.provider} was incomplete: ${run.error?.message ?? ''}`;
  if (run.status === 'cancelled') return `the ${kind} of ${run.provider} was cancelled`;
  return `the ${kind} of ${run.provider} is done, ${changes === '' ? 'nothing changed' : changes}`;
}

function leadOf({ status, error, provider, preview }: ReportedRun, changes: string): string {
  if (error !== null) return `${error.message} [${error.code}]`;
  if (status === 'cancelled') return 'Somebody cancelled the run. What was applied before stays.';
  if (preview) return `The preview of ${provider} is made; nothing was changed.`;
  return changes === '' ? 'Source and directory agree; nothing had to be changed.' : `In the directory: ${changes}.`;
}

function timesOf({ startedAt, finishedAt }: ReportedRun): (readonly [string, string])[] {
  return [...factIf('Started', timeOf(startedAt)), ...factIf('Ended', timeOf(finishedAt))];
}

function factIf(label: string, value: string): (readonly [string, string])[] {
  return value === '' ? [] : [[label, value]];
}

function timeOf(at: Date | null): string {
  return at === null ? '' : `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function wordsOf(counts: Readonly<Record<string, number>>, words: readonly (readonly [string, string])[]): string {
  return words.flatMap(([count, word]) => ((counts[count] ?? 0) > 0 ? [`${counts[count]} ${word}`] : [])).join(', ');
}

/** Users and groups each by their own number, where they were counted apart. */
function changesOf({ counts, countsByType }: ReportedRun): string {
  if (countsByType == null) return wordsOf(counts, CHANGED);
  const { User, Group } = countsByType;
  return CHANGED.flatMap(([name, word]) => {
    if (name === 'membershipsChanged') return (counts[name] ?? 0) === 0 ? [] : [`${counts[name]} ${word}`];
    const parts = [...some(User[name], 'user'), ...some(Group[name], 'group')];
    return parts.length === 0 ? [] : [`${parts.join(' and ')} ${word}`];
  }).join(', ');
}

function some(count = 0, noun: string): string[] {
  return count === 0 ? [] : [numberOf(count, noun)];
}

/** A subject is one line of at most 200 characters, whatever an error or a name holds. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those must not get into a header.
  const line = text.replaceAll(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ').trim();
  return line.length <= 200 ? line : `${line.slice(0, 199)}…`;
}

export function renderText({ lead, facts, reasons, notes, link }: Report): string {
  const blocks = [
    lead,
    facts.map(([label, value]) => `${label}: ${value}`).join('\n'),
    reasons.map((reason) => `- ${reason}`).join('\n'),
    `${link.text}:\n${link.url}`,
    notes.join('\n'),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

const CELL = 'style="padding:2px 12px 2px 0;text-align:left;vertical-align:top"';

export function renderHtml({ subject, lead, facts, reasons, notes, link }: Report): string {
  const rows = facts.map(
    ([label, value]) => `<tr><th ${CELL}>${escapeHtml(label)}</th><td ${CELL}>${escapeHtml(value)}</td></tr>`,
  );
  const blocks = [
    `<p>${escapeHtml(lead)}</p>`,
    rows.length === 0 ? '' : `<table style="border-collapse:collapse">${rows.join('')}</table>`,
    reasons.length === 0 ? '' : `<ul>${reasons.map((reason) => `<li>${escapeHtml(reason)}</li>`).join('')}</ul>`,
    `<p><a href="${escapeHtml(link.url)}">${escapeHtml(link.text)}</a></p>`,
    ...notes.map((note) => `<p style="color:#555">${escapeHtml(note)}</p>`),
  ];
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(subject)}</title></head><body style="font:15px/1.5 system-ui,sans-serif">${blocks.join('')}</body></html>`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
