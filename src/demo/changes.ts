// What happened in the simulated tenant, in order: what delta queries and notifications are made of.

export interface TenantChange {
  readonly kind: 'user' | 'group';
  readonly id: string;
  /** `created` after a restore, too; `softDeleted` can be restored. */
  readonly what: 'created' | 'updated' | 'softDeleted' | 'deleted' | 'members' | 'manager';
  /** Of an update: which properties. */
  readonly properties?: readonly string[];
  /** Of a membership or a manager: who. */
  readonly other?: string;
  readonly removed?: boolean;
}

/** The log of a tenant. Its length is the place of whoever has read all of it. */
export type TenantLog = TenantChange[];
