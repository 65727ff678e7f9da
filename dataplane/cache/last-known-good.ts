import { origin, type Position, type SealedCommit } from "../../model/commit.ts";
import { Configuration } from "../../model/configuration.ts";
import { encodeSnapshotParts } from "../../model/wire/snapshot.ts";
import type { ServedJournal } from "../feed/served-journal.ts";
import { type DiskFault, diskFault } from "./disk-fault.ts";
import { loadCache } from "./load-cache.ts";
import { writeSnapshotFile } from "./snapshot-file.ts";
import { takeStateDirectory } from "./state-directory.ts";
import { dropTails, TailFile } from "./tail-file.ts";

/** A snapshot takes the place of so many commits, or of so many bytes of them: a start has to fold what is left. */
const tailCommitsMax = 1000;
const tailBytesMax = 8 * 1024 * 1024;

/** Resources that are encoded between two decisions: about a millisecond. */
const resourcesPerPart = 500;

/** Commits that wait for the disk, in bytes; past it they are dropped, and a snapshot is written instead. */
const pendingBytesMax = 32 * 1024 * 1024;

/** A disk that could not be written is tried again after so long, doubled up to the maximum. */
const retryMinMs = 1000;
const retryMaxMs = 60_000;

/** A disk that does not answer does not keep the process from ending. */
const closeMaxMs = 2000;

/** A revision that a start would come up with. */
export interface Kept {
  readonly position: Position;
  readonly digest: Uint8Array;
}

interface Pending extends Kept {
  readonly commits: readonly SealedCommit[];
}

/**
 * The configuration that a node served last, on disk. Commits are appended, and synced, in batches as they come; now and then a
 * snapshot takes their place, encoded in slices from the resources as they were at its start. Whatever the disk does, the
 * node serves on: a fault is a state (`fault`), tried again with back-off, and ends with a snapshot.
 */
export class LastKnownGood implements ServedJournal {
  /** What the directory had at the start; undefined for nothing. */
  readonly loaded: Configuration | undefined;
  /** What was damaged in it, a sentence each. */
  readonly problems: readonly string[];
  readonly #directory: string;
  readonly #release: () => void;
  #onChange: () => void = () => undefined;
  #kept: Kept = { position: origin, digest: new Configuration().digest };
  #fault: DiskFault | undefined;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  /** What is served, while it is not being changed. */
  #settled: Configuration | undefined;
  #pending: Pending[] = [];
  #pendingBytes = 0;
  #tail: TailFile | undefined;
  #tailCommits: number;
  #tailBytes = 0;
  /** What is served does not continue what is kept: it takes a snapshot. */
  #parted: boolean;
  #snapshotDue: boolean;
  #snapshotting = false;
  /** Raised when a snapshot that is being written is of no use any more. */
  #history = 0;
  #working: Promise<void> | undefined;
  #closed = false;

  private constructor(directory: string, release: () => void) {
    this.#directory = directory;
    this.#release = release;
    const { configuration, tailCommits, problems } = loadCache(directory);
    this.loaded = configuration;
    this.problems = problems;
    this.#tailCommits = tailCommits;
    this.#settled = configuration;
    this.#parted = configuration === undefined;
    this.#snapshotDue = configuration !== undefined && (problems.length > 0 || tailCommits >= tailCommitsMax);
    if (configuration !== undefined) this.#kept = { position: configuration.position, digest: configuration.digest };
  }

  /**
   * Takes the directory, which is made where it is not there, and loads what is sound in it.
   *
   * @throws StateDirectoryInUse, or the system's error where the directory can't be made or locked
   */
  static open(directory: string): LastKnownGood {
    return new LastKnownGood(directory, takeStateDirectory(directory));
  }

  /** What a start would come up with now: the empty configuration, where nothing was kept yet. */
  get kept(): Kept {
    return this.#kept;
  }

  get fault(): DiskFault | undefined {
    return this.#fault;
  }

  /** `onChange` is called when `kept` or `fault` is another. */
  watch(onChange: () => void): void {
    this.#onChange = onChange;
    this.#wake();
  }

  changing(): void {
    this.#settled = undefined;
  }

