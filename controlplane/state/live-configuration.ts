import { origin, type Position } from "../../model/commit.ts";
import type { Configuration } from "../../model/configuration.ts";
import { ConfigurationIndex } from "../decide/configuration-index.ts";
import type { DecisionState } from "../decide/decide.ts";
import type { EventLog } from "../log/event-log.ts";
import { configurationAt, foldUpTo } from "./log-follower.ts";
import { SerialQueue } from "./serial-queue.ts";
import { SnapshotWriter } from "./snapshot-writer.ts";

/** Digests of this many revisions are kept, to compare with what nodes report. */
const digestsKept = 10_000;

/** Calls that wait for the log to be looked at; each client call is one at most. */
const catchUpsWaitingMax = 20_000;

/** The configuration at the log's head, with what deciders look up in it. One owner: the control plane's process. */
export class LiveConfiguration implements DecisionState {
  readonly configuration: Configuration;
  readonly index: ConfigurationIndex;
  readonly #log: EventLog;
  readonly #snapshots: SnapshotWriter;
  readonly #catchingUp = new SerialQueue(catchUpsWaitingMax);
  readonly #digests = new Map<number, Uint8Array>();

  private constructor(log: EventLog, configuration: Configuration, snapshots: SnapshotWriter) {
    this.#log = log;
    this.configuration = configuration;
    this.index = ConfigurationIndex.of(configuration);
    this.#snapshots = snapshots;
    this.#remember();
  }

  /** `fault` hears of snapshots that could not be written. */
  static async open(log: EventLog, fault: (error: unknown) => void): Promise<LiveConfiguration> {
    const head = await log.head();
    const configuration = await configurationAt(log, head.revision);
    const snapshot = await log.snapshotAtOrBefore(head.revision);
    const snapshots = new SnapshotWriter(log, snapshot?.position ?? origin, fault);
    return new LiveConfiguration(log, configuration, snapshots);
  }

  get position(): Position {
    return this.configuration.position;
  }

  /** The log's digest at a recent revision. */
  digestAt(revision: number): Uint8Array | undefined {
    return this.#digests.get(revision);
  }

  /**
   * Folds in what the log has now and this has not; `known`: as far as this process knows without asking for the log's end.
   * One after another: two at once would fold a commit twice.
   */
  catchUp(to: "head" | "known" = "head"): Promise<void> {
    return this.#catchingUp.run(() => this.#catchUp(to));
  }

  async #catchUp(to: "head" | "known"): Promise<void> {
    const head = to === "head" ? await this.#log.head() : this.#log.knownHead();
    await foldUpTo(this.#log, this.configuration, head.revision, (changes) => {
      this.index.apply(changes);
      this.#remember();
    });
    this.#snapshots.consider(this.configuration);
  }

  /** Resolves when nothing is being written for this any more. */
  settled(): Promise<void> {
    return this.#snapshots.settled();
  }

  #remember(): void {
    const { revision } = this.configuration.position;
    this.#digests.set(revision, this.configuration.digest);
    this.#digests.delete(revision - digestsKept);
  }
}
