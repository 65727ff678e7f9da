import { setImmediate } from "node:timers/promises";
import type { Transaction } from "better-sqlite3";
import { origin, type Position, type SealedCommit, sameBytes } from "../../model/commit.ts";
import { malformedAppend } from "./append-limits.ts";
import { commitFault, linkFault } from "./commit-chain.ts";
import {
  type AppendKey,
  type AppendOutcome,
  type EventLog,
  LogCorrupt,
  LogUnavailable,
  type NewerSnapshots,
  type StoredSnapshot,
} from "./event-log.ts";
import { leavesFileUnknown, logFault } from "./log-fault.ts";
import { chainAfter, headOf, type LogFile, openLogFile, structureFault } from "./sqlite-log-file.ts";
import { prepareStatements, type SqliteStatements } from "./sqlite-statements.ts";
import { isOnChain, plainBytes, soundSnapshot, storeSnapshot } from "./sqlite-snapshots.ts";

/** The largest body of one snapshot. */
export const snapshotBytesMax = 512 * 1024 * 1024;

/** Appends that were made in one turn share a transaction, and so one sync to the disk, up to this many. */
const appendsPerSyncMax = 256;

/** `verify` lets other work run after this many commits. */
const verifiedPerTurn = 256;

/** What {@link SqliteEventLog.verify} found: a fault names the first bad revision where it is of one commit. */
export type Verification =
  | { readonly intact: true; readonly head: Position }
  | { readonly intact: false; readonly revision: number | undefined; readonly fault: string };

/** A commit as it was appended. */
export interface KeyedCommit {
  readonly commit: SealedCommit;
  readonly key: AppendKey;
}

