import { renameSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { type Position, sameBytes } from "../../model/commit.ts";
import { linkFault } from "../log/commit-chain.ts";
import { LogUnavailable } from "../log/event-log.ts";
import { type KeyedCommit, SqliteEventLog } from "../log/sqlite-event-log.ts";

/** Commits that wait for the ones before them, and commits that are appended in one go. */
const bufferedMax = 4_096;
const appendedAtOnce = 256;

/** Why a commit of the stream does not continue the copy. */
export interface CopyFault {
  readonly revision: number;
  readonly detail: string;
}

/**
 * A replica's own copy of the stream: the embedded engine, appended to in the stream's order, whatever the order in
 * which commits are heard of. It is only ever a beginning of the stream, unless the stream has lost or changed what it
 * had: then it is what the stream is rebuilt from.
 */
export class LocalCopy {
  readonly path: string;
  #log: SqliteEventLog;
  #head: Position;
  #unsubscribe: () => void;
  readonly #told: (head: Position) => void;
  readonly #buffer = new Map<number, KeyedCommit>();
  readonly #waiting = new Set<{ readonly revision: number; readonly resolve: () => void }>();
  #draining: Promise<void> | undefined;
  #fault: CopyFault | undefined;
  /** Why the file could not be written, until it could. */
  #failure: unknown;

  private constructor(path: string, log: SqliteEventLog, head: Position, told: (head: Position) => void) {
    this.path = path;
    this.#log = log;
    this.#head = head;
    this.#told = told;
    this.#unsubscribe = log.onAppend(told);
  }

  /** `told` hears of each append. @throws LogCorrupt, LogUnavailable */
  static async open(path: string, told: (head: Position) => void): Promise<LocalCopy> {
    const log = await SqliteEventLog.open({ path });
    return new LocalCopy(path, log, await log.head(), told);
  }

  get log(): SqliteEventLog {
    return this.#log;
  }

  get head(): Position {
    return this.#head;
  }

  holds(revision: number): boolean {
    return revision <= this.#head.revision || this.#buffer.has(revision);
  }

  /** Takes a commit of the stream; its turn comes when all before it are there. One too far ahead is dropped. */
  offer(entry: KeyedCommit): void {
    const { revision } = entry.key;
    if (revision <= this.#head.revision || revision > this.#head.revision + bufferedMax) return;
    this.#buffer.set(revision, entry);
    if (revision === this.#head.revision + 1) this.#draining ??= this.#drain();
  }

  /** Resolves when all that could be appended is. @throws where the file can't be written */
  async settled(): Promise<void> {
    while (this.#draining !== undefined) await this.#draining;
    if (this.#failure !== undefined) throw this.#failure;
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

  /** Why the last commit that was its turn was not taken. What was buffered behind it is gone. Asking forgets it. */
  takeFault(): CopyFault | undefined {
    const fault = this.#fault;
    this.#fault = undefined;
    return fault;
  }

  /** Whether the copy has exactly this commit. */
  async has(revision: number, hash: Uint8Array): Promise<boolean> {
    const [commit] = await this.#log.read(revision - 1, 1);
    return commit !== undefined && sameBytes(commit.hash, hash);
  }

  forgetBuffered(): void {
    this.#buffer.clear();
    this.#fault = undefined;
  }

  /** Renames the file to where it can be looked at, and goes on with an empty one. Returns the new name. */
  async setAside(suffix: string): Promise<string> {
    await this.settled();
    this.forgetBuffered();
    this.#unsubscribe();
    await this.#log.close();
    const aside = `${this.path}.${suffix}`;
    // The write-ahead log first: without it, a file whose name was taken away is never one that lacks commits.
    for (const side of ["-wal", ""]) rename(`${this.path}${side}`, `${aside}${side}`);
    this.#log = await SqliteEventLog.open({ path: this.path });
    this.#head = await this.#log.head();
    this.#unsubscribe = this.#log.onAppend(this.#told);
    return aside;
  }

  async close(): Promise<void> {
    this.#buffer.clear();
    while (this.#draining !== undefined) await this.#draining;
    for (const waiter of this.#waiting) waiter.resolve();
    this.#unsubscribe();
    await this.#log.close();
  }

  async #drain(): Promise<void> {
    try {
      for (;;) {
        // What came in one read of the socket shares a transaction, and so a sync of the disk.
        await setImmediate();
        const entries = this.#inTurn();
        if (entries.length === 0) return;
        const outcomes = await Promise.all(entries.map(({ commit, key }) => this.#log.append(commit, key)));
        this.#failure = undefined;
        for (const [index, outcome] of outcomes.entries()) {
          const revision = entries[index]?.key.revision ?? 0;
          if (outcome.outcome !== "appended") {
            this.#reject(revision, `the copy answers ${outcome.outcome}: its request id is there already`);
            break;
          }
          this.#head = outcome.head;
          this.#buffer.delete(revision);
        }
        for (const waiter of this.#waiting) if (waiter.revision <= this.#head.revision) waiter.resolve();
      }
    } catch (error) {
      this.#failure = error instanceof LogUnavailable ? error : new LogUnavailable(String(error), { cause: error });
      this.#buffer.clear();
    } finally {
      this.#draining = undefined;
    }
  }

  /** The commits whose turn it is. */
  #inTurn(): KeyedCommit[] {
    const entries: KeyedCommit[] = [];
    let previous = this.#head;
    while (entries.length < appendedAtOnce) {
      const entry = this.#buffer.get(previous.revision + 1);
      if (entry === undefined) break;
      const { commit, key } = entry;
      const fault = linkFault(previous, { ...key, ...commit });
      if (fault !== undefined) {
        this.#reject(key.revision, fault);
        break;
      }
      entries.push(entry);
      previous = { epoch: key.epoch, revision: key.revision, hash: commit.hash };
    }
    return entries;
  }

  #reject(revision: number, detail: string): void {
    this.#fault = { revision, detail };
    for (const buffered of this.#buffer.keys()) if (buffered >= revision) this.#buffer.delete(buffered);
  }
}

function rename(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
