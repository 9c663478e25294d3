// Why a person, or a group, is here or is not: the facts of each step of the journey put side by side, with one reason.
// It changes nothing and asks no provider; what the provider said is what the mirror holds.

import type { Clause, RecordExplanation } from '#core/explanation.ts';
import type { MappingRule } from '#core/mapping-rules.ts';
import type { MembershipFacts } from '#core/membership-scope.ts';
import type { ProviderKind, PullProvider } from '#core/provider.ts';
import { describeReason, type ReasonView, reasonOfFailure, reasonOfTarget } from '#core/reasons.ts';
import { ENTERPRISE_SCHEMA, GATEWAY_SCHEMA, type ProviderKindName, type ResourceType } from '#core/resource.ts';
import type { Seal } from '#platform/seal.ts';
import type { Db } from '#store/database.ts';
import { readActiveProvider, readProvider } from '#store/source/settings.ts';
import {
  type DisputeFacts,
  findSubjects,
  type HeldFacts,
  type ItemFacts,
  type MirrorFacts,
  type PinFacts,
  type ProviderFacts,
  type ResourceFacts,
  type RunFacts,
  readDoneItems,
  readHeldItem,
  readItem,
  readLastRun,
  readMirrorFacts,
  readNewestItem,
  readOpenDispute,
  readPins,
  readProviderFacts,
  readResourceFacts,
  readSetBy,
  readSkippedReason,
  readSourceGroups,
  type SetBy,
  type Subject,
} from '#store/views/explain.ts';
import { readMembershipFacts } from '#store/views/membership-facts.ts';
import { readTargetOutcomes, type TargetOutcome } from '#store/views/target-outcomes.ts';
import { openSettings } from './provider/settings.ts';

export interface ExplainParts {
  readonly db: Db;
  readonly kinds: ReadonlyMap<ProviderKindName, ProviderKind>;
  readonly seal: Seal;
}

export interface Answer {
  readonly subject: string;
  /** Filled when the subject may mean several: ask again with the id of one. */
  readonly candidates: readonly Subject[];
  readonly explanation: Explanation | null;
}

export interface Explanation extends Subject {
  /** Why it is here, or is not. */
  readonly reason: ReasonView;
  readonly source: {
    readonly state: 'present' | 'gone' | 'never';
    /** When the record as it is now was first read; when it was seen to be gone. */
    readonly changedAt: string | null;
    readonly goneAt: string | null;
    /** The page of which run's read it came with as it is now; null when it was written to us. */
    readonly page: MirrorFacts['page'];
    /** The end of the last complete read. */
    readonly readAt: string | null;
    readonly record: unknown;
  };
  readonly scope:
    | (Pick<RecordExplanation, 'clauses' | 'evidence'> & {
        readonly inScope: boolean;
        /** The groups down to it by which it came in, or is affiliated; null where there is no such way. */
        readonly path: string | null;
        /** Why a user in scope has no path although paths are shown; null where there is one, or none is asked for. */
        readonly noPath: ReasonView | null;
        readonly settingsChanged: boolean;
      })
    | null;
  /** Groups of the source that have it as a member. */
  readonly groups: readonly {
    readonly externalId: string;
    readonly displayName: string | null;
    readonly inScope: boolean;
  }[];
  /** How the resource came to its record. */
  readonly link: {
    readonly state: 'linked' | 'manual' | 'none';
    readonly reason: string | null;
    readonly attribute: string | null;
    readonly runId: string | null;
    readonly at: string | null;
    readonly dispute: DisputeFacts | null;
  };
  readonly directory: {
    readonly id: string;
    readonly active: boolean;
    readonly version: number;
    readonly leftAt: string | null;
    readonly deletedAt: string | null;
  } | null;
  readonly attributes: readonly ExplainedAttribute[];
  /** The item of a plan that waits for a person. */
  readonly guard: {
    readonly planId: string;
    readonly seq: number;
    readonly action: string;
    readonly reasons: readonly string[];
  } | null;
  /** What reverts restored of it and no run repeats; at most 100. */
  readonly pins: readonly PinFacts[];
  readonly lastRun: {
    readonly id: string;
    readonly status: string;
    readonly finishedAt: string | null;
    readonly action: string | null;
    readonly outcome: string | null;
    readonly reason: ReasonView;
  } | null;
  /** What became of it in each downstream app that is written to. */
  readonly targets: readonly ExplainedTarget[];
}

export interface ExplainedTarget extends TargetOutcome {
  /** Why it is not there as it should be; null when nothing is in its way. */
  readonly reason: ReasonView | null;
}