  committed(commits: readonly SealedCommit[], served: Configuration): void {
    this.#settled = served;
    if (this.#closed) return;
    // A snapshot that is yet to begin will have it.
    if (!this.#parted || this.#snapshotting) {
      const { position, digest } = served;
      this.#pending.push({ commits, position, digest });
      for (const { body } of commits) this.#pendingBytes += body.length;
      if (this.#pendingBytes > pendingBytesMax) {
        this.#fault ??= { reason: "too_slow", detail: `over ${pendingBytesMax} bytes of commits wait to be written` };
        this.#part();
        this.#onChange();
      }
    }
    this.#wake();
  }

  replaced(served: Configuration): void {
    this.#settled = served;
    if (this.#closed) return;
    this.#part();
    this.#wake();
  }

  /** Resolves when nothing is being written; for tests. */
  async idle(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  /** Writes what can be written at once, and gives the directory back. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeMaxMs);
    });
    await Promise.race([this.#finish(), late]);
    clearTimeout(timer);
    this.#release();
  }

  async #finish(): Promise<void> {
    await this.idle();
    try {
      if (this.#fault === undefined && !this.#parted) await this.#append();
      await this.#tail?.close();
    } catch (error) {
      this.#fault = diskFault(error);
    }
  }

  /** What is served has no longer to do with what is kept: only a snapshot mends that, at the next try. */
  #part(): void {
    this.#parted = true;
    this.#history += 1;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#snapshotDue = this.#retry === undefined;
  }

  #wake(): void {
    if (this.#working !== undefined || this.#closed) return;
    if (!this.#canSnapshot() && !this.#canAppend()) return;
    this.#working = this.#work().finally(() => {
      this.#working = undefined;
      this.#wake();
    });
  }

  #canAppend(): boolean {
    return this.#pending.length > 0 && !this.#parted && this.#fault === undefined;
  }

  #canSnapshot(): boolean {
    return this.#snapshotDue && this.#settled !== undefined;
  }

  async #work(): Promise<void> {
    try {
      while (!this.#closed) {
        const settled = this.#settled;
        if (this.#snapshotDue && settled !== undefined) await this.#writeSnapshot(settled);
        else if (this.#canAppend()) await this.#append();
        else return;
      }
    } catch (error) {
      this.#failed(diskFault(error));
    }
  }

  /** Appends all that waits, with one sync. */
  async #append(): Promise<void> {
    const batch = this.#pending;
    const [first, last] = [batch[0], batch.at(-1)];
    if (first === undefined || last === undefined) return;
    const commits = batch.flatMap((each) => each.commits);
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#tail ??= await TailFile.create(this.#directory, first.position.revision - first.commits.length);
    this.#tailBytes += await this.#tail.append(commits);
    this.#tailCommits += commits.length;
    if (this.#tailCommits >= tailCommitsMax || this.#tailBytes >= tailBytesMax) this.#snapshotDue = true;
    this.#keep({ position: last.position, digest: last.digest });
  }

  /** The first part is made before anything is awaited, of the configuration as it is now. */
  async #writeSnapshot(configuration: Configuration): Promise<void> {
    this.#snapshotDue = false;
    this.#snapshotting = true;
    try {
      const { position, digest } = configuration;
      const history = this.#history;
      const parts = encodeSnapshotParts(configuration, resourcesPerPart);
      const first = parts.next();
      await this.#endTail();
      const size = await writeSnapshotFile(this.#directory, chained(first, parts), async () => {
        if (this.#canAppend()) await this.#append();
        else await new Promise(setImmediate);
        return history === this.#history && !this.#closed;
      });
      // Another configuration is served meanwhile: its own snapshot is due.
      if (size === undefined || history !== this.#history) return;
      this.#snapshotKept({ position, digest });
    } finally {
      this.#snapshotting = false;
    }
    // All that was appended before the snapshot began is in it; what came since is in the file in use.
    await dropTails(this.#directory, this.#tail);
  }

  /** Of commits that came meanwhile, those that could be appended were: what is kept may be further on by now. */
  #snapshotKept(snapshot: Kept): void {
    const kept = this.#parted ? snapshot : this.#kept;
    this.#parted = false;
    this.#fault = undefined;
    this.#failures = 0;
    this.#keep(kept);
  }

  /** What comes from now on goes to another file, so that this one can be dropped. */
  async #endTail(): Promise<void> {
    const tail = this.#tail;
    this.#tail = undefined;
    this.#tailCommits = 0;
    this.#tailBytes = 0;
    await tail?.close();
  }

  #keep(kept: Kept): void {
    this.#kept = kept;
    this.#onChange();
  }

  #failed(fault: DiskFault): void {
    this.#fault = fault;
    const delayMs = Math.min(retryMaxMs, retryMinMs * 2 ** Math.min(this.#failures, 16));
    this.#failures += 1;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#snapshotDue = true;
      this.#wake();
    }, delayMs);
    this.#part();
    if (this.#closed) clearTimeout(this.#retry);
    // The descriptor is given back; that it can't be written is known already.
    this.#endTail().catch(() => undefined);
    this.#onChange();
  }
}

function* chained(first: IteratorResult<Uint8Array>, rest: Iterable<Uint8Array>): Generator<Uint8Array> {
  if (first.done === true) return;
  yield first.value;
  yield* rest;
}
