/**
 * Which of the replicas acts for all of them. Holding it saves work, and keeps two replicas from judging each other's waves; it
 * is not what makes a step safe: each step is a commit at the revision that its author saw.
 */
export interface Lease {
  /** Whether this replica may act now; false from shortly before it runs out unless it was renewed. */
  readonly held: boolean;
  /** Gives it back, so that another replica need not wait for its end. */
  close(): Promise<void>;
}

/** Of a log that has one replica. */
export const soleReplica: Lease = { held: true, close: () => Promise.resolve() };
