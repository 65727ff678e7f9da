import { Events, type JetStreamManager, type NatsConnection } from "nats";
import type { LogNames } from "../../model/log-names.ts";
import { durationToWire } from "../../model/wire/duration.ts";
import { Lease } from "../../proto/gen/switchyard/log/v1/log.ts";
import { requestFault } from "./request-errors.ts";
import { leaseSettings } from "./stream-settings.ts";
import { ensureStream } from "./streams.ts";

/** What the last message of the lease's stream says. */
export interface LeaseRecord {
  /** One process: none that is started later has the same. */
  readonly holder: string;
  /** Counts the times that it changed hands. */
  readonly term: number;
  readonly durationMs: number;
  readonly released: boolean;
}

/** Where the stream ends; `record` is null where there is no message, or one that nobody understands. */
export interface LeaseEnd {
  /** Of the stream: one that was deleted and made anew has another. */
  readonly stream: string;
  readonly sequence: number;
  /** When the message was stored, as the server has it: another write under the same sequence has another. */
  readonly stored: string;
  readonly record: LeaseRecord | null;
}

/** What became of a write: its sequence, or why it has none. Of one that is `unknown` the stream has to be asked. */
export type LeaseWritten = { readonly sequence: number } | "conflict" | "unknown";

/** Where the lease is written: each write says which message it follows. */
export interface LeaseStore {
  /** As its leader has it. @throws where nobody answers */
  end(): Promise<LeaseEnd>;
  /** Never rejects. */
  write(record: LeaseRecord, after: number): Promise<LeaseWritten>;
  /** Somebody has written, or the way to the store was lost and is there again. */
  onNews(callback: (news: "written" | "reconnected") => void): () => void;
}

export interface LeaseStreamOptions {
  readonly connection: NatsConnection;
  readonly names: LogNames;
  /** Servers that keep the stream where it has to be made. */
  readonly replicas: number;
  /** Of one request: less than what a lease lasts, so that there is time for another. */
  readonly timeoutMs: number;
}

/**
 * The lease's stream. Writes name the sequence of the whole stream that they follow: the expectation by subject let two writers
 * win on clusters of nats-server 2.9 (`docs/adr/0008-jetstream-log.md`).
 */
export class LeaseStream implements LeaseStore {
  readonly #options: LeaseStreamOptions;
  readonly #manager: JetStreamManager;

  private constructor(options: LeaseStreamOptions, manager: JetStreamManager) {
    this.#options = options;
    this.#manager = manager;
  }

  static async of(options: LeaseStreamOptions): Promise<LeaseStream> {
    const { connection, timeoutMs } = options;
    // Without the check, which would fail where the server is down for a moment.
    return new LeaseStream(options, await connection.jetstreamManager({ checkAPI: false, timeout: timeoutMs }));
  }

  async end(): Promise<LeaseEnd> {
    const { leaseStream } = this.#options.names;
    try {
      const { state, created: stream } = await this.#manager.streams.info(leaseStream);
      if (state.messages === 0) return { stream, sequence: state.last_seq, stored: "", record: null };
      const { seq, data, timestamp } = await this.#manager.streams.getMessage(leaseStream, { seq: state.last_seq });
      return { stream, sequence: seq, stored: timestamp, record: recordOf(data) };
    } catch (error) {
      if (requestFault(error) !== "no_stream") throw error;
      await ensureStream(this.#manager, leaseSettings(this.#options.names, this.#options));
      return this.end();
    }
  }

  async write({ holder, term, durationMs, released }: LeaseRecord, after: number): Promise<LeaseWritten> {
    const { connection, names, timeoutMs } = this.#options;
    const message = { holder, term: BigInt(term), duration: durationToWire(durationMs), released };
    const expect = { streamName: names.leaseStream, lastSequence: after };
    try {
      const client = connection.jetstream({ timeout: timeoutMs });
      const { seq } = await client.publish(names.leaseSubject, Lease.encode(message).finish(), { expect });
      return { sequence: seq };
    } catch (error) {
      return requestFault(error) === "conflict" ? "conflict" : "unknown";
    }
  }

  /** A plain subscriber hears writes that are refused too: news is a reason to look, and no more. */
  onNews(callback: (news: "written" | "reconnected") => void): () => void {
    const { connection, names } = this.#options;
    const subscription = connection.subscribe(names.leaseSubject, { callback: () => callback("written") });
    const status = connection.status();
    void (async () => {
      for await (const { type } of status) if (type === Events.Reconnect) callback("reconnected");
    })();
    return () => {
      if (!connection.isClosed()) subscription.unsubscribe();
      (status as { stop?: () => void }).stop?.();
    };
  }
}

function recordOf(data: Uint8Array): LeaseRecord | null {
  try {
    const { holder, term, duration, released } = Lease.decode(data);
    const durationMs = Number(duration?.seconds ?? 0n) * 1000 + (duration?.nanos ?? 0) / 1_000_000;
    return { holder, term: Number(term), durationMs, released };
  } catch {
    return null;
  }
}
