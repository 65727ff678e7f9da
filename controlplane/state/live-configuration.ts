import { origin, type Position } from "../../model/commit.ts";
import type { Configuration } from "../../model/configuration.ts";
import { oldestInUse } from "../../model/releases.ts";
import { ConfigurationIndex } from "../decide/configuration-index.ts";
import type { DecisionState } from "../decide/decide.ts";
import type { EventLog } from "../log/event-log.ts";
import { configurationAt, foldUpTo, restoredAtOrBefore } from "./log-follower.ts";
import { RevisionDigests } from "./revision-digests.ts";
import { SerialQueue } from "./serial-queue.ts";
import { SharedConfiguration } from "./shared-configuration.ts";
import { SnapshotWriter } from "./snapshot-writer.ts";

/** Calls that wait for the log to be looked at; each client call is one at most. */
const catchUpsWaitingMax = 20_000;

/** The configuration at the log's head, with what deciders look up in it. One owner: the control plane's process. */
export class LiveConfiguration implements DecisionState {
  readonly configuration: Configuration;
  readonly index: ConfigurationIndex;
  readonly #log: EventLog;
  readonly #snapshots: SnapshotWriter;
  readonly #catchingUp = new SerialQueue(catchUpsWaitingMax);
  readonly #digests: RevisionDigests;
  readonly #inUse: SharedConfiguration;

  private constructor(
    log: EventLog,
    configuration: Configuration,
    parts: { readonly digests: RevisionDigests; readonly snapshots: SnapshotWriter },
  ) {
    this.#log = log;
    this.configuration = configuration;
    this.index = ConfigurationIndex.of(configuration);
    this.#digests = parts.digests;
    this.#snapshots = parts.snapshots;
    this.#inUse = new SharedConfiguration(log);
  }

  /** `fault` hears of snapshots that could not be written. */
  static async open(log: EventLog, fault: (error: unknown) => void): Promise<LiveConfiguration> {
    const head = await log.head();
    const configuration = await restoredAtOrBefore(log, head.revision);
    const digests = new RevisionDigests();
    digests.remember(configuration);
    await foldUpTo(log, configuration, head.revision, () => digests.remember(configuration));
    // Those from before the snapshot; it lies at the oldest revision that is in use, or before, or there are very few.
    for (const revision of digests.missing()) digests.add(revision, (await configurationAt(log, revision)).digest);
    const snapshot = await log.snapshotAtOrBefore(head.revision);
    const snapshots = new SnapshotWriter(log, snapshot?.position ?? origin, fault);
    return new LiveConfiguration(log, configuration, { digests, snapshots });
  }

  get position(): Position {
    return this.configuration.position;
  }

  /** The log's digest at a recent revision, and at those that nodes run. */
  digestAt(revision: number): Uint8Array | undefined {
    return this.#digests.at(revision);
  }

  /** The same at any revision up to the position; of an old one the log is folded anew. */
  async digestOf(revision: number): Promise<Uint8Array> {
    return this.digestAt(revision) ?? (await configurationAt(this.#log, revision)).digest;
  }

  /** The oldest revision that some node runs, or may be taken to or back to at once. */
  get oldestInUse(): number {
    return Math.min(this.position.revision, oldestInUse(this.configuration.releases));
  }

  /**
   * The configuration at {@link oldestInUse}, from where a node gets to what it serves by going forward. Others may be given the
   * same one, or the live one: it is only read, and in one turn.
   */
  async configurationInUse(): Promise<Configuration> {
    const { oldestInUse: revision } = this;
    return revision === this.position.revision ? this.configuration : this.#inUse.at(revision);
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
      this.#digests.remember(this.configuration);
    });
    this.#snapshots.consider(this.configuration);
  }

  /** Resolves when nothing is being written for this any more. */
  settled(): Promise<void> {
    return this.#snapshots.settled();
  }
}
