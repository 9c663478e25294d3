// Compares what a target has with what it should have, and mends what the policy says. Nothing of theirs that we did not
// make is ever removed, and the guard watches over departures here as everywhere.
import { randomUUID } from 'node:crypto';
import { differences } from '#core/differences.ts';
import {
  type Differing,
  type Drift,
  differingOf,
  isSameDrift,
  memberDrift,
  memberOf,
  rememberedDrift,
  splitDrift,
} from '#core/drift.ts';
import { describeError } from '#core/failure.ts';
import { parsePath } from '#core/filter.ts';
import { managedPart, outgoingForm } from '#core/outgoing.ts';
import type { ResourceType } from '#core/resource.ts';
import { type PushPolicy, type Remote, type Target, TargetError } from '#core/target.ts';
import { type Fields, writeAt } from '#core/target-mapping.ts';
import type { Clock } from '#platform/clock.ts';
import { type Db, sql } from '#store/database.ts';
import {
  askForCutOnes,
  askForDrift,
  type DriftRow,
  finishReconciliation,
  type LinkedRow,
  listUnseen,
  markMissing,
  movedSince,
  noteDrift,
  readLinked,
  startReconciliation,
} from '#store/target/reconciliations.ts';
import { lookForRefused, replaceKnownMembers, wantedMembers } from '#store/target/target-members.ts';
import { changeTarget } from '#store/target/targets.ts';
import { HaltedError } from '../push/halt.ts';
import { type Finding, twinsOf, unlinkedFinding } from './findings.ts';
import { makeShownMembers, type ShownMembers } from './shown-members.ts';

export interface Reconciling {
  readonly db: Db;
  readonly clock: Clock;
  readonly appId: string;
  readonly target: Target;
  readonly policy: PushPolicy;
  /** What the app may see of a resource. */
  cut(type: ResourceType, document: Fields): Fields;
  write<T>(work: (tx: Db) => Promise<T>): Promise<T>;
  /** Called between two requests, for what cannot wait until everything is compared. @throws {HaltedError} to end it */
  between(): Promise<void>;
  /** The target asked to be left alone: waits for as long. */
  waitOut(asked: TargetError): Promise<void>;
}

/** Kept of a report; the counts tell of all. */
const FINDINGS_MOST = 1_000;

interface Report {
  readonly counts: Record<string, number>;
  readonly findings: Finding[];
}

/**
 * @throws {TargetError} the target could not be read to the end; then nothing counts as missing
 * @throws {HaltedError} it was ended by `between`, and is asked for again
 */
export async function reconcile(parts: Reconciling, signal: AbortSignal): Promise<void> {
  const { db, clock, appId, policy, write } = parts;
  const id = randomUUID();
  const startedAt = clock.now();
  await write(async (tx) => {
    await changeTarget(tx, appId, { reconcile_asked: false, reconciled_at: startedAt });
    await startReconciliation(tx, { id, appId, startedAt });
  });
  const report: Report = { counts: {}, findings: [] };
  try {
    for (const type of policy.types) await compareType(parts, type, startedAt, report, signal);
    await write((tx) => finishReconciliation(tx, id, { ...report, finishedAt: clock.now(), error: null }));
  } catch (error) {
    if (signal.aborted || error instanceof HaltedError)
      await write((tx) => askForCutOnes(tx, appId)).catch(() => undefined);
    else
      await write((tx) =>
        finishReconciliation(tx, id, { ...report, finishedAt: clock.now(), error: describeError(error) }),
      );
    throw error;
  }
  await sql(
    db,
    `delete from reconciliations where app_id = ? and seq not in (select seq from reconciliations where app_id = ? order by seq desc limit 20)`,
    [appId, appId],
  );
}

function tell(report: Report, finding: Finding): void {
  report.counts[finding.class] = (report.counts[finding.class] ?? 0) + 1;
  if (report.findings.length < FINDINGS_MOST) report.findings.push(finding);
}

