/** What the database says of how things stand, for whoever watches. Lists are bounded. */
export interface Figures {
  readonly users: number;
  readonly groups: number;
  readonly plansHeld: number;
  /** Of the oldest plan that waits for a decision. */
  readonly heldAgeSeconds: number | null;
  readonly runsInProgress: number;
  /** Of the run that is queued or under way. */
  readonly runAgeSeconds: number | null;
  /** Of the active provider. */
  readonly lastRun: { readonly status: string; readonly workSeconds: number } | null;
  readonly lastSuccessAgeSeconds: number | null;
  readonly credentialSeconds: number | null;
  readonly disputes: number;
  readonly notifications: Readonly<Record<'pending' | 'failed', number>>;
  readonly targets: readonly TargetFigures[];
  readonly eventsPending: number;
  readonly eventsDead: number;
  /** Since the oldest change that an app was not told of. */
  readonly eventLagSeconds: number;
  readonly streamsFailing: number;
  readonly streamsDisabled: number;
}

export interface TargetFigures {
  readonly app: string;
  readonly state: string;
  /** Deliveries that have not arrived, by state. */
  readonly deliveries: Readonly<Record<string, number>>;
  /** Since the oldest change that has not arrived. */
  readonly lagSeconds: number;
}
