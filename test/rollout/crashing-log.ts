import type {
  AppendKey,
  AppendOutcome,
  EventLog,
  NewerSnapshots,
  StoredSnapshot,
} from "../../controlplane/log/event-log.ts";
import type { Position, SealedCommit } from "../../model/commit.ts";

/** Where a process dies: at which of its appends, and whether the commit was taken. */
export interface Crash {
  /** 1 for its first. */
  readonly append: number;
  readonly moment: "before" | "after";
}

/** The log as one process sees it, which dies at one of its appends: nothing comes back from that, and nothing is appended later. */
export class CrashingLog implements EventLog {
  readonly #log: EventLog;
  #crash: Crash | undefined;
  #appends = 0;
  #dead = false;

  constructor(log: EventLog) {
    this.#log = log;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Counts appends from now on. */
  crashAt(crash: Crash): void {
    this.#crash = crash;
    this.#appends = 0;
  }

  /** The process is dead, and does nothing more. */
  kill(): void {
    this.#dead = true;
  }

  async append(commit: SealedCommit, key: AppendKey): Promise<AppendOutcome> {
    this.#appends += 1;
    const dies = this.#crash?.append === this.#appends;
    if (!this.#dead && !dies) return this.#log.append(commit, key);
    if (!this.#dead && this.#crash?.moment === "after") await this.#log.append(commit, key);
    this.#dead = true;
    throw new ProcessDied("the process has died");
  }

  head(): Promise<Position> {
    return this.#log.head();
  }

  knownHead(): Position {
    return this.#log.knownHead();
  }

  read(after: number, limit: number): Promise<readonly SealedCommit[]> {
    return this.#log.read(after, limit);
  }

  findRequest(requestId: string): Promise<number | undefined> {
    return this.#log.findRequest(requestId);
  }

  onAppend(callback: (head: Position) => void): () => void {
    return this.#log.onAppend(callback);
  }

  async saveSnapshot(snapshot: StoredSnapshot, newer?: NewerSnapshots): Promise<void> {
    if (!this.#dead) await this.#log.saveSnapshot(snapshot, newer);
  }

  snapshotAtOrBefore(revision: number): Promise<StoredSnapshot | undefined> {
    return this.#log.snapshotAtOrBefore(revision);
  }

  /** It is the replica's to close. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}

class ProcessDied extends Error {
  override readonly name = "ProcessDied";
}
