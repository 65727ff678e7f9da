import { Events, type Msg, type NatsConnection } from "nats";
import { origin, type Position, sameBytes } from "../../model/commit.ts";
import { decodeBeacon } from "../../model/wire/log-record.ts";
import { decodeSnapshot } from "../../model/wire/snapshot.ts";
import type { CommitSink, FeedState } from "../feed/commit-feed.ts";
import { Beacons } from "./beacons.ts";
import { EarlyEnd } from "./early-end.ts";
import { FeedWindow } from "./feed-window.ts";
import type { FeedSetting } from "./feed-setting.ts";
import { hashOf, LogReader, type PlacedRecord } from "./log-reader.ts";
import { readAhead } from "./read-ahead.ts";
import type { ServedHistory } from "./served-history.ts";
import { Wake } from "./wake.ts";

/** Fewer commits than this are read faster than a snapshot. */
const snapshotAheadMin = 500;

/** Records that are read before the end of the log is asked for again. */
const recordsPerTurnMax = 4096;

/** A hint that there is more asks for the end of the log at most this often. */
const hintedPollMs = 50;

/** A first answer is waited for so long, and twice as long after each that did not come. */
const firstAnswerMs = 250;

/**
 * One connection's life, over as many losses and returns as the library heals. All that is told to the sink is told by
 * one loop, a turn at a time; callbacks only note what they heard, and wake it.
 *
 *     wake -> (end of the log, where due) -> what was heard -> what is missing, read -> vouch -> wait
 */
export class FeedSession {
  readonly #connection: NatsConnection;
  readonly #setting: FeedSetting;
  readonly #history: ServedHistory;
  readonly #sink: CommitSink;
  readonly #reader: LogReader;
  readonly #window = new FeedWindow();
  readonly #wake = new Wake();

  readonly #beacons: Beacons;
  readonly #earlyEnd: EarlyEnd;

  /** Undefined while the connection is lost. */
  #connectedAtMs: number | undefined = performance.now();
  #state: FeedState | undefined;
  #nextPollMs = 0;
  #polledAtMs = 0;
  /** When the stream last answered on this connection. */
  #answeredAtMs: number | undefined;
  /** Turns in a row that failed, until the end of the log is reached. */
  #failures = 0;
  #lastHeard = 0;

  constructor(connection: NatsConnection, setting: FeedSetting, history: ServedHistory, sink: CommitSink) {
    this.#connection = connection;
    this.#setting = setting;
    this.#history = history;
    this.#sink = sink;
    const { requestTimeoutMs, silentAfterMs, behindAfterMs } = setting.times;
    this.#reader = new LogReader(connection, setting.names, requestTimeoutMs);
    this.#beacons = new Beacons(silentAfterMs);
    this.#earlyEnd = new EarlyEnd(behindAfterMs);
  }

