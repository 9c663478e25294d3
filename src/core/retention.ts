/** For how many days what is kept; null for ever. */
export interface RetentionSettings {
  /** Runs with their logs and messages. Of each provider the newest run, and the newest that succeeded, are always kept. */
  readonly runs: number | null;
  /** Plans with their items: the provisioning log, and what a run can be reverted by. A plan that waits is kept. */
  readonly plans: number | null;
  /** Deleted users and groups: how long one that comes back gets its old id. */
  readonly tombstones: number | null;
  /** The change log: how long a consumer may be away and still find everything in it. */
  readonly changes: number | null;
  readonly audit: number | null;
}

export const DEFAULT_RETENTION: RetentionSettings = { runs: 90, plans: 30, tombstones: 30, changes: 365, audit: 365 };

/** The fewest days of each: a plan can be approved for a week, and a consumer may be away for a month. */
export const RETENTION_MIN: Readonly<Record<keyof RetentionSettings, number>> = {
  runs: 7,
  plans: 7,
  tombstones: 1,
  changes: 30,
  audit: 30,
};

const DAY_MS = 86_400_000;

/** What is older than this goes; undefined when nothing does. A plan never outlives its run. */
export function retentionCutoffs(
  settings: RetentionSettings,
  now: Date,
): Readonly<Record<keyof RetentionSettings, Date | undefined>> {
  const before = (days: number | null): Date | undefined =>
    days === null ? undefined : new Date(now.getTime() - days * DAY_MS);
  const { runs, plans, tombstones, changes, audit } = settings;
  const shorter = runs === null ? plans : plans === null ? runs : Math.min(runs, plans);
  return {
    runs: before(runs),
    plans: before(shorter),
    tombstones: before(tombstones),
    changes: before(changes),
    audit: before(audit),
  };
}
