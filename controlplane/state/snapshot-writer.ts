import type { Position } from "../../model/commit.ts";
import type { Configuration } from "../../model/configuration.ts";
import { oldestInUse } from "../../model/releases.ts";
import { encodeSnapshotParts } from "../../model/wire/snapshot.ts";
import type { EventLog } from "../log/event-log.ts";
import { configurationAt } from "./log-follower.ts";

/** A snapshot is written once this many commits have come since the last one. */
export const snapshotEveryCommits = 1000;

/** Resources that are encoded in one turn of the event loop. */
const resourcesPerTurn = 2000;

/**
 * Keeps snapshots beside the log, so that nobody has to fold it from its start. None is of a revision that some node has yet to
 * reach: whoever begins with one gets to what it serves by going forward.
 */
export class SnapshotWriter {
  readonly #log: EventLog;
  readonly #fault: (error: unknown) => void;
  #writtenAt: number;
  #writing: Promise<void> | undefined;

  /** `fault` hears of a snapshot that could not be written; the log is complete without it. */
  constructor(log: EventLog, writtenAt: Position, fault: (error: unknown) => void) {
    this.#log = log;
    this.#writtenAt = writtenAt.revision;
    this.#fault = fault;
  }

  /**
   * To be called after each commit. Starts a snapshot where one is due and none is under way. A rollout of a revision that is
   * older than the last snapshot, or a roll back to one, makes it due at once, in that one's place.
   */
  consider(configuration: Configuration): void {
    const revision = Math.min(configuration.position.revision, oldestInUse(configuration.releases));
    const isBack = revision > 0 && revision < this.#writtenAt;
    const isDue = isBack || revision - this.#writtenAt >= snapshotEveryCommits;
    if (this.#writing !== undefined || !isDue) return;
    this.#writtenAt = revision;
    this.#writing = this.#write(configuration, revision, isBack)
      .catch(this.#fault)
      .finally(() => {
        this.#writing = undefined;
        // What came meanwhile may have taken the fleet further back.
        this.consider(configuration);
      });
  }

  /** Resolves when no snapshot is being written. */
  async settled(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #write(head: Configuration, revision: number, isBack: boolean): Promise<void> {
    const configuration = revision === head.position.revision ? head : await configurationAt(this.#log, revision);
    const { position } = configuration;
    const parts: Uint8Array[] = [];
    // The parts are taken from a list of the resources as they are now; commits may come between two turns.
    for (const part of encodeSnapshotParts(configuration, resourcesPerTurn)) {
      parts.push(part);
      await new Promise(setImmediate);
    }
    await this.#log.saveSnapshot({ position, body: Buffer.concat(parts) }, isBack ? "drop_newer" : "keep_newer");
  }
}