export interface ExplainedAttribute {
  readonly attribute: string;
  /** What is served. */
  readonly value: unknown;
  /** What the provider's record maps to now, and the values that it is made of; absent without a record. */
  readonly mapped?: unknown;
  readonly source?: Readonly<Record<string, unknown>>;
  /** The rules of the mapping that made it. */
  readonly rules?: readonly MappingRule[];
  readonly setBy: SetBy | null;
}

interface Facts {
  readonly subject: Subject;
  /** Only people of selected groups are asked for: whoever is not shown is in none of them. */
  readonly bySelection: boolean;
  readonly provider: ProviderFacts | undefined;
  readonly mirror: MirrorFacts | undefined;
  readonly skipped: string | undefined;
  readonly resource: ResourceFacts | undefined;
  readonly held: HeldFacts | undefined;
  readonly dispute: DisputeFacts | undefined;
  readonly pins: readonly PinFacts[];
  readonly run: RunFacts | undefined;
  /** What the last run said of it. */
  readonly item: ItemFacts | undefined;
  /** What the newest run said of it that said anything. */
  readonly newest: ItemFacts | undefined;
  /** The last thing that any run did to the resource. */
  readonly last: ItemFacts | undefined;
  readonly link: ItemFacts | undefined;
}

/** Answers for any id, name or address, also of people who are gone or were never there. */
export async function explain(parts: ExplainParts, text: string): Promise<Answer> {
  const found = await findSubjects(parts.db, text);
  const [only] = found;
  if (found.length > 1) return { subject: text, candidates: found, explanation: null };
  return { subject: text, candidates: [], explanation: await explainOne(parts, only ?? (await nobody(parts.db))) };
}

/** Somebody whom nobody knows: the active provider is the one who would. */
async function nobody(db: Db): Promise<Subject> {
  const active = await readActiveProvider(db);
  return { resourceType: 'User', provider: active?.kind ?? null, externalId: null, id: null, label: null };
}

async function explainOne(parts: ExplainParts, subject: Subject): Promise<Explanation> {
  const { db } = parts;
  const opened = await openProvider(parts, subject.provider);
  const facts = await readFacts(db, subject, opened?.memberships?.selected != null);
  const { mirror, resource } = facts;
  const groups = mirror === undefined ? undefined : await readMembershipFacts(db, subject);
  const explained = mirror === undefined ? undefined : explainRecord(opened, subject, mirror, groups);
  return {
    ...subject,
    reason: reasonOf(facts),
    source: sourceOf(facts),
    scope: scopeOf(facts, explained, groups),
    groups: subject.provider === null ? [] : await readSourceGroups(db, subject),
    link: linkOf(facts),
    directory: directoryOf(resource),
    attributes: await attributesOf(db, resource, explained),
    guard: guardOf(facts),
    pins: facts.pins,
    lastRun: lastRunOf(facts),
    targets: resource === undefined ? [] : await explainTargets(db, resource.id),
  };
}

async function explainTargets(db: Db, id: string): Promise<ExplainedTarget[]> {
  const outcomes = await readTargetOutcomes(db, id);
  return outcomes.map((outcome) => ({ ...outcome, reason: reasonOfTarget(outcome) }));
}

function sourceOf({ mirror, skipped, provider }: Facts): Explanation['source'] {
  const never = mirror === undefined && skipped === undefined;
  return {
    state: never ? 'never' : mirror?.goneAt == null ? 'present' : 'gone',
    changedAt: mirror?.changedAt ?? null,
    goneAt: mirror?.goneAt ?? null,
    page: mirror?.page ?? null,
    readAt: provider?.readAt ?? null,
    record: mirror === undefined ? null : JSON.parse(mirror.record),
  };
}

function scopeOf(
  { mirror, run, provider }: Facts,
  explained: ExplainedRecord | undefined,
  groups: MembershipFacts | undefined,
): Explanation['scope'] {
  if (mirror === undefined) return null;
  const path = groups?.path ?? null;
  const lacksPath = path === null && mirror.inScope && explained?.showsPath === true;
  return {
    inScope: mirror.inScope,
    path,
    noPath: lacksPath ? describeReason('NotUnderReferenceGroup') : null,
    clauses: (explained?.clauses ?? []).map((clause) => asDecided(clause, mirror)),
    evidence: explained?.evidence ?? [],
    settingsChanged: run?.configVersion !== provider?.configVersion,
  };
}

