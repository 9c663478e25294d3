// What the mailboxes of a tenant are for. Graph tells it for one user at a time, so only those are asked about whose
// account does not tell by itself: disabled or without a licence, as shared mailboxes, rooms and equipment are. What was
// learnt is kept in the record, and asked again when the account has changed.
// Sources: learn.microsoft.com/graph/api/resources/mailboxsettings and user-get-mailboxsettings, checked 2026-11.
import { GatewayError } from '#core/errors.ts';
import type { ReadMemory } from '#core/pages.ts';
import { type BatchAnswer, batchGet } from '../graph/batch.ts';
import type { Graph } from '../graph/client.ts';
import type { GraphUser } from '../map/records.ts';
import { readClaims } from '../sign-in/permissions.ts';
import { isCandidate } from './mailbox-type.ts';

const PERMISSIONS = ['MailboxSettings.Read', 'MailboxSettings.ReadWrite'];

/** What a mailbox depends on: while these stay the same, so does what it is for. */
const EVIDENCE = ['accountEnabled', 'assignedLicenses', 'assignedPlans', 'mail', 'proxyAddresses', 'userType'] as const;

export interface MailboxReader {
  /** Whole users with what their mailboxes are for, as far as Graph tells; in the same order. */
  complete(users: readonly GraphUser[], signal: AbortSignal): Promise<readonly GraphUser[]>;
  /** The same for changes of users, which hold no more than what is new. */
  completeChanges(changes: readonly GraphUser[], signal: AbortSignal): Promise<readonly GraphUser[]>;
}

/** Never fails a read: what Graph does not tell is left open, and what was known before stays. */
export function makeMailboxReader(graph: Graph, memory: ReadMemory | undefined): MailboxReader {
  let allowed: boolean | undefined;

  async function mayRead(signal: AbortSignal): Promise<boolean> {
    if (allowed !== undefined) return allowed;
    const roles = readClaims(await graph.tokens.token(signal))?.roles;
    allowed = roles === undefined || roles.some((role) => PERMISSIONS.includes(role));
    return allowed;
  }

  /** Purposes by user; whoever Graph says nothing of is not among them. */
  async function ask(ids: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, string | null>> {
    const found = new Map<string, string | null>();
    if (ids.length === 0 || !(await mayRead(signal))) return found;
    const urls = ids.map((id) => `/users/${encodeURIComponent(id)}/mailboxSettings?$select=userPurpose`);
    try {
      const answers = await batchGet(graph, urls, { signal });
      if (answers.some(({ status }) => status === 403)) allowed = false;
      for (const [index, answer] of answers.entries()) {
        const purpose = purposeIn(answer);
        if (purpose !== undefined) found.set(ids[index] ?? '', purpose);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof GatewayError)) throw error;
      // Once is enough: a read must not wait for every mailbox server that is away.
      allowed = false;
    }
    return found;
  }

  async function learn(
    pairs: readonly { readonly user: GraphUser; readonly known: GraphUser | undefined }[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, GraphUser['mailboxSettings']>> {
    const unsure = pairs.filter(({ user }) => isCandidate(user));
    const changed = unsure.filter(({ user, known }) => known?.mailboxSettings == null || !isSameEvidence(user, known));
    const asked = await ask(
      changed.map(({ user }) => user.id),
      signal,
    );
    return new Map(
      unsure.map(({ user, known }) => {
        const purpose = asked.get(user.id);
        return [user.id, purpose === undefined ? known?.mailboxSettings : { userPurpose: purpose }];
      }),
    );
  }

  const recall = async (ids: readonly string[]): Promise<ReadonlyMap<string, GraphUser>> =>
    memory === undefined ? new Map() : ((await memory.known('User', ids)) as ReadonlyMap<string, GraphUser>);

  return {
    async complete(users, signal) {
      const unsure = users.filter(isCandidate);
      if (unsure.length === 0) return users;
      const known = await recall(unsure.map(({ id }) => id));
      const learnt = await learn(
        unsure.map((user) => ({ user, known: known.get(user.id) })),
        signal,
      );
      return users.map((user) => withSettings(user, learnt.get(user.id)));
    },
    async completeChanges(changes, signal) {
      const live = changes.filter((change) => !('@removed' in change));
      const known = await recall(live.map(({ id }) => id));
      const pairs = live.map((change) => ({
        user: { ...known.get(change.id), ...change },
        known: known.get(change.id),
      }));
      const learnt = await learn(pairs, signal);
      // Whoever is no candidate any more is judged by the account again.
      return changes.map((change) =>
        learnt.has(change.id) || known.get(change.id)?.mailboxSettings != null
          ? { ...change, mailboxSettings: learnt.get(change.id) ?? null }
          : change,
      );
    },
  };
}

function withSettings(user: GraphUser, settings: GraphUser['mailboxSettings']): GraphUser {
  return settings == null ? user : { ...user, mailboxSettings: settings };
}

/** Null: there is no mailbox in Exchange Online. Undefined: Graph does not tell. */
function purposeIn({ status, body }: BatchAnswer): string | null | undefined {
  if (status === 404) return null;
  const purpose = (body as { userPurpose?: unknown } | null | undefined)?.userPurpose;
  return status === 200 && typeof purpose === 'string' && purpose !== '' ? purpose : undefined;
}

function isSameEvidence(one: GraphUser, other: GraphUser): boolean {
  return EVIDENCE.every((name) => JSON.stringify(one[name] ?? null) === JSON.stringify(other[name] ?? null));
}
