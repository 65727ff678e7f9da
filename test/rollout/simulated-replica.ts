import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NatsConnection } from "nats";
import type { Command, RolloutStepWish } from "../../controlplane/decide/command.ts";
import type { FleetView } from "../../controlplane/fleet/fleet-view.ts";
import { connectNats } from "../../controlplane/nats/connect.ts";
import { JetStreamEventLog } from "../../controlplane/nats/jetstream-event-log.ts";
import type { CommitAnswer } from "../../controlplane/state/committer.ts";
import { testLimits } from "../nats/fleet-log.ts";
import { written } from "../support/arbitrary-resource.ts";
import { CrashingLog } from "./crashing-log.ts";
import { ReplicaProcess } from "./replica-process.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** A control-plane replica: its copy of the log, which is in the test's NATS server, and the process that works on it. */
export class SimulatedReplica {
  readonly id: string;
  readonly #log: JetStreamEventLog;
  readonly #connection: NatsConnection;
  readonly #folder: string;
  readonly #clock: VirtualClock;
  readonly #seesAs: () => FleetView | undefined;
  #process: ReplicaProcess;
  #requests = 0;

  private constructor(
    id: string,
    parts: {
      readonly log: JetStreamEventLog;
      readonly connection: NatsConnection;
      readonly folder: string;
      readonly clock: VirtualClock;
      readonly seesAs: () => FleetView | undefined;
    },
    process: ReplicaProcess,
  ) {
    this.id = id;
    this.#log = parts.log;
    this.#connection = parts.connection;
    this.#folder = parts.folder;
    this.#clock = parts.clock;
    this.#seesAs = parts.seesAs;
    this.#process = process;
  }

  /** `seesAs` gives the view of the replica that holds the sessions, for one that holds none. */
  static async start(
    id: string,
    natsUrl: string,
    clock: VirtualClock,
    seesAs: () => FleetView | undefined,
  ): Promise<SimulatedReplica> {
    const folder = mkdtempSync(join(tmpdir(), "switchyard-rollout-"));
    const connection = await connectNats({ servers: natsUrl, name: id });
    const localPath = join(folder, "log.sqlite");
    // Nobody else has a copy of this log, whom to wait for.
    const waits = { headsGatherMs: 50, othersBackMs: 0 };
    const log = await JetStreamEventLog.open({ connection, replicaId: id, localPath, limits: testLimits, ...waits });
    const process = await ReplicaProcess.start(id, new CrashingLog(log), clock, seesAs());
    return new SimulatedReplica(id, { log, connection, folder, clock, seesAs }, process);
  }

  get process(): ReplicaProcess {
    return this.#process;
  }

  /** kill -9, and a new process on the same copy of the log. */
  async restart(): Promise<void> {
    await this.#process.kill();
    this.#process = await ReplicaProcess.start(this.id, new CrashingLog(this.#log), this.#clock, this.#seesAs());
  }

  /** Carries out a command as an operator would ask it; gives the revision. */
  async command(command: Command, reason = "a test"): Promise<number> {
    const answer = await this.answer(command, reason);
    if ("refused" in answer) throw new Error(JSON.stringify(answer));
    return answer.revision;
  }

  /** The same, with whatever comes back; `requestId` is that of a request that is made again. */
  answer(command: Command, reason = "a test", requestId = this.#nextRequestId()): Promise<CommitAnswer> {
    const by = { requestId, requestBytes: new Uint8Array(0), author: "test", reason, validateOnly: false };
    return this.#process.committer.commit(() => command, by);
  }

  /** Applies resources in the API's JSON form; gives the revision. */
  apply(resources: readonly object[], reason?: string): Promise<number> {
    const wishes = resources.map((json, index) => {
      return { resource: written(withDurations(json)), path: `resources[${index}]`, etag: "" };
    });
    return this.command({ type: "apply", wishes, prune: false }, reason);
  }

  /** A step of a rollout; gives the revision. */
  rollout(step: RolloutStepWish, reason?: string): Promise<number> {
    return this.command({ type: "rollout", step }, reason);
  }

  #nextRequestId(): string {
    this.#requests += 1;
    return `${this.id}-${this.#requests}`;
  }

  async close(): Promise<void> {
    await this.#process.close();
    await this.#log.close();
    await this.#connection.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Durations as the generated code reads them: `120s` in protobuf's own JSON form, which the command line reads. */
function withDurations(json: object): object {
  const revived = (_key: string, value: unknown): unknown =>
    typeof value === "string" && /^\d+s$/.test(value) ? { seconds: Number.parseInt(value, 10), nanos: 0 } : value;
  return JSON.parse(JSON.stringify(json), revived) as object;
}