/** That a mailbox is missing says the record; that it was there, only the directory knows. */
function asDecided(clause: Clause, { reason }: MirrorFacts): Clause {
  const isIt = reason === 'MailboxRemoved' && clause.reason === 'MailNotProvisioned' && clause.detail === 'mailbox';
  return isIt ? { ...clause, reason } : clause;
}

function linkOf({ resource, link, dispute }: Facts): Explanation['link'] {
  return {
    state: resource === undefined ? 'none' : resource.origin === 'manual' ? 'manual' : 'linked',
    reason: link?.reason ?? null,
    attribute: link === undefined || link.action === 'create' ? null : link.detail,
    runId: link?.runId ?? null,
    at: link?.outcomeAt ?? null,
    dispute: dispute ?? null,
  };
}

function directoryOf(resource: ResourceFacts | undefined): Explanation['directory'] {
  if (resource === undefined) return null;
  const { id, active, version, leftAt, deletedAt } = resource;
  return { id, active, version: Number(version), leftAt, deletedAt };
}

function guardOf({ held }: Facts): Explanation['guard'] {
  if (held === undefined) return null;
  const { planId, seq, action, heldBy, guard } = held;
  return { planId, seq, action, reasons: heldBy.length > 0 ? heldBy : guard.reasons.map(({ code }) => code) };
}

async function readFacts(db: Db, subject: Subject, bySelection: boolean): Promise<Facts> {
  const { provider, externalId, id } = subject;
  const known = externalId !== null || id !== null;
  const run = provider === null ? undefined : await readLastRun(db, provider);
  const resource = id === null ? undefined : await readResourceFacts(db, id);
  const done = id === null ? undefined : await readDoneItems(db, id);
  return {
    subject,
    bySelection,
    provider: provider === null ? undefined : await readProviderFacts(db, provider),
    mirror: provider === null || externalId === null ? undefined : await readMirrorFacts(db, subject),
    skipped: externalId === null ? undefined : await readSkippedReason(db, subject),
    resource,
    held: known ? await readHeldItem(db, subject) : undefined,
    dispute: known ? await readOpenDispute(db, subject) : undefined,
    pins: await readPins(db, subject),
    run,
    item: known && run?.planId != null ? await readItem(db, run.planId, subject) : undefined,
    newest: known ? await readNewestItem(db, subject) : undefined,
    last: done?.last,
    link: done?.link,
  };
}

interface ExplainedRecord extends RecordExplanation {
  /** Whether the settings ask for the affiliation paths of what it is. */
  readonly showsPath: boolean;
}

/** With the settings as they are now; undefined where nothing is set up. */
async function openProvider(
  { db, kinds, seal }: ExplainParts,
  provider: ProviderKindName | null,
): Promise<PullProvider | undefined> {
  const kind = provider === null ? undefined : kinds.get(provider);
  const row = provider === null ? undefined : await readProvider(db, provider);
  return kind === undefined || row === undefined ? undefined : kind.open(openSettings(kind, row, seal));
}

/** What the provider makes of the record. */
function explainRecord(
  opened: PullProvider | undefined,
  subject: Subject,
  { record }: MirrorFacts,
  groups: MembershipFacts | undefined,
): ExplainedRecord | undefined {
  if (opened === undefined) return undefined;
  const facts = opened.memberships === undefined ? undefined : groups;
  const explained = opened.explain?.(JSON.parse(record), subject.resourceType as ResourceType, facts);
  const showsPath = subject.resourceType === 'User' && (opened.memberships?.pathRoots.length ?? 0) > 0;
  return explained === undefined ? undefined : { ...explained, showsPath };
}

/** One reason. What waits for a person comes first, then what the provider says, then what became of it here. */
function reasonOf(facts: Facts): ReasonView {
  const { subject, provider, mirror, resource, held, dispute, skipped } = facts;
  const isHere = resource !== undefined && resource.deletedAt === null;
  if (held !== undefined) return describeReason(heldReason(held), held.planId);
  if (dispute !== undefined) return describeReason(dispute.reason, dispute.id);
  if (isHere && resource.origin === 'manual') return describeReason('ManualOrigin');
  if (resource?.origin === 'manual') return describeReason('DeletedByHand');
  if (subject.provider !== null && provider?.active !== true)
    return describeReason('ProviderInactive', subject.provider);
  if (isHere && isKept(facts)) return describeReason('Pinned');
  if (mirror === undefined && skipped !== undefined) return describeReason(skipped);
  if (mirror === undefined || mirror.goneAt !== null) return describeReason(absenceOf(facts));
  if (mirror.reason !== null) return describeReason(mirror.reason, mirror.detail);
  if (isHere) return describeReason('InScope');
  return describeReason(...missingOf(facts));
}

