import { renameSync } from "node:fs";
import { type Position, type SealedCommit, sameBytes } from "../../model/commit.ts";
import { linkFault } from "../log/commit-chain.ts";
import { type KeyedCommit, SqliteEventLog } from "../log/sqlite-event-log.ts";

/** How far ahead of the copy a commit may be and still be kept until its turn comes. */
const aheadMax = 4_096;

/** How long a commit of another replica may be in memory only, and how many are written in one go. */
const writtenWithinMs = 50;
const writtenAtOnce = 256;
const writtenAgainMs = 1_000;

/** Commits in memory that could not be written; more are not taken until they are. */
const tailMax = 4_096;

/** Why a commit of the stream does not continue the copy. */
export interface CopyFault {
  readonly revision: number;
  readonly detail: string;
}

/**
 * A replica's own copy of the stream: the embedded engine, appended to in the stream's order, whatever the order in
 * which commits are heard of. It is only ever a beginning of the stream, unless the stream has lost or changed what it
 * had: then it is what the stream is rebuilt from.
 *
 * Commits of others are read from memory at once and written, synced, within 50 ms, many together; whoever
 * answers for a commit calls {@link synced} first. Without this, replicas on one disk would each sync each commit
 * before the next writer has its turn.
 */
export class LocalCopy {
  readonly path: string;
  #log: SqliteEventLog;
  /** Where the file ends, and the commits after it that are to be written. */
  #written: Position;
  #tail: KeyedCommit[] = [];
  readonly #tailRequests = new Map<string, number>();
  #head: Position;
  readonly #told: (head: Position) => void;
  /** Commits whose predecessors are not there yet. */
  readonly #ahead = new Map<number, KeyedCommit>();
  readonly #waiting = new Set<{ readonly revision: number; readonly resolve: () => void }>();
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #fault: CopyFault | undefined;

  private constructor(path: string, log: SqliteEventLog, head: Position, told: (head: Position) => void) {
    this.path = path;
    this.#log = log;
    this.#written = head;
    this.#head = head;
    this.#told = told;
  }

  /** `told` hears of each commit once it can be read. @throws LogCorrupt, LogUnavailable */
  static async open(path: string, told: (head: Position) => void): Promise<LocalCopy> {
    const log = await SqliteEventLog.open({ path });
    return new LocalCopy(path, log, await log.head(), told);
  }

  /** The file, as far as it is written: `synced` comes first. */
  get log(): SqliteEventLog {
    return this.#log;
  }

  get head(): Position {
    return this.#head;
  }

  holds(revision: number): boolean {
    return revision <= this.#head.revision || this.#ahead.has(revision);
  }

  async read(after: number, limit: number): Promise<readonly SealedCommit[]> {
    const tail = this.#tail.slice(Math.max(0, after - this.#written.revision));
    const stored = await this.#log.read(after, Math.min(limit, Math.max(0, this.#written.revision - after)));
    return [...stored, ...tail.slice(0, Math.max(0, limit - stored.length)).map(({ commit }) => commit)];
  }

  async findRequest(requestId: string): Promise<number | undefined> {
    return this.#tailRequests.get(requestId) ?? this.#log.findRequest(requestId);
  }

  /** Whether the copy has exactly this commit. */
  async has(revision: number, hash: Uint8Array): Promise<boolean> {
    const [commit] = await this.read(revision - 1, 1);
    return commit !== undefined && sameBytes(commit.hash, hash);
  }