async function compareType(
  parts: Reconciling,
  type: ResourceType,
  startedAt: Date,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const { appId, target, clock, policy, write } = parts;
  const seen = new Set<string>();
  const membersThere = makeShownMembers((group) => readPatiently(parts, 'Group', group, signal));
  for await (const page of target.pages(type, signal, parts.waitOut)) {
    membersThere.note(page);
    for (const { id } of page) seen.add(id);
    report.counts[type === 'User' ? 'users' : 'groups'] = seen.size;
    const linked = new Map((await readLinked(parts.db, appId, type, page)).map((row) => [row.remote_id, row]));
    const twinOf = await twinsOf(
      parts,
      type,
      page.filter(({ id }) => !linked.has(id)),
    );
    const compared: Compared[] = [];
    for (const remote of page) {
      const row = linked.get(remote.id);
      if (row === undefined) tell(report, unlinkedFinding(type, remote, twinOf(remote)));
      else compared.push(...(await compareOne({ ...parts, membersThere }, type, row, remote, report)));
    }
    await write(async (tx) => {
      const [asked, noted] = [compared.filter(({ isAsked }) => isAsked), compared.filter(({ isAsked }) => !isAsked)];
      await askForDrift(tx, appId, asked, clock.now());
      await noteDrift(tx, appId, noted);
    });
    await parts.between();
  }
  const gone = await listUnseen(parts.db, appId, type, { seen: [...seen], before: startedAt });
  const missing: (typeof gone)[number][] = [];
  for (const link of gone) {
    const { resource_id, remote_id } = link;
    await parts.between();
    // A page may skip somebody: only what is not there when asked for by id is missing.
    if ((await readPatiently(parts, type, remote_id, signal)) !== undefined) continue;
    const repair = policy.reconcile.repair.missing ? 'queued' : 'reported';
    tell(report, {
      class: 'missing',
      resourceType: type,
      resourceId: resource_id,
      remoteId: remote_id,
      detail: 'It is not at the target any more.',
      repair,
    });
    if (repair === 'queued') missing.push(link);
  }
  await write((tx) => markMissing(tx, appId, missing, clock.now()));
}

/** What is to be written of one linked resource. */
interface Compared extends DriftRow {
  /** Something is to be sent, and not only noted. */
  readonly isAsked: boolean;
}

/** After the rest that the target asks for, if it does. */
async function readPatiently(
  { target, waitOut }: Reconciling,
  type: ResourceType,
  id: string,
  signal: AbortSignal,
): Promise<Remote | undefined> {
  for (;;) {
    try {
      return await target.read(type, id, signal);
    } catch (error) {
      if (!(error instanceof TargetError) || error.kind !== 'throttled') throw error;
      await waitOut(error);
    }
  }
}

interface Comparing extends Reconciling {
  readonly membersThere: ShownMembers;
}

/** What of one linked resource is to be mended. What is on its way anyway is passed over. */
async function compareOne(
  parts: Comparing,
  type: ResourceType,
  row: LinkedRow,
  remote: Remote,
  report: Report,
): Promise<readonly Compared[]> {
  if (row.state !== 'idle' || row.deleted || !row.in_scope || row.body === null || row.sent === null) return [];
  // What has changed here meanwhile is on its way, or was given up until something changes.
  if (row.is_behind) return [];
  // Left there although they are off here: the policy says so, or a person.
  if (row.active === false && row.action === 'kept') return [];
  const attributes = compareAttributes(parts, type, row, remote, report);
  const members = type === 'Group' ? await compareMembers(parts, row, remote, report) : NOTHING;
  const mend = [...attributes.mend, ...members.mend];
  const drift = rememberedDrift(
    mend,
    [...attributes.unkept, ...members.unkept],
    row.drift?.at ?? parts.clock.now().toISOString(),
  );
  const isAsked = mend.length > 0;
  if (!isAsked && isSameDrift(drift, row.drift)) return [];
  return [{ resource_id: row.resource_id, sent: attributes.sent ?? row.sent, drift, isAsked }];
}

/** What differs, parted. */
interface Parted {
  readonly mend: readonly Differing[];
  readonly unkept: readonly Differing[];
}

const NOTHING: Parted = { mend: [], unkept: [] };

