import { NatsError } from "nats";
import { type Position, type SealedCommit, sameBytes } from "../../model/commit.ts";
import { malformedAppend } from "../log/append-limits.ts";
import { type AppendKey, type AppendOutcome, LogUnavailable } from "../log/event-log.ts";
import type { KeyedCommit } from "../log/sqlite-event-log.ts";
import { purgeBlob } from "./blob-chunks.ts";
import type { LocalCopy } from "./local-copy.ts";
import type { LogStream } from "./log-stream.ts";
import { errorText, requestFault } from "./request-errors.ts";

/** Appends that are on their way at once; more wait their turn. */
const inFlightMax = 256;

/** How long a commit that the stream has taken may take to be in the copy. */
const copiedWithinMs = 4_000;

/** What the line needs of the log around it. */
export interface LineSurroundings {
  /** Why nothing can be appended now; undefined where it can. */
  unavailable(): LogUnavailable | undefined;
  /** Brings the copy up to the stream. @throws LogUnavailable where that can't be done now */
  refresh(): Promise<void>;
  /** The stream answered what it never could. */
  suspect(detail: string): void;
}

interface Waiting extends KeyedCommit {
  readonly resolve: (outcome: AppendOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Appends, in the order in which they were asked for. A commit goes out as soon as it is on the head, or on a commit
 * that is on its way: a chain does not wait for answers. Where the first of such a chain is not taken, none is:
 * each expects the sequence before it, and, as another writer's commit may stand there, the message id before it too.
 *
 * A commit is answered when the stream has taken it and the copy holds it, synced.
 */
export class AppendLine {
  readonly #stream: LogStream;
  readonly #copy: LocalCopy;
  readonly #around: LineSurroundings;
  readonly #waiting: Waiting[] = [];
  /** Settles, and never rejects, when the append under a request id is answered. */
  readonly #inFlight = new Map<string, Promise<void>>();
  /** Where the stream is going to end if all that is on its way is taken, and the request id there. */
  #tail: { readonly position: Position; readonly requestId: string } | undefined;
  #pumping: Promise<void> | undefined;

  constructor(stream: LogStream, copy: LocalCopy, around: LineSurroundings) {
    this.#stream = stream;
    this.#copy = copy;
    this.#around = around;
  }

  /** @throws LogUnavailable; RangeError as the embedded engine */
  async append(commit: SealedCommit, key: AppendKey): Promise<AppendOutcome> {
    const malformed = malformedAppend(commit, key);
    if (malformed !== undefined) throw new RangeError(malformed);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ commit, key, resolve, reject });
      this.#pumping ??= this.#pump();
    });
  }

  /** Resolves when everything that was asked for is answered. */
  async idle(): Promise<void> {
    while (this.#pumping !== undefined || this.#inFlight.size > 0) {
      await this.#pumping;
      await Promise.all(this.#inFlight.values());
    }
  }

  async #pump(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const each = next;
      try {
        await this.#send(each);
      } catch (error) {
        each.reject(asUnavailable(error));
      }
    }
    this.#pumping = undefined;
  }

  /** Answers an append, or sends it on its way. */
  async #send(append: Waiting): Promise<void> {
    const { key } = append;
    const unavailable = this.#around.unavailable();
    if (unavailable !== undefined) throw unavailable;
    while (this.#inFlight.size >= inFlightMax) await Promise.race(this.#inFlight.values());
    await this.#inFlight.get(key.requestId);
    const taken = await this.#copy.findRequest(key.requestId);
    if (taken !== undefined) return append.resolve({ outcome: "duplicate", revision: taken });
    if (!continues(this.#end(), key)) {
      await Promise.all(this.#inFlight.values());
      // A revision that is there already stays taken; for any other the stream may have moved on.
      if (key.revision > this.#copy.head.revision) await this.#around.refresh();
      const found = await this.#copy.findRequest(key.requestId);
      if (found !== undefined) return append.resolve({ outcome: "duplicate", revision: found });
      if (!continues(this.#end(), key)) return append.resolve({ outcome: "conflict", head: this.#copy.head });
    }
    const { record, large } = await this.#stream.prepare(append);
    // While a large body was on its way the head may have moved, or the log become unavailable.
    const later = this.#around.unavailable();
    if (later !== undefined) throw later;
    const after = this.#ahead()?.requestId;
    const acknowledged = this.#stream.publish(record, key, after);
    const position = { epoch: key.epoch, revision: key.revision, hash: append.commit.hash };
    const tail = { position, requestId: key.requestId };
    this.#tail = tail;
    const settled = this.#settle(append, acknowledged, large).finally(() => {
      this.#inFlight.delete(key.requestId);
      if (this.#tail === tail || this.#inFlight.size === 0) this.#tail = undefined;
    });
    this.#inFlight.set(key.requestId, settled);
  }

  /** Where the next commit goes. */
  #end(): Position {
    return this.#ahead()?.position ?? this.#copy.head;
  }

  /** The end of the chain that is on its way, where the copy does not have it yet. */
  #ahead(): { readonly position: Position; readonly requestId: string } | undefined {
    const tail = this.#tail;
    return tail !== undefined && tail.position.revision > this.#copy.head.revision ? tail : undefined;
  }

  async #settle(append: Waiting, acknowledged: ReturnType<LogStream["publish"]>, large: boolean): Promise<void> {
    try {
      append.resolve(await this.#outcome(append, acknowledged, large));
    } catch (error) {
      append.reject(asUnavailable(error));
    }
  }

  async #outcome(
    append: Waiting,
    acknowledged: ReturnType<LogStream["publish"]>,
    large: boolean,
  ): Promise<AppendOutcome> {
    const { key, commit } = append;
    try {
      const answer = await acknowledged;
      if (answer.duplicate) return await this.#duplicate(append, answer.seq);
      if (answer.seq !== key.revision) {
        this.#around.suspect(`revision ${key.revision} was stored under sequence ${answer.seq}`);
        throw new LogUnavailable(`the stream stored revision ${key.revision} under sequence ${answer.seq}`);
      }
      this.#copy.offer({ key, commit });
      return await this.#copied(append);
    } catch (error) {
      if (error instanceof LogUnavailable) throw error;
      switch (requestFault(error)) {
        case "conflict":
          return this.#conflict(append, large);
        case "unanswered":
          return this.#unanswered(append, errorText(error));
        case "no_stream":
          this.#around.suspect("the stream is missing");
          throw new LogUnavailable("the log's stream is missing", { cause: error });
        default:
          throw new LogUnavailable(`the log's server refuses a commit: ${errorText(error)}`, { cause: error });
      }
    }
  }

  /** The stream has taken it: answered once the copy holds it too. */
  async #copied({ key, commit }: Waiting): Promise<AppendOutcome> {
    if (this.#copy.head.revision < key.revision && !(await this.#copy.reaches(key.revision, 50))) {
      // Commits before it were missed.
      await this.#around.refresh();
      await this.#copy.reaches(key.revision, copiedWithinMs);
    }
    await this.#copy.synced();
    const head = { epoch: key.epoch, revision: key.revision, hash: commit.hash };
    if (this.#copy.head.revision >= key.revision && (await this.#copy.has(key.revision, commit.hash)))
      return { outcome: "appended", head };
    this.#around.suspect(`revision ${key.revision} was taken, and is not what the stream has`);
    throw new LogUnavailable(`revision ${key.revision} was taken by the stream, and is not in this replica's copy`);
  }

  async #duplicate({ key }: Waiting, sequence: number): Promise<AppendOutcome> {
    if (this.#copy.head.revision < sequence) await this.#around.refresh();
    const revision = await this.#copy.findRequest(key.requestId);
    if (revision !== undefined) return { outcome: "duplicate", revision };
    this.#around.suspect(`the stream knows the request id ${key.requestId}, and has no commit under it`);
    throw new LogUnavailable("the stream takes the request for one that it has, and does not have it");
  }

  async #conflict({ key, commit }: Waiting, large: boolean): Promise<AppendOutcome> {
    // As a rule the feed has told of the other commit before the refusal came.
    if (this.#copy.head.revision < key.revision && !(await this.#copy.reaches(key.revision, 20)))
      await this.#around.refresh();
    const revision = await this.#copy.findRequest(key.requestId);
    if (revision !== undefined) return { outcome: "duplicate", revision };
    if (large) {
      // Left over where this fails too; it is no reason to refuse the answer.
      await purgeBlob(this.#stream.connection, this.#stream.names, commit.hash).catch(() => undefined);
    }
    return { outcome: "conflict", head: this.#copy.head };
  }

  /** It may have been taken or not: the stream tells, where it can be asked. */
  async #unanswered({ key, commit }: Waiting, why: string): Promise<AppendOutcome> {
    await this.#around.refresh();
    const revision = await this.#copy.findRequest(key.requestId);
    if (revision === undefined) throw new LogUnavailable(`the log's server did not answer: ${why}`);
    await this.#copy.synced();
    if (revision === key.revision && (await this.#copy.has(revision, commit.hash)))
      return { outcome: "appended", head: { epoch: key.epoch, revision, hash: commit.hash } };
    return { outcome: "duplicate", revision };
  }
}

function continues(end: Position, key: AppendKey): boolean {
  return key.revision === end.revision + 1 && sameBytes(key.parentHash, end.hash) && key.epoch >= end.epoch;
}

function asUnavailable(error: unknown): unknown {
  if (!(error instanceof NatsError)) return error;
  return new LogUnavailable(`the log's server: ${errorText(error)}`, { cause: error });
}
