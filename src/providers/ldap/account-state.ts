// Who may sign in, where Active Directory does not say it. Whoever does not show their state counts as enabled, so whoever
// was disabled would be enabled once the account that reads has lost the right to see it. Of a few accounts it may lose it
// alone: an administrator of the domain is given rights of their own (AdminSDHolder), without those of the folder.
// Source: learn.microsoft.com, "Protected Accounts and Groups in Active Directory", checked 2026-11.
import { type Reading, searchOf } from './everybody.ts';
import { stateHidden } from './failures.ts';
import { type LdapRecord, textsOf, valuesOf } from './records.ts';

/** Every account of Active Directory has it, disabled or not. */
const STATE = 'userAccountControl';
/** More accounts than these do not lose it by themselves; nor do all of a whole read. */
const HIDDEN_MAX = 50;
const HIDDEN_SHARE = 0.05;
/** What no share is taken of: in a small directory one account is a large part. */
const HIDDEN_FEW = 5;
/** Every account sees its own, also the one that reads; whoever shows theirs beside it shows that others may be seen. */
const SHOWN_FEWEST = 2;

export interface AccountStates {
  /**
   * The same records. One that shows its state no more and did so at the last read has that of the last read.
   * @throws {ConfigError} `account-state-hidden` once there are many of them
   */
  keep(records: readonly LdapRecord[]): Promise<readonly LdapRecord[]>;
  /**
   * After the last record of a whole read.
   * @throws {ConfigError} `account-state-hidden` where those kept are too large a part of all
   */
  checkAll(): void;
  /**
   * After the last record of a read of changes. Those that changed may be the very ones that lost it; where they are all of
   * them, the server is asked for others.
   * @throws {ConfigError} `account-state-hidden` where it shows the state of nobody else either
   */
  checkChanged(): Promise<void>;
}

/** For the users of one read. */
export function makeAccountStates(reading: Reading): AccountStates {
  const { settings, wanted, memory, trace } = reading;
  const isMeant = memory !== undefined && settings.preset === 'activeDirectory' && wanted.includes(STATE);
  let shown = 0;
  let hidden = 0;
  let example = { externalId: '', dn: '' };

  async function keep(records: readonly LdapRecord[]): Promise<readonly LdapRecord[]> {
    if (!isMeant) return records;
    const silent = records.filter((record) => valuesOf(record, STATE).length === 0);
    shown += records.length - silent.length;
    if (silent.length === 0) return records;
    const known = await memory.known(
      'User',
      silent.map(({ externalId }) => externalId),
    );
    const before = hidden;
    const kept = records.map((record) => {
      const state = (known.get(record.externalId) as LdapRecord | undefined)?.attributes?.[STATE];
      if (state === undefined || valuesOf(record, STATE).length > 0) return record;
      hidden += 1;
      if (hidden === 1) example = record;
      return { ...record, attributes: { ...record.attributes, [STATE]: state } };
    });
    if (hidden > HIDDEN_MAX) throw stateHidden(STATE, example.dn);
    if (hidden > before) trace?.('ldap account state kept', { count: hidden - before, example: example.externalId });
    return kept;
  }

  return {
    keep,
    checkAll() {
      if (hidden === 0) return;
      if (shown === 0 || hidden > Math.max(HIDDEN_FEW, HIDDEN_SHARE * (shown + hidden)))
        throw stateHidden(STATE, example.dn);
    },
    async checkChanged() {
      if (hidden > 0 && shown === 0 && !(await isShown(reading))) throw stateHidden(STATE, example.dn);
    },
  };
}

/** Whether the server shows the state of any accounts that are read. */
async function isShown(reading: Reading): Promise<boolean> {
  const asked = searchOf(reading, 'User', [STATE], `(${STATE}=*)`);
  if (asked === undefined) return false;
  const entries = await reading.connection.first({ ...asked, sizeLimit: SHOWN_FEWEST }, reading.signal);
  return entries.filter((entry) => textsOf(entry, STATE).length > 0).length >= SHOWN_FEWEST;
}