/** With what they have of what we manage, when some of it is to be mended. */
function compareAttributes(
  { policy, cut, target }: Reconciling,
  type: ResourceType,
  row: LinkedRow,
  remote: Remote,
  report: Report,
): Parted & { readonly sent?: Fields } {
  const document = cut(type, JSON.parse(row.body ?? '{}'));
  const manager = row.manager_remote_id ?? undefined;
  const outgoing = outgoingForm({ id: row.resource_id, type, document }, policy, manager, 'update');
  const payload = target.shaped(type, outgoing.payload);
  const theirs = managedPart(payload, remote.document ?? {});
  // What is sent at creation only may have been changed there.
  const createOnly = policy.mapping[type].filter(({ when }) => when === 'create').map(({ to }) => [to, theirs[to]]);
  const differing = differences(theirs, { ...payload, ...Object.fromEntries(createOnly) }).map(differingOf);
  const { mend, unkept } = splitDrift(differing, row.drift);
  const place = placeOf(type, row, remote);
  const pathsOf = (some: readonly Differing[]): string => some.map(({ path }) => path).join(', ');
  if (unkept.length > 0) tell(report, { ...place, class: 'changed', detail: pathsOf(unkept), repair: 'not-kept' });
  if (mend.length === 0) return { mend, unkept };
  const repair = policy.reconcile.repair.changed ? 'queued' : 'reported';
  tell(report, { ...place, class: 'changed', detail: pathsOf(mend), repair });
  if (repair === 'reported') return { mend: [], unkept };
  // As if they had what they do not keep.
  for (const { path, ours } of unkept) writeAt(theirs, parsePath(path), ours ?? undefined);
  return { mend, unkept, sent: theirs };
}

/** A target that hides members tells nothing. */
async function compareMembers(parts: Comparing, row: LinkedRow, remote: Remote, report: Report): Promise<Parted> {
  const { db, appId, policy, write } = parts;
  const members = await parts.membersThere.of(remote);
  if (members === undefined) return NOTHING;
  const group = { appId, groupId: row.resource_id };
  const there = new Set(members);
  const found = await memberDriftOf(parts, group, there);
  const { mend, unkept } = await splitMembers(db, group, found, row.drift);
  const place = placeOf('Group', row, remote);
  const tellOf = (some: readonly Differing[], repair: Finding['repair']): void => {
    for (const one of some)
      tell(report, {
        ...place,
        class: one.theirs === true ? 'member-added' : 'member-missing',
        detail: memberOf(one),
        repair,
      });
  };
  tellOf(unkept, 'not-kept');
  const repair = policy.reconcile.repair.members ? 'queued' : 'reported';
  tellOf(mend, repair);
  if (mend.length === 0 || repair === 'reported') return { mend: [], unkept };
  // As if they kept what they do not.
  for (const one of unkept) {
    if (one.theirs === true) there.delete(memberOf(one));
    else there.add(memberOf(one));
  }
  await write((tx) => replaceKnownMembers(tx, group, [...there]));
  return { mend, unkept };
}

/** Whoever may be a member whom the target had refused is looked for before they are taken out. */
async function memberDriftOf(
  { db, clock, policy, write }: Reconciling,
  group: { readonly appId: string; readonly groupId: string },
  there: ReadonlySet<string>,
): Promise<readonly Differing[]> {
  const drift = async () => memberDrift(there, new Set(await wantedMembers(db, group)));
  const found = await drift();
  const shown = found.filter(({ theirs }) => theirs === true).map(memberOf);
  if (shown.length === 0 || !policy.reconcile.repair.members) return found;
  return (await write((tx) => lookForRefused(tx, group, shown, clock.now()))) ? drift() : found;
}

/** Of somebody who was changed there since, nothing is taken for known: a target may take them in now. */
async function splitMembers(
  db: Db,
  group: { readonly appId: string; readonly groupId: string },
  differing: readonly Differing[],
  known: Drift | null,
): Promise<Parted> {
  const { mend, unkept } = splitDrift(differing, known);
  const ids = unkept.map(memberOf);
  const moved = new Set(await movedSince(db, group.appId, ids, known?.at ?? ''));
  const isMoved = (one: Differing): boolean => moved.has(memberOf(one));
  return { mend: [...mend, ...unkept.filter(isMoved)], unkept: unkept.filter((one) => !isMoved(one)) };
}

function placeOf(resourceType: ResourceType, { resource_id }: LinkedRow, { id }: Remote) {
  return { resourceType, resourceId: resource_id, remoteId: id };
}