  /** Takes a commit of the stream; its turn comes when all before it are there. One too far ahead is dropped. */
  offer(entry: KeyedCommit): void {
    const { revision } = entry.key;
    if (revision <= this.#head.revision || revision > this.#head.revision + aheadMax) return;
    if (this.#tail.length >= tailMax) return;
    this.#ahead.set(revision, entry);
    for (let next = this.#next(); next !== undefined; next = this.#next()) this.#take(next);
    if (this.#tail.length > 0) this.#writeWithin(writtenWithinMs);
  }

  /** Commits that are in memory only. */
  get unwritten(): number {
    return this.#tail.length;
  }

  /** Resolves when all that was taken is written and synced. @throws LogUnavailable where the file can't be written */
  async synced(): Promise<void> {
    while (this.#tail.length > 0) await this.#write();
  }

  /** Resolves when the copy has reached a revision; false where it has not within the time. */
  async reaches(revision: number, timeoutMs: number): Promise<boolean> {
    if (this.#head.revision >= revision) return true;
    return new Promise((resolve) => {
      const end = (reached: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(waiter);
        resolve(reached);
      };
      const waiter = { revision, resolve: () => end(true) };
      const timer = setTimeout(() => end(false), timeoutMs);
      this.#waiting.add(waiter);
    });
  }

  /** Why the last commit that was its turn was not taken. What was kept behind it is gone. Asking forgets it. */
  takeFault(): CopyFault | undefined {
    const fault = this.#fault;
    this.#fault = undefined;
    return fault;
  }

  /** Renames the file to where it can be looked at, and goes on with an empty one. Returns the new name. */
  async setAside(suffix: string): Promise<string> {
    await this.synced();
    this.#ahead.clear();
    this.#fault = undefined;
    await this.#log.close();
    const aside = `${this.path}.${suffix}`;
    // The write-ahead log first: a file whose name was taken away is never one that lacks commits.
    for (const side of ["-wal", ""]) rename(`${this.path}${side}`, `${aside}${side}`);
    this.#log = await SqliteEventLog.open({ path: this.path });
    this.#written = await this.#log.head();
    this.#head = this.#written;
    return aside;
  }

  async close(): Promise<void> {
    this.#ahead.clear();
    try {
      await this.synced();
    } finally {
      clearTimeout(this.#timer);
      for (const waiter of this.#waiting) waiter.resolve();
      await this.#log.close();
    }
  }

  /** The commit whose turn it is, if it is there and continues the copy. */
  #next(): KeyedCommit | undefined {
    const revision = this.#head.revision + 1;
    const entry = this.#ahead.get(revision);
    if (entry === undefined) return undefined;
    const fault = linkFault(this.#head, { ...entry.key, ...entry.commit });
    if (fault === undefined) return entry;
    this.#fault = { revision, detail: fault };
    this.#ahead.clear();
    return undefined;
  }

  #take(entry: KeyedCommit): void {
    const { epoch, revision, requestId } = entry.key;
    this.#ahead.delete(revision);
    this.#tail.push(entry);
    this.#tailRequests.set(requestId, revision);
    this.#head = { epoch, revision, hash: entry.commit.hash };
    this.#told(this.#head);
    for (const waiter of this.#waiting) if (waiter.revision <= revision) waiter.resolve();
  }

  /** A disk that is full fails whoever waits for the copy; the rest is tried again until there is room. */
  #writeWithin(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#write().catch(() => this.#writeWithin(writtenAgainMs));
    }, ms);
  }

  /** Writes the tail, in one transaction as far as it is not too long; one at a time. */
  #write(): Promise<void> {
    this.#writing ??= this.#writeTail().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeTail(): Promise<void> {
    const entries = this.#tail.slice(0, writtenAtOnce);
    const outcomes = await Promise.all(entries.map(({ commit, key }) => this.#log.append(commit, key)));
    const refused = outcomes.findIndex(({ outcome }) => outcome !== "appended");
    const taken = this.#tail.splice(0, refused < 0 ? entries.length : refused);
    for (const { key, commit } of taken) {
      this.#tailRequests.delete(key.requestId);
      this.#written = { epoch: key.epoch, revision: key.revision, hash: commit.hash };
    }
    if (refused < 0) return;
    // A second commit under one request id: nothing that holds to the port's contract writes that.
    this.#fault = { revision: this.#written.revision + 1, detail: `the copy answers ${outcomes[refused]?.outcome}` };
    this.#tail = [];
    this.#tailRequests.clear();
    this.#head = this.#written;
  }
}

function rename(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
