import { Events, type Msg, type NatsConnection } from "nats";
import { isNodeToken, type LearntSubjects, nodeToken } from "../../model/log-names.ts";
import { learntEntriesMax } from "../../model/learnt.ts";
import { decodeLearnt, decodeLearntQuestion, encodeLearnt, encodeLearntQuestion } from "../../model/wire/learnt.ts";
import { AnswerParts } from "../sharing/answer-parts.ts";
import type { LearntHost } from "../sharing/learnt-exchange.ts";
import type { PendingLearnt } from "../sharing/pending-learnt.ts";

/** What is published within so long goes out together. */
const gatherMs = 10;

/** Between two parts of answers: 50,000 entries a second. */
const answerGapMs = 20;

/** A question that brought nothing is asked again after so long, doubled each time, so often. */
const askAgainMs = 2000;
const asksMax = 6;

/** Nodes that are asked at a time: one may know what another missed. */
const answerersWanted = 2;

export interface LearntLinkParts {
  readonly connection: NatsConnection;
  readonly subjects: LearntSubjects;
  readonly nodeId: string;
  readonly host: LearntHost;
  readonly pending: PendingLearnt;
  readonly onLost: (why: string) => void;
}

/**
 * One connection's life, over as many losses and returns as the library heals. One batch is on its way at a time: until the
 * server has taken it, news are merged. A question reaches one node of the region's queue group, never all of them.
 */
export class LearntLink {
  readonly #parts: LearntLinkParts;
  readonly #answers: AnswerParts;
  readonly #me: string;
  #connected = true;
  #leaving = false;
  #timer: NodeJS.Timeout | undefined;
  #answerTimer: NodeJS.Timeout | undefined;
  #askTimer: NodeJS.Timeout | undefined;
  #asks = 0;
  #saidRefusal = false;
  #refused = false;

  constructor(parts: LearntLinkParts) {
    this.#parts = parts;
    this.#answers = new AnswerParts(parts.host, learntEntriesMax);
    this.#me = nodeToken(parts.nodeId);
  }

  /** Until the signal aborts, or the connection is over; `refused` where permissions are missing. Closes the connection. */
  async run(signal: AbortSignal): Promise<"over" | "refused"> {
    const { connection, subjects } = this.#parts;
    const stop = (): void => void connection.close();
    signal.addEventListener("abort", stop);
    const take = (error: Error | null, message: Msg): void => void this.#take(error, message);
    connection.subscribe(subjects.news, { callback: take });
    connection.subscribe(subjects.answers(this.#me), { callback: (...told) => this.#answered(...told) });
    const queue = subjects.questionQueue;
    connection.subscribe(subjects.question, { queue, callback: (...told) => this.#asked(...told) });
    void this.#watchConnection();
    this.ask();
    this.soon();
    try {
      if (signal.aborted) stop();
      await connection.closed();
    } finally {
      signal.removeEventListener("abort", stop);
      this.#connected = false;
      for (const timer of [this.#timer, this.#answerTimer, this.#askTimer]) clearTimeout(timer);
      await connection.close();
    }
    return this.#refused ? "refused" : "over";
  }

  /** Something is pending. */
  soon(): void {
    if (!this.#connected || this.#leaving) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#send();
    }, gatherMs);
  }

  ask(): void {
    clearTimeout(this.#askTimer);
    this.#asks = 0;
    this.#askOnce();
  }

  /** Goes on for ever: the library does not end what it tells of a connection that was closed. */
  async #watchConnection(): Promise<void> {
    const { connection, onLost } = this.#parts;
    for await (const { type, permissionContext } of connection.status()) {
      if (type === Events.Disconnect) {
        this.#connected = false;
        this.#answers.clear();
        clearTimeout(this.#askTimer);
        onLost("the connection to NATS was lost");
      } else if (type === Events.Reconnect) {
        this.#connected = true;
        this.#leaving = false;
        this.ask();
        this.soon();
      } else if (type === Events.Error && permissionContext !== undefined) {
        this.#refused = true;
        onLost(`NATS does not allow this node's ${permissionContext.operation} of ${permissionContext.subject}`);
        void connection.close();
      }
    }
  }

  #askOnce(): void {
    if (!this.#connected) return;
    const { connection, subjects } = this.#parts;
    const question = encodeLearntQuestion(this.#me);
    for (let each = 0; each < answerersWanted; each += 1) connection.publish(subjects.question, question);
    this.#asks += 1;
    if (this.#asks < asksMax) this.#askTimer = setTimeout(() => this.#askOnce(), askAgainMs * 2 ** (this.#asks - 1));
  }

  #asked(error: Error | null, { data }: Msg): void {
    const asker = error === null ? decodeLearntQuestion(data) : undefined;
    // Another token would make another subject of it.
    if (asker === undefined || asker === this.#me || !isNodeToken(asker)) return;
    this.#answers.asked(asker);
    this.#answerTimer ??= setTimeout(() => this.#answer(), answerGapMs);
  }

  #take(error: Error | null, { data }: Msg): boolean {
    if (error !== null) return false;
    const learnt = decodeLearnt(data);
    if (typeof learnt !== "string") {
      this.#parts.host.take(learnt);
      return learnt.ticketNames.length + learnt.sessionIds.length > 0;
    }
    if (!this.#saidRefusal) this.#parts.onLost(`what another node has learnt was not taken: ${learnt}`);
    this.#saidRefusal = true;
    return false;
  }

  #answered(error: Error | null, message: Msg): void {
    // An answer that is empty came from a node that is as new as this one.
    if (this.#take(error, message)) clearTimeout(this.#askTimer);
  }

  #send(): void {
    const { connection, subjects, pending } = this.#parts;
    const learnt = this.#connected ? pending.take(learntEntriesMax) : undefined;
    if (learnt === undefined) return;
    connection.publish(subjects.news, encodeLearnt(learnt));
    this.#leaving = true;
    void this.#taken().then(() => {
      this.#leaving = false;
      if (pending.size > 0) this.soon();
    });
  }

  #answer(): void {
    this.#answerTimer = undefined;
    const part = this.#connected ? this.#answers.next() : undefined;
    if (part === undefined) return;
    const { connection, subjects } = this.#parts;
    connection.publish(subjects.answers(part.to), encodeLearnt(part.learnt, part.to));
    void this.#taken().then(() => {
      if (this.#connected) this.#answerTimer ??= setTimeout(() => this.#answer(), answerGapMs);
    });
  }

  /** The server has read what was published; or the connection was lost, of which the status tells. */
  async #taken(): Promise<void> {
    try {
      await this.#parts.connection.flush();
    } catch {
      this.#answers.clear();
    }
  }
}
