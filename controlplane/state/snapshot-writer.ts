import type { Position } from "../../model/commit.ts";
import type { Configuration } from "../../model/configuration.ts";
import { encodeSnapshotParts } from "../../model/wire/snapshot.ts";
import type { EventLog } from "../log/event-log.ts";

/** A snapshot is written once this many commits have come since the last one. */
export const snapshotEveryCommits = 1000;

/** Resources that are encoded in one turn of the event loop. */
const resourcesPerTurn = 2000;

/** Keeps snapshots beside the log, so that nobody has to fold it from its start. */
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

  /** To be called after each commit. Starts a snapshot where one is due and none is under way. */
  consider(configuration: Configuration): void {
    const { revision } = configuration.position;
    if (this.#writing !== undefined || revision - this.#writtenAt < snapshotEveryCommits) return;
    this.#writtenAt = revision;
    this.#writing = this.#write(configuration)
      .catch(this.#fault)
      .finally(() => {
        this.#writing = undefined;
      });
  }

  /** Resolves when no snapshot is being written. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #write(configuration: Configuration): Promise<void> {
    const { position } = configuration;
    const parts: Uint8Array[] = [];
    // The parts are taken from a list of the resources as they are now; commits may come between two turns.
    for (const part of encodeSnapshotParts(configuration, resourcesPerTurn)) {
      parts.push(part);
      await new Promise(setImmediate);
    }
    await this.#log.saveSnapshot({ position, body: Buffer.concat(parts) });
  }
}
