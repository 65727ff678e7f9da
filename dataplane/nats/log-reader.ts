import type { NatsConnection } from "nats";
import type { Position, SealedCommit } from "../../model/commit.ts";
import { blobChunkSubject, type LogNames, snapshotChunkSubject } from "../../model/log-names.ts";
import { openCommit } from "../../model/wire/commit.ts";
import {
  decodeRecord,
  decodeSnapshotPointer,
  joinReferenced,
  joinSnapshot,
  type SnapshotPointer,
  type StoredRecord,
} from "../../model/wire/log-record.ts";

/** Chunks of one body that are asked for at once: some MiB on their way. */
const chunksInFlightMax = 8;

/** A larger snapshot is not taken: it is held in memory twice while it is opened. */
const snapshotBytesMax = 1024 * 1024 * 1024;

/** Where a message of the log's stream stands, and what it is. */
export interface PlacedRecord {
  readonly revision: number;
  readonly record: StoredRecord;
  /** Bytes that are held with it. */
  readonly size: number;
}

/** What reads single records. */
export interface RecordReader {
  record(revision: number): Promise<PlacedRecord | undefined>;
}

/**
 * Reads the log's streams by direct get, from any server that keeps them, mirrors too (nats-architecture-and-design,
 * ADR-31): a node needs no consumer, and so no permission to make one.
 *
 * A server that lags answers as of some moment ago. Each call rejects where nobody answers in time, also where there is
 * no such stream.
 */
export class LogReader implements RecordReader {
  readonly #connection: NatsConnection;
  readonly #names: LogNames;
  readonly #timeoutMs: number;

  constructor(connection: NatsConnection, names: LogNames, timeoutMs: number) {
    this.#connection = connection;
    this.#names = names;
    this.#timeoutMs = timeoutMs;
  }

  /** The last record; undefined for an empty log. The time is bounded by that of any read. */
  async last(timeoutMs = this.#timeoutMs): Promise<PlacedRecord | undefined> {
    const { logStream, logSubject } = this.#names;
    return placed(await this.#get(logStream, `.${logSubject}`, "", Math.min(timeoutMs, this.#timeoutMs)));
  }

  /** The record of a revision; undefined where that server has none, which may be a hole, or its end. */
  async record(revision: number): Promise<PlacedRecord | undefined> {
    const found = placed(await this.#get(this.#names.logStream, "", JSON.stringify({ seq: revision })));
    // Asked for a sequence that is not there, the server gives the next one that is.
    return found?.revision === revision ? found : undefined;
  }

  /** The commit of a record. @throws Error where it can't be read */
  async commitOf({ revision, record }: PlacedRecord): Promise<SealedCommit> {
    switch (record.record) {
      case "commit":
        return record.commit;
      case "malformed":
        throw new Error(`the record of revision ${revision} can't be read: ${record.detail}`);
      case "reference": {
        const subject = (index: number): string => blobChunkSubject(this.#names, record.hash, index);
        const chunks = await this.#chunks(this.#names.blobStream, record.chunkCount, subject);
        const commit = chunks === undefined ? undefined : joinReferenced(record, chunks);
        if (commit === undefined) throw new Error(`the body of revision ${revision} is not there, or not whole`);
        return commit;
      }
    }
  }

  /** Where a record stands; its epoch is guessed where it can't be read. */
  async positionOf(placed: PlacedRecord, epoch: number): Promise<Position> {
    const opened = openCommit(await this.commitOf(placed));
    if (!("fault" in opened)) return opened.position;
    return { epoch, revision: placed.revision, hash: hashOf(placed) ?? new Uint8Array(32) };
  }

  /** Where the newest snapshot is, if there is one. */
  async snapshotPointer(): Promise<SnapshotPointer | undefined> {
    const message = await this.#lastOf(this.#names.snapshotStream, this.#names.snapshotPointerSubject);
    const pointer = message === undefined ? undefined : decodeSnapshotPointer(message.data);
    return pointer !== undefined && pointer.size <= snapshotBytesMax && pointer.chunkCount <= pointer.size
      ? pointer
      : undefined;
  }

  /** The encoded snapshot; undefined where it is no longer there, or damaged. */
  async snapshot(pointer: SnapshotPointer): Promise<Uint8Array | undefined> {
    const { position, chunkCount } = pointer;
    const subject = (index: number): string =>
      snapshotChunkSubject(this.#names, position.revision, position.hash, index);
    const chunks = await this.#chunks(this.#names.snapshotStream, chunkCount, subject);
    return chunks === undefined ? undefined : joinSnapshot(pointer, chunks);
  }

  /** Undefined as soon as one is missing. */
  async #chunks(
    stream: string,
    count: number,
    subject: (index: number) => string,
  ): Promise<readonly Uint8Array[] | undefined> {
    const chunks: Uint8Array[] = [];
    for (let start = 0; start < count; start += chunksInFlightMax) {
      const indexes = Array.from({ length: Math.min(chunksInFlightMax, count - start) }, (_, at) => start + at);
      const found = await Promise.all(indexes.map((index) => this.#lastOf(stream, subject(index))));
      for (const message of found) {
        if (message === undefined) return undefined;
        chunks.push(message.data);
      }
    }
    return chunks;
  }

  async #lastOf(stream: string, subject: string): Promise<DirectMessage | undefined> {
    return this.#get(stream, `.${subject}`, "");
  }

  async #get(
    stream: string,
    suffix: string,
    request: string,
    timeout = this.#timeoutMs,
  ): Promise<DirectMessage | undefined> {
    const subject = `$JS.API.DIRECT.GET.${stream}${suffix}`;
    const { headers, data } = await this.#connection.request(subject, request, { timeout });
    if (headers?.code === 404) return undefined;
    const sequence = Number(headers?.get("Nats-Sequence"));
    if (headers === undefined || headers.code >= 300 || !Number.isSafeInteger(sequence) || sequence < 1)
      throw new Error(`a direct get of ${stream} is answered ${headers?.code ?? ""} ${headers?.description ?? ""}`);
    return { sequence, data };
  }
}

/** Of the commit that the record is, or refers to; undefined where it can't be read. */
export function hashOf({ record }: PlacedRecord): Uint8Array | undefined {
  if (record.record === "malformed") return undefined;
  return record.record === "commit" ? record.commit.hash : record.hash;
}

interface DirectMessage {
  readonly sequence: number;
  readonly data: Uint8Array;
}

function placed(message: DirectMessage | undefined): PlacedRecord | undefined {
  if (message === undefined) return undefined;
  return { revision: message.sequence, record: decodeRecord(message.data), size: message.data.length };
}