/** It would have left by what the provider says, and an undoing keeps it. */
function isKept({ mirror, resource, pins }: Facts): boolean {
  const isShown = mirror !== undefined && mirror.goneAt === null && mirror.reason === null;
  return !isShown && resource?.leftAt === null && pins.some(({ class: of }) => of === 'remove');
}

/** A plan that holds everything says why for everybody. */
function heldReason({ guard }: HeldFacts): string {
  return guard.reasons.some(({ code }) => code === 'source-empty') ? 'SourceEmpty' : 'GuardHeld';
}

/** The provider does not show it: did it ever, and could it be asked? */
function absenceOf({ mirror, resource, run, last, bySelection }: Facts): string {
  if (run?.error != null && (mirror === undefined || resource?.leftAt === null)) return reasonOfFailure(run.error);
  if (resource !== undefined && resource.deletedAt !== null && resource.lastActor !== 'sync') return 'DeletedByHand';
  const taken = last?.action === 'deactivate' || last?.action === 'delete' ? last.reason : undefined;
  return taken ?? (bySelection && mirror === undefined ? 'NotInSelectedGroup' : 'NotInSource');
}

/** The provider shows it in scope, and it is not in the directory. */
function missingOf({ resource, newest: item, pins }: Facts): [string, (string | null)?] {
  if (pins.some(({ class: of }) => of === 'create' || of === 'link')) return ['Pinned'];
  if (item?.action === 'skip') return [item.reason, item.detail];
  if (item?.error != null) return [item.error];
  if (item?.outcome === 'superseded') return ['Superseded'];
  return resource !== undefined && resource.lastActor !== 'sync' ? ['DeletedByHand'] : ['NewInSource'];
}

function lastRunOf(facts: Facts): Explanation['lastRun'] {
  const { run, item } = facts;
  if (run === undefined) return null;
  const code =
    item === undefined
      ? untouched(run, facts)
      : item.outcome === 'held'
        ? 'GuardHeld'
        : item.outcome === 'superseded'
          ? 'Superseded'
          : (item.error ?? item.reason);
  return {
    id: run.id,
    status: run.status,
    finishedAt: run.finishedAt,
    action: item?.action ?? null,
    outcome: item?.outcome ?? null,
    reason: describeReason(code, item?.detail ?? null),
  };
}

/** Why the last run has nothing of them: neither it nor any before may have known them. */
function untouched({ error }: NonNullable<Facts['run']>, facts: Facts): string {
  if (error !== null) return reasonOfFailure(error);
  return facts.mirror === undefined && facts.resource === undefined ? absenceOf(facts) : 'NoChange';
}

/** Each attribute that is served or mapped: what is served, what it was made of, and which change it is from. */
async function attributesOf(
  db: Db,
  resource: ResourceFacts | undefined,
  explained: RecordExplanation | undefined,
): Promise<ExplainedAttribute[]> {
  const setBy = resource === undefined ? new Map<string, SetBy>() : await readSetBy(db, resource.id);
  const served = new Map(resource === undefined ? [] : flattened(JSON.parse(resource.body)));
  const mapped = new Map((explained?.attributes ?? []).map((one) => [one.attribute, one]));
  const names = [...new Set([...served.keys(), ...mapped.keys()])].filter((name) => name !== 'schemas').sort();
  return names.map((attribute) => {
    const from = mapped.get(attribute);
    const top = topOf(attribute);
    return {
      attribute,
      value: served.get(attribute) ?? null,
      ...(from === undefined
        ? {}
        : { mapped: from.value, source: from.source, ...(from.rules && { rules: from.rules }) }),
      setBy: setBy.get(top) ?? setBy.get('*') ?? null,
    };
  });
}

const EXTENSIONS = [ENTERPRISE_SCHEMA, GATEWAY_SCHEMA];

/** The name by which the change log knows an attribute: an extension is one. */
function topOf(attribute: string): string {
  return EXTENSIONS.find((urn) => attribute.startsWith(`${urn}:`)) ?? attribute;
}

function flattened(body: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(body).flatMap(([name, value]) =>
    EXTENSIONS.includes(name)
      ? Object.entries(value as object).map(([inner, part]): [string, unknown] => [`${name}:${inner}`, part])
      : [[name, value] as [string, unknown]],
  );
}
