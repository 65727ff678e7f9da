import { sha256 } from "../log/commit-chain.ts";
import { snapshotChunkSubject } from "../../model/log-names.ts";
import { decodeSnapshotPointer, encodeSnapshotPointer } from "../../model/wire/log-record.ts";
import type { StoredSnapshot } from "../log/event-log.ts";
import { chunksOf, inTurns, recordBytesMax } from "./blob-chunks.ts";
import { directGet } from "./direct-get.ts";
import { type LogStream, requestTimeoutMs } from "./log-stream.ts";
import { isAhead } from "./replica-heads.ts";
import { errorText } from "./request-errors.ts";

/**
 * Puts snapshots where nodes find them: chunks, then the pointer, so that a pointer never names what is not there yet.
 * In the background, one at a time; a newer one that comes meanwhile takes the place of the one that waits. A failure
 * costs joining nodes a longer replay, until the next snapshot.
 */
export class SnapshotPublisher {
  readonly #stream: LogStream;
  readonly #warn: (message: string) => void;
  #next: { readonly snapshot: StoredSnapshot; readonly force: boolean } | undefined;
  #running: Promise<void> | undefined;

  constructor(stream: LogStream, warn: (message: string) => void) {
    this.#stream = stream;
    this.#warn = warn;
  }

  /**
   * `force` takes the place of a pointer that is further on: it is of a history that is no more, or of a revision that nodes have
   * been taken back from.
   */
  publish(snapshot: StoredSnapshot, force = false): void {
    if (snapshot.position.revision === 0) return;
    // What one that still waits was to replace is to be replaced by this one.
    this.#next = { snapshot, force: force || (this.#next?.force ?? false) };
    this.#running ??= this.#run();
  }

  /** Drops the pointer: no snapshot is of the present history. */
  async withdraw(): Promise<void> {
    const manager = await this.#stream.connection.jetstreamManager({ checkAPI: false, timeout: requestTimeoutMs });
    await manager.streams.purge(this.#stream.names.snapshotStream, {
      filter: this.#stream.names.snapshotPointerSubject,
    });
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      for (let next = this.#next; next !== undefined; next = this.#next) {
        this.#next = undefined;
        await this.#put(next.snapshot, next.force);
      }
    } catch (error) {
      this.#warn(`a snapshot could not be published: ${errorText(error)}`);
    } finally {
      this.#running = undefined;
    }
  }

  async #put({ position, body }: StoredSnapshot, force: boolean): Promise<void> {
    const { connection, names } = this.#stream;
    if (!force) {
      const lastOf = names.snapshotPointerSubject;
      const stored = await directGet(connection, names.snapshotStream, { lastOf }, requestTimeoutMs);
      const newest = stored && decodeSnapshotPointer(stored.data);
      // Another replica's is as good, or better.
      if (newest !== undefined && !isAhead(position, newest.position)) return;
    }
    const client = connection.jetstream({ timeout: requestTimeoutMs });
    const expect = { streamName: names.snapshotStream };
    const chunks = chunksOf(body, recordBytesMax(connection));
    await inTurns(chunks, async (chunk, index) => {
      await client.publish(snapshotChunkSubject(names, position.revision, position.hash, index), chunk, { expect });
    });
    const pointer = { position, size: body.length, sha256: sha256(body), chunkCount: chunks.length };
    await client.publish(names.snapshotPointerSubject, encodeSnapshotPointer(pointer), { expect });
  }
}
