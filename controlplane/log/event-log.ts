import type { Position, SealedCommit } from "../../model/commit.ts";

/**
 * The truth: an append-only sequence of sealed commits, and snapshots beside it. One contract suite
 * (`test/contract/event-log.contract.ts`) holds for every engine.
 *
 * - An append is atomic and durable: once it has answered `appended`, the commit outlives a crash of the process and
 *   of the machine.
 * - Revisions are 1, 2, 3 ... without gaps. A commit is taken only on top of the head that its author saw: its
 *   revision is one more than the head's, its parent hash is the head's hash. Anything else is a `conflict`, and
 *   nothing is written; catch up, decide again.
 * - A request id is taken once in the whole log. The second append under it is a `duplicate`, whatever it expects;
 *   this check comes before the one of the expected head, so that a retry after a lost answer finds its commit.
 */
export interface EventLog {
  /** The last commit's position; `origin` for an empty log. */
  head(): Promise<Position>;

  /** The same as far as this object knows, without asking anybody: never ahead of `head`, and mostly equal to it. */
  knownHead(): Position;

  append(commit: SealedCommit, key: AppendKey): Promise<AppendOutcome>;

  /** Commits with `after < revision`, in order, as far as the head at the time of the call, at most `limit`. */
  read(after: number, limit: number): Promise<readonly SealedCommit[]>;

  /** The revision that was committed under a request id. */
  findRequest(requestId: string): Promise<number | undefined>;

  /** Calls back after each append that this log learns of, by whoever it was. Returns the way to stop. */
  onAppend(callback: (head: Position) => void): () => void;

  /**
   * Keeps a snapshot; older ones beyond the newest few are dropped, and with `drop_newer` those that are newer: from then on it
   * is where everybody begins. Default `keep_newer`.
   */
  saveSnapshot(snapshot: StoredSnapshot, newer?: NewerSnapshots): Promise<void>;

  /** The newest snapshot at or before a revision. One that fails its checksum is passed over. */
  snapshotAtOrBefore(revision: number): Promise<StoredSnapshot | undefined>;

  /** Releases every resource; later calls reject with {@link LogUnavailable}. Idempotent. */
  close(): Promise<void>;
}

/** What the engine must know of a commit without opening it. */
export interface AppendKey {
  readonly revision: number;
  readonly epoch: number;
  readonly parentHash: Uint8Array;
  readonly requestId: string;
}

export type AppendOutcome =
  | { readonly outcome: "appended"; readonly head: Position }
  | { readonly outcome: "conflict"; readonly head: Position }
  | { readonly outcome: "duplicate"; readonly revision: number };

/** A folded configuration, encoded (`model/wire/snapshot.ts`). */
export interface StoredSnapshot {
  readonly position: Position;
  readonly body: Uint8Array;
}

/** What becomes of snapshots that are newer than one that is kept. */
export type NewerSnapshots = "keep_newer" | "drop_newer";

/** The log can't be reached or written now: try again later. Nothing was written, as far as is known. */
export class LogUnavailable extends Error {
  override readonly name = "LogUnavailable";
}

/** The stored log is damaged, or not ours. It is left as it is. */
export class LogCorrupt extends Error {
  override readonly name = "LogCorrupt";
}