  /** Until the signal aborts, or the connection is closed for good. The connection is closed then. */
  async run(signal: AbortSignal): Promise<void> {
    const { names } = this.#setting;
    const stop = (): void => {
      this.#wake.now();
      // What is under way fails at once.
      void this.#connection.close();
    };
    signal.addEventListener("abort", stop);
    this.#connection.subscribe(names.feedSubject, { callback: (error, message) => this.#heard(error, message) });
    this.#connection.subscribe(names.beaconSubject, { callback: (error, message) => this.#beacon(error, message) });
    void this.#watchConnection();
    try {
      while (!signal.aborted && !this.#connection.isClosed()) {
        if (this.#connectedAtMs !== undefined) await this.#guardedTurn(signal);
        this.#tellState();
        await this.#wake.wait(this.#waitMs());
      }
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  #heard(error: Error | null, message: Msg): void {
    const revision = Number(message.headers?.get("Nats-Sequence"));
    if (error !== null || !Number.isSafeInteger(revision)) return;
    const position = this.#sink.position();
    const kept = this.#window.add(revision, message.data, position);
    // Any other is a hint that something was missed, or that the log is another one.
    const inOrder = revision === this.#lastHeard + 1 || revision === position.revision + 1;
    this.#lastHeard = revision;
    if (!kept || !inOrder) this.#pollSoon();
    this.#wake.now();
  }

  #beacon(error: Error | null, message: Msg): void {
    const beacon = error === null ? decodeBeacon(message.data) : undefined;
    if (beacon === undefined) return;
    this.#beacons.heard(beacon.head.revision, performance.now());
    if (beacon.head.revision > this.#sink.position().revision) this.#pollSoon();
    this.#tellState();
  }

  async #watchConnection(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (type === Events.Disconnect) {
        this.#connectedAtMs = undefined;
        this.#answeredAtMs = undefined;
        this.#setting.onLost("the connection to NATS was lost");
        this.#tellState();
      } else if (type === Events.Reconnect) {
        this.#connectedAtMs = performance.now();
        this.#nextPollMs = 0;
        this.#wake.now();
      }
    }
    this.#wake.now();
  }

  #waitMs(): number {
    if (this.#connectedAtMs === undefined) return this.#setting.times.silentAfterMs;
    return Math.max(0, this.#nextPollMs - performance.now());
  }

  /** While something fails, only the clock has it tried again, not each message that is heard meanwhile. */
  #pollSoon(): void {
    if (this.#failures > 0) return;
    this.#nextPollMs = Math.min(this.#nextPollMs, Math.max(performance.now(), this.#polledAtMs + hintedPollMs));
    this.#wake.now();
  }

  async #guardedTurn(signal: AbortSignal): Promise<void> {
    if (this.#failures > 0 && performance.now() < this.#nextPollMs) return;
    try {
      await this.#turn(signal);
    } catch (error) {
      this.#window.clear();
      this.#history.at(this.#sink.position());
      this.#tryLater();
      // A connection that breaks fails what is under way: that it broke is said once.
      const told = signal.aborted || this.#connectedAtMs === undefined;
      if (!told) this.#setting.onLost(error instanceof Error ? error.message : String(error));
    }
  }

  #tryLater(): void {
    this.#nextPollMs = performance.now() + this.#setting.backoff.delayMs(this.#failures);
    this.#failures += 1;
  }

  async #turn(signal: AbortSignal): Promise<void> {
    await this.#deliverHeard();
    if (performance.now() < this.#nextPollMs) return;
    const end = await this.#poll();
    const position = this.#sink.position();
    if (end === undefined || end.revision < position.revision) return this.#endedEarly(end, position);
    this.#earlyEnd.over();
    if (end.revision === position.revision) return this.#meet(position, end);
    if (!(await this.#isOurHistory(position))) return this.#forked(position);
    await this.#startFromSnapshot(end.revision);
    await this.#fill(end.revision, signal);
    // There may be more by now.
    this.#nextPollMs = 0;
  }

  /** Asks where the log ends. */
  async #poll(): Promise<PlacedRecord | undefined> {
    this.#polledAtMs = performance.now();
    this.#nextPollMs = this.#polledAtMs + this.#setting.times.pollMs * (0.75 + Math.random() / 2);
    // A server that has just come up takes requests before its streams answer them, and those are lost.
    const end = await this.#reader.last(
      this.#answeredAtMs === undefined ? firstAnswerMs * 2 ** this.#failures : undefined,
    );
    this.#answeredAtMs = performance.now();
    return end;
  }

  async #endedEarly(end: PlacedRecord | undefined, position: Position): Promise<void> {
    const now = performance.now();
    this.#failures = 0;
    if (position.revision > 0) {
      if (this.#earlyEnd.seen(now))
        this.#sink.behind(end === undefined ? origin : await this.#reader.positionOf(end, position.epoch));
      return;
    }
    // A stream without a record is an empty log only where a replica says so: it may have been lost.
    if (this.#beacons.furthest(now) === 0) await this.#sink.beacon(origin);
  }

  /** Delivers what was heard and continues the chain. */
  async #deliverHeard(): Promise<void> {
    for (;;) {
      const next = this.#window.takeNext(this.#sink.position());
      if (next === "unusable") this.#pollSoon();
      if (next === "unusable" || next === undefined) return;
      await this.#sink.commit(next);
      this.#history.at(this.#sink.position());
    }
  }

  /** Reads what is missing, up to a revision or a turn's measure. */
  async #fill(to: number, signal: AbortSignal): Promise<void> {
    const from = this.#sink.position().revision + 1;
    for await (const placed of readAhead(this.#reader, from, Math.min(to, from + recordsPerTurnMax - 1))) {
      if (signal.aborted) return;
      await this.#sink.commit(await this.#reader.commitOf(placed), true);
      this.#answeredAtMs = performance.now();
      this.#history.at(this.#sink.position());
    }
  }

  /** Where that saves much, and takes nothing from what the node serves. */
  async #startFromSnapshot(end: number): Promise<void> {
    const { revision } = this.#sink.position();
    if (end - revision < snapshotAheadMin) return;
    const pointer = await this.#reader.snapshotPointer();
    if (pointer === undefined || pointer.position.revision - revision < snapshotAheadMin) return;
    if (pointer.position.revision > Math.min(end, this.#sink.snapshotRevisionMax ?? end)) return;
    const mayReplace = this.#history.mayReplace(pointer.position);
    if (!mayReplace && !(await this.#goesBack(end))) return;
    // A snapshot of a history that was given up may still be there.
    if (!(await this.#isOurHistory(pointer.position))) return;
    const body = await this.#reader.snapshot(pointer);
    if (body === undefined) return;
    const configuration = decodeSnapshot(body);
    if (!samePlace(configuration.position, pointer.position)) return;
    await this.#sink.snapshot(configuration);
    this.#answeredAtMs = performance.now();
    if (mayReplace) this.#history.serves(configuration.position);
    else this.#history.goesBackTo(configuration.position);
  }

  /** Whether the node folds anew only to go back, along a log that has what it knew. */
  async #goesBack(end: number): Promise<boolean> {
    const known = this.#history.mustHave;
    if (this.#sink.snapshotRevisionMax === undefined || known === undefined || known.revision > end) return false;
    return this.#isOurHistory(known);
  }

  /** The node is where the log ends, by number. */
  async #meet(position: Position, end: PlacedRecord): Promise<void> {
    const hash = hashOf(end);
    if (hash === undefined) throw new Error(`the record of revision ${end.revision} can't be read`);
    if (!sameBytes(hash, position.hash)) return this.#forked(position);
    this.#failures = 0;
    // Where a replica knows of more, this is not the end: the stream is being rebuilt, or a mirror lags.
    if ((this.#beacons.furthest(performance.now()) ?? 0) > position.revision) return;
    if (!this.#history.mayServe(position)) return;
    this.#history.serves(position);
    await this.#sink.beacon(position);
  }

  /** Whether the stream has, at that revision, the commit of that position. Rejects where it can't be told. */
  async #isOurHistory({ revision, hash }: Position): Promise<boolean> {
    if (revision === 0) return true;
    const placed = await this.#reader.record(revision);
    const found = placed === undefined ? undefined : hashOf(placed);
    if (found === undefined) throw new Error(`revision ${revision} is not in the stream, or can't be read`);
    return sameBytes(found, hash);
  }

  #forked(position: Position): void {
    this.#window.clear();
    this.#sink.forked(`the log has another commit at revision ${position.revision} than the node`);
    this.#history.at(this.#sink.position());
    this.#tryLater();
  }

  #tellState(): void {
    const state = this.#stateNow();
    if (state === undefined || state === this.#state) return;
    this.#state = state;
    this.#sink.state(state);
  }

  /** Undefined while it can't be told yet: a connection that was just made has as long to be heard of as any. */
  #stateNow(): FeedState | undefined {
    const now = performance.now();
    const { silentAfterMs } = this.#setting.times;
    if (this.#connectedAtMs === undefined) return "disconnected";
    const isNew = now - this.#connectedAtMs < silentAfterMs;
    if (this.#answeredAtMs === undefined) return isNew ? undefined : "silent";
    const answers = now - this.#answeredAtMs < silentAfterMs;
    return answers && (isNew || this.#beacons.isFresh(now)) ? "following" : "silent";
  }
}

function samePlace(left: Position, right: Position): boolean {
  return left.epoch === right.epoch && left.revision === right.revision && sameBytes(left.hash, right.hash);
}
