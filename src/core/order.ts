// What goes out first in the queue of a target: the lower rank.

/** Leavers, users, groups with their members, and last the references from one user to another. */
export const RANKS = { leaver: 0, user: 1, group: 2, reference: 3 } as const;
