import {
  ErrorCode,
  type JetStreamClient,
  type JetStreamManager,
  type MsgHdrs,
  type NatsConnection,
  NatsError,
  type PubAck,
} from "nats";
import type { LogNames } from "../../model/log-names.ts";
import { encodeCommitRecord, encodeReferenceRecord } from "../../model/wire/log-record.ts";
import type { KeyedCommit } from "../log/sqlite-event-log.ts";
import { getBlob, putBlob, recordBytesMax } from "./blob-chunks.ts";
import { directGet } from "./direct-get.ts";
import { keyedCommit, messageId, readRecordMessage, recordHeaders } from "./record-message.ts";
import { requestFault } from "./request-errors.ts";

/** How long a request to the server may take. */
export const requestTimeoutMs = 4_000;

/** What a commit needs in its record beside its body. */
const recordOverheadBytes = 256;

/** Where the stream ends, and whether it is whole, as its leader says. */
export type StreamEnd =
  | { readonly stream: "missing" }
  | {
      readonly stream: "present";
      readonly last: number;
      /** Messages are missing between the first and the last, or before the first. */
      readonly holes: boolean;
      /** Of servers that keep the stream. */
      readonly replicas: number;
    };

/** One revision as it stands in the stream. */
export type StoredAt =
  | ({ readonly read: "commit" } & KeyedCommit)
  | { readonly read: "malformed"; readonly detail: string }
  | { readonly read: "missing" }
  /** Its record is there, its body is not. */
  | { readonly read: "bodiless"; readonly hash: Uint8Array };

/** The streams of one log on one connection: what is asked of the server, and what it answers. */
export class LogStream {
  readonly connection: NatsConnection;
  readonly names: LogNames;
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;
  /** Those who wait for an answer. */
  readonly #asking = new Set<(error: NatsError) => void>();

  private constructor(connection: NatsConnection, names: LogNames, manager: JetStreamManager) {
    this.connection = connection;
    this.names = names;
    this.#client = connection.jetstream({ timeout: requestTimeoutMs });
    this.#manager = manager;
  }

  static async of(connection: NatsConnection, names: LogNames): Promise<LogStream> {
    // Without the check, which would fail where the server is down for a moment.
    const manager = await connection.jetstreamManager({ checkAPI: false, timeout: requestTimeoutMs });
    return new LogStream(connection, names, manager);
  }

  /** The connection is lost: what is asked will not be answered, and whoever waits for it is told so. */
  interrupt(): void {
    const lost = new NatsError("the connection was lost", ErrorCode.Disconnect);
    for (const reject of this.#asking) reject(lost);
    this.#asking.clear();
  }

  /** @throws NatsError where the leader does not answer */
  async end(): Promise<StreamEnd> {
    try {
      const { state, config } = await this.#answered(this.#manager.streams.info(this.names.logStream));
      const holes = state.last_seq > 0 && (state.messages !== state.last_seq || state.first_seq !== 1);
      return { stream: "present", last: state.last_seq, holes, replicas: config.num_replicas };
    } catch (error) {
      if (requestFault(error) === "no_stream") return { stream: "missing" };
      throw error;
    }
  }

  /** A revision as the leader has it. @throws NatsError where it does not answer */
  async leaderAt(revision: number): Promise<StoredAt> {
    try {
      const query = { seq: revision };
      const stored = await this.#answered(this.#manager.streams.getMessage(this.names.logStream, query));
      return await this.read(revision, stored.header, stored.data);
    } catch (error) {
      if (["no_message", "no_stream"].includes(requestFault(error))) return { read: "missing" };
      throw error;
    }
  }

  /** A revision as any server has it: one that lags answers `missing`. @throws NatsError where none answers */
  async anyAt(revision: number): Promise<StoredAt> {
    const sequence = revision;
    const stored = await this.#answered(
      directGet(this.connection, this.names.logStream, { sequence }, requestTimeoutMs),
    );
    if (stored?.sequence !== revision) return { read: "missing" };
    return this.read(revision, stored.headers, stored.data);
  }

  /** Reads a message of the stream, with the body of a large commit. */
  async read(revision: number, head: MsgHdrs | undefined, data: Uint8Array): Promise<StoredAt> {
    const message = readRecordMessage(revision, head, data);
    if (message.read !== "reference") return message;
    const commit = await this.#answered(getBlob(this.connection, this.names, message, requestTimeoutMs));
    return commit === undefined ? { read: "bodiless", hash: message.hash } : keyedCommit(commit, message.key);
  }

  /**
   * What is to be published for a commit. The body of a large one is stored first; `large` says that it was.
   *
   * @throws NatsError where the body can't be stored
   */
  async prepare({ commit }: KeyedCommit): Promise<{ readonly record: Uint8Array; readonly large: boolean }> {
    if (commit.body.length + recordOverheadBytes <= recordBytesMax(this.connection))
      return { record: encodeCommitRecord(commit), large: false };
    const chunkCount = await this.putBody({ commit });
    return { record: encodeReferenceRecord(commit.hash, commit.body.length, chunkCount), large: true };
  }

  async putBody({ commit }: Pick<KeyedCommit, "commit">): Promise<number> {
    return this.#answered(putBlob(this.connection, this.names, commit, requestTimeoutMs));
  }

  /**
   * Publishes a record as the revision of its key. The message goes out before this returns its promise, so that a
   * chain may be published without waiting. `after` is the request id of the commit before where that is not known to
   * be taken: without it another writer's commit in its place would satisfy the expected sequence.
   *
   * @throws NatsError; see `requestFault`
   */
  publish(record: Uint8Array, key: KeyedCommit["key"], after?: string): Promise<PubAck> {
    const acknowledged = this.#client.publish(this.names.logSubject, record, {
      headers: recordHeaders(key),
      expect: {
        streamName: this.names.logStream,
        lastSequence: key.revision - 1,
        ...(after === undefined ? {} : { lastMsgID: messageId(after) }),
      },
    });
    return this.#answered(acknowledged);
  }

  /** Deletes the stream with all that is in it. */
  async remove(): Promise<void> {
    try {
      await this.#manager.streams.delete(this.names.logStream);
    } catch (error) {
      if (requestFault(error) !== "no_stream") throw error;
    }
  }

  #answered<Answer>(answer: Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#asking.add(reject);
      answer.then(resolve, reject).finally(() => this.#asking.delete(reject));
    });
  }
}
