import { setTimeout as pause } from "node:timers/promises";
import { Events, type NatsConnection, NatsError } from "nats";
import { LogUnavailable } from "../log/event-log.ts";
import type { LineSurroundings } from "./append-line.ts";
import type { LogRepair } from "./log-repair.ts";
import { errorText } from "./request-errors.ts";
import type { Finding, StreamFollower } from "./stream-follower.ts";

/** How soon it is looked again while the stream is not right, and while the server can't be reached. */
const repairEveryMs = 200;
const unreachableEveryMs = 500;

/** The same while the stream is compared with the copy as a whole, after the server was away. */
const scrubEveryMs = 50;

/** How long a log that is being made or rebuilt is waited for at the start, and how often it is looked at. */
const startedWithinMs = 5_000;
const startingEveryMs = 50;

/** How soon a gap in the feed is filled. */
const gapMs = 20;

export type WatchState =
  /** The copy is what the stream is, as of the last look. */
  | "following"
  /** The server does not answer. Reads go on. */
  | "disconnected"
  /** The stream and the copies differ; nothing is appended until they do not. */
  | "repairing";

export interface WatchParts {
  readonly connection: NatsConnection;
  readonly follower: StreamFollower;
  readonly repair: LogRepair;
  readonly changed: () => void;
  readonly lookEveryMs: number;
}

/**
 * Looks at the stream every second, at each reconnect, and when somebody suspects something; sees to it that what is
 * wrong is repaired; knows whether the log can be written.
 */
export class LogWatch implements LineSurroundings {
  readonly #parts: WatchParts;
  #state: WatchState = "disconnected";
  #detail: string | undefined = "starting";
  #connected = true;
  #suspectedSince: number | undefined;
  #stopped = false;
  #wake: () => void = () => undefined;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #disconnected: () => void = () => undefined;
  #endStatus: (() => void) | undefined;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  get state(): WatchState {
    return this.#state;
  }

  get detail(): string | undefined {
    return this.#detail;
  }

  onDisconnect(callback: () => void): void {
    this.#disconnected = callback;
  }

  /** Resolves when the copy follows the stream, when the server can't be reached, or after a time. */
  async start(): Promise<void> {
    this.#hearStatus();
    const endMs = performance.now() + startedWithinMs;
    await this.#look();
    while (this.state === "repairing" && performance.now() < endMs) {
      await pause(startingEveryMs);
      await this.#look();
    }
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#endStatus?.();
    this.#wake();
    await this.#running;
  }

  unavailable(): LogUnavailable | undefined {
    if (this.#state === "following") return undefined;
    const what = this.#state === "repairing" ? "the log is being rebuilt" : "the log's server can't be reached";
    return new LogUnavailable(this.#detail === undefined ? what : `${what}: ${this.#detail}`);
  }

  async refresh(): Promise<void> {
    const before = this.unavailable();
    if (before !== undefined) throw before;
    let finding: Finding;
    try {
      finding = await this.#parts.follower.refresh();
    } catch (error) {
      if (!(error instanceof NatsError)) throw error;
      this.lookSoon();
      throw new LogUnavailable(`the log's server can't be reached: ${errorText(error)}`, { cause: error });
    }
    if (finding.finding === "current") return;
    this.suspect(describe(finding));
    throw this.unavailable() ?? new LogUnavailable(describe(finding));
  }

  suspect(detail: string): void {
    this.#suspectedSince ??= performance.now();
    this.#become("repairing", detail);
    this.#wake();
  }

  /** Something may have been missed. */
  lookSoon(): void {
    this.#wakeWithin(gapMs);
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#wakeAtMs = Number.POSITIVE_INFINITY;
        this.#wakeWithin(this.#pauseMs());
      });
      clearTimeout(this.#timer);
      if (!this.#stopped && !this.#parts.connection.isClosed()) await this.#look();
    }
  }

  #pauseMs(): number {
    if (this.#state === "repairing") return repairEveryMs;
    if (this.#state === "disconnected") return unreachableEveryMs;
    return this.#parts.follower.scrubUrgent ? scrubEveryMs : this.#parts.lookEveryMs;
  }

  #wakeWithin(ms: number): void {
    const atMs = performance.now() + ms;
    if (atMs >= this.#wakeAtMs) return;
    this.#wakeAtMs = atMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#wake(), ms);
  }

  async #look(): Promise<void> {
    if (!this.#connected) return this.#become("disconnected", "the connection is lost");
    const { follower, repair } = this.#parts;
    try {
      let finding = await follower.inspect();
      if (finding.finding === "current" && this.#state === "following")
        finding = await follower.alone(() => follower.scrub());
      if (finding.finding === "current" && this.#state === "following" && this.#suspectedSince === undefined) return;
      if (finding.finding !== "current") this.#suspectedSince ??= performance.now();
      if (finding.finding !== "current") this.#become("repairing", describe(finding));
      const step = await repair.step(performance.now() - (this.#suspectedSince ?? performance.now()));
      if (!step.mended) return this.#become("repairing", step.detail);
      this.#suspectedSince = undefined;
      if (this.#connected) this.#become("following", undefined);
    } catch (error) {
      if (error instanceof NatsError || error instanceof LogUnavailable)
        return this.#become("disconnected", errorText(error));
      this.#become("repairing", errorText(error));
    }
  }

  #become(state: WatchState, detail: string | undefined): void {
    if (this.#state === state && this.#detail === detail) return;
    this.#state = state;
    this.#detail = detail;
    this.#parts.changed();
  }

  #hearStatus(): void {
    const statuses = this.#parts.connection.status();
    // The iterator can be stopped, which its type does not say; without it the loop below would outlive the log.
    const stop = Reflect.get(statuses, "stop") as (() => void) | undefined;
    this.#endStatus = () => stop?.call(statuses);
    void (async () => {
      for await (const { type } of statuses) {
        if (this.#stopped) return;
        if (type === Events.Disconnect) {
          this.#connected = false;
          this.#become("disconnected", "the connection is lost");
          this.#disconnected();
        }
        if (type === Events.Reconnect) {
          this.#connected = true;
          this.#parts.follower.scrubAgain();
          this.#wake();
        }
      }
    })();
  }
}

function describe(finding: Finding): string {
  switch (finding.finding) {
    case "current":
      return "nothing is wrong";
    case "missing":
      return "the stream is missing";
    case "shorter":
      return `the stream ends at revision ${finding.last}, before this replica's copy`;
    case "holes":
    case "forked":
      return finding.detail;
  }
}