interface PendingAppend {
  readonly commit: SealedCommit;
  readonly key: AppendKey;
  readonly resolve: (outcome: AppendOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The embedded engine: one SQLite file with one owner. A second `open` of it, by this process or another, is refused
 * with {@link LogUnavailable}; it is free again when its owner has closed it, or died. All writers share the owner's
 * object, so `onAppend` sees every append there is.
 *
 * SQLite works in the calling thread: an append blocks it for one sync of the disk, `open` for the checks.
 */
export class SqliteEventLog implements EventLog {
  readonly #file: LogFile;
  readonly #statements: SqliteStatements;
  readonly #appendAll: Transaction<(batch: readonly PendingAppend[]) => (AppendOutcome | RangeError)[]>;
  readonly #watchers = new Set<{ readonly callback: (head: Position) => void }>();
  #pending: PendingAppend[] = [];
  #head: Position;
  /** Why nothing works any more: closed, or the file in an unknown state. */
  #ended: LogUnavailable | undefined;
  #released = false;

  private constructor(file: LogFile) {
    const { db } = file;
    this.#file = file;
    this.#head = asPosition(headOf(db));
    this.#statements = prepareStatements(db);
    this.#appendAll = db.transaction((batch) => this.#decide(batch));
  }

  /**
   * Opens the log in the file `path`, and makes it if there is none; its directory must exist.
   *
   * Checked before anything is written: that the file is a log of a format that is understood; SQLite's page and index
   * structure; that no synced part of the write-ahead log is damaged; that no revision is missing; the hashes and the
   * chain from the newest sound snapshot to the head. Older commits are checked as they are read, and by `verify`.
   *
   * @throws LogCorrupt the file is damaged, of a newer format, or not ours; it is left as it is, byte for byte
   * @throws LogUnavailable it has another owner, can't be reached or written, or the disk is full
   */
  static async open(options: { readonly path: string }): Promise<SqliteEventLog> {
    const file = openLogFile(options.path);
    try {
      return new SqliteEventLog(file);
    } catch (error) {
      file.release();
      throw logFault(file.path, error);
    }
  }

  async head(): Promise<Position> {
    return this.knownHead();
  }

  knownHead(): Position {
    return this.#use(() => this.#head);
  }

  /**
   * @throws RangeError the commit is above a limit, its hash is not that of its body, or its key is malformed: it could
   *   never be appended
   */
  async append(commit: SealedCommit, key: AppendKey): Promise<AppendOutcome> {
    if (this.#ended !== undefined) throw this.#ended;
    return new Promise((resolve, reject) => {
      this.#pending.push({ commit, key, resolve, reject });
      if (this.#pending.length === 1) queueMicrotask(() => this.#appendPending());
    });
  }

  async read(after: number, limit: number): Promise<readonly SealedCommit[]> {
    assertWhole("after", after, 0);
    assertWhole("limit", limit, 0);
    return this.#use(() =>
      this.#statements.read.all(after, limit).map(({ revision, body, hash }) => {
        const fault = commitFault(revision, { body, hash });
        if (fault !== undefined) throw new LogCorrupt(`${this.#file.path}: damaged: ${fault}`);
        return { body: plainBytes(body), hash: plainBytes(hash) };
      }),
    );
  }

  /** The same as `read`, each commit with the key that it was appended under: for whoever writes a log anew from this. */
  async readKeyed(after: number, limit: number): Promise<readonly KeyedCommit[]> {
    assertWhole("after", after, 0);
    assertWhole("limit", limit, 0);
    return this.#use(() =>
      this.#statements.readKeyed.all(after, limit).map(({ revision, epoch, requestId, parentHash, hash, body }) => {
        const fault = commitFault(revision, { body, hash });
        if (fault !== undefined) throw new LogCorrupt(`${this.#file.path}: damaged: ${fault}`);
        return {
          commit: { body: plainBytes(body), hash: plainBytes(hash) },
          key: { revision, epoch, requestId, parentHash: plainBytes(parentHash) },
        };
      }),
    );
  }

  async findRequest(requestId: string): Promise<number | undefined> {
    return this.#use(() => this.#statements.revisionOf.get(requestId));
  }

  /** The callback runs in a later microtask of the turn of the append; what it throws reaches nobody's promise. */
  onAppend(callback: (head: Position) => void): () => void {
    if (this.#ended !== undefined) throw this.#ended;
    const watcher = { callback };
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** @throws RangeError the snapshot is above the limit, or its position is not one of this log */
  async saveSnapshot(snapshot: StoredSnapshot, newer: NewerSnapshots = "keep_newer"): Promise<void> {
    if (snapshot.body.length > snapshotBytesMax) {
      throw new RangeError(
        `a snapshot of ${snapshot.body.length} bytes; at most ${snapshotBytesMax} (snapshotBytesMax)`,
      );
    }
    this.#use(() => {
      if (!isOnChain(this.#file.db, snapshot.position)) {
        throw new RangeError(
          `a snapshot at revision ${snapshot.position.revision}, of another history than this log's`,
        );
      }
      this.#write(() => storeSnapshot(this.#file.db, snapshot, newer));
    });
  }

  async snapshotAtOrBefore(revision: number): Promise<StoredSnapshot | undefined> {
    assertWhole("revision", revision, 0);
    return this.#use(() => soundSnapshot(this.#file.db, revision));
  }

  /** Checks everything, from the first commit to the head at the time of the call, and the file's structure. */
  async verify(): Promise<Verification> {
    const head = this.#use(() => this.#head);
    let previous: Position = origin;
    while (previous.revision < head.revision) {
      const found = this.#use(() => this.#verifySome(previous, head.revision));
      if ("fault" in found) return { intact: false, ...found };
      previous = found;
      await setImmediate();
    }
    const fault = this.#use(() => structureFault(this.#file.db));
    return fault === undefined ? { intact: true, head } : { intact: false, revision: undefined, fault };
  }

  async close(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    this.#appendPending();
    this.#ended = new LogUnavailable(`${this.#file.path}: the log is closed`);
    this.#watchers.clear();
    this.#file.release();
  }

  #verifySome(from: Position, to: number): Position | { readonly revision: number; readonly fault: string } {
    let previous = from;
    for (const link of chainAfter(this.#file.db, from.revision)) {
      const fault = linkFault(previous, link);
      if (fault !== undefined) return { revision: previous.revision + 1, fault };
      previous = asPosition(link);
      if (previous.revision === to || previous.revision - from.revision === verifiedPerTurn) return previous;
    }
    return { revision: previous.revision + 1, fault: `revision ${previous.revision + 1} is missing` };
  }

  /** One transaction and one sync for what is pending; each append is answered after it. */
  #appendPending(): void {
    while (this.#pending.length > 0) {
      const batch = this.#pending.splice(0, appendsPerSyncMax);
      let outcomes: readonly (AppendOutcome | RangeError)[];
      try {
        if (this.#ended !== undefined) throw this.#ended;
        outcomes = this.#write(() => this.#appendAll.immediate(batch));
      } catch (error) {
        const fault = logFault(this.#file.path, error);
        for (const { reject } of batch) reject(fault);
        continue;
      }
      for (const [index, outcome] of outcomes.entries()) {
        const { resolve, reject } = batch[index] as PendingAppend;
        if (outcome instanceof RangeError) {
          reject(outcome);
          continue;
        }
        if (outcome.outcome === "appended") this.#announce(outcome.head);
        resolve(outcome);
      }
    }
  }

  /** Runs inside the transaction. Nothing here changes the object: the transaction may yet fail. */
  #decide(batch: readonly PendingAppend[]): (AppendOutcome | RangeError)[] {
    let head = this.#head;
    return batch.map(({ commit, key }) => {
      const fault = malformedAppend(commit, key);
      if (fault !== undefined) return new RangeError(fault);
      const taken = this.#statements.revisionOf.get(key.requestId);
      if (taken !== undefined) return { outcome: "duplicate", revision: taken };
      const onHead =
        key.revision === head.revision + 1 && sameBytes(key.parentHash, head.hash) && key.epoch >= head.epoch;
      if (!onHead) return { outcome: "conflict", head };
      this.#statements.insert.run(key.revision, key.epoch, key.requestId, key.parentHash, commit.hash, commit.body);
      head = { epoch: key.epoch, revision: key.revision, hash: Uint8Array.from(commit.hash) };
      return { outcome: "appended", head };
    });
  }

  #announce(head: Position): void {
    this.#head = head;
    for (const watcher of this.#watchers) {
      queueMicrotask(() => {
        if (this.#watchers.has(watcher)) watcher.callback(head);
      });
    }
  }

  #use<Result>(work: () => Result): Result {
    if (this.#ended !== undefined) throw this.#ended;
    try {
      return work();
    } catch (error) {
      throw logFault(this.#file.path, error);
    }
  }

  /**
   * After a failed sync the kernel may have dropped the pages that it could not write, and the commit may or may not
   * be there after a restart (fsync(2), "fsyncgate"). Going on would build on it, so that nothing works any more until
   * the log is opened again, which looks at what the disk really has.
   */
  #write<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      if (leavesFileUnknown(error)) {
        this.#ended = new LogUnavailable(
          `${this.#file.path}: a write failed (${(error as Error).message}); open the log again to go on`,
          { cause: error },
        );
      }
      throw error;
    }
  }
}

function asPosition({ epoch, revision, hash }: Position): Position {
  return { epoch, revision, hash: plainBytes(hash) };
}

function assertWhole(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) throw new RangeError(`${name} is ${value}: not a whole number`);
}
