import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { credentials } from "@grpc/grpc-js";
import { descriptorsFile } from "../../cli/descriptors.ts";
import { ControlPlane } from "../../controlplane/control-plane.ts";
import { SqliteEventLog } from "../../controlplane/log/sqlite-event-log.ts";
import { ConfigServiceClient } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import { Resource } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { RolloutServiceClient } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import { FleetServiceClient, type Node } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";

/** Connections of its own: those that nodes share would still be in the back-off that a kill put them into. */
const ownChannel = { "grpc.use_local_subchannel_pool": 1 };

/** A real control plane on a log of its own, which can be killed, started again on its port, and given another log. */
export class TestControlPlane {
  /** `127.0.0.1:port`, the same for all of its lives. */
  readonly address: string;
  readonly faults: unknown[] = [];
  readonly #folder: string;
  #logCount = 1;
  #running: ControlPlane | undefined;
  #config: ConfigServiceClient | undefined;
  #fleet: FleetServiceClient | undefined;
  #rollouts: RolloutServiceClient | undefined;

  private constructor(folder: string, running: ControlPlane) {
    this.#folder = folder;
    this.#running = running;
    this.address = `127.0.0.1:${running.port}`;
  }

  static async start(): Promise<TestControlPlane> {
    const folder = mkdtempSync(join(tmpdir(), "switchyard-dataplane-"));
    return new TestControlPlane(folder, await startOn(folder, 1, "127.0.0.1:0", () => undefined));
  }

  /** Ends all streams at once, without a word. */
  async kill(): Promise<void> {
    this.#config?.close();
    this.#fleet?.close();
    this.#rollouts?.close();
    this.#config = undefined;
    this.#fleet = undefined;
    this.#rollouts = undefined;
    await this.#running?.close(0);
    this.#running = undefined;
  }

  /** On the same port; with the log that it had, or an empty one in its place. */
  async restart(log: "same log" | "another log" = "same log"): Promise<void> {
    if (log === "another log") this.#logCount += 1;
    this.#running = await startOn(this.#folder, this.#logCount, this.address, (error) => this.faults.push(error));
  }

  /** Commits resources in the API's JSON form; answers the revision. */
  async apply(resources: readonly object[], prune = false): Promise<number> {
    this.#config ??= new ConfigServiceClient(this.address, credentials.createInsecure(), ownChannel);
    const client = this.#config;
    const request = { resources: resources.map((each) => Resource.fromJSON(each)), prune, write: undefined };
    return new Promise((resolve, reject) => {
      client.apply(request, (error, answer) => {
        if (error === null) resolve(Number(answer.revision));
        else reject(error);
      });
    });
  }

  /** Releases the first wave of the newest revision; answers the revision of the commit that says so. */
  async startRollout(): Promise<number> {
    const client = this.#rolloutService();
    const request = { targetRevision: 0n, policy: "", write: undefined };
    return new Promise((resolve, reject) => {
      client.startRollout(request, (error, answer) =>
        error === null ? resolve(Number(answer.revision)) : reject(error),
      );
    });
  }

  /** Takes the newest rollout back. */
  async rollBack(): Promise<number> {
    const client = this.#rolloutService();
    return new Promise((resolve, reject) => {
      client.rollBackRollout({ name: "", write: undefined }, (error, answer) =>
        error === null ? resolve(Number(answer.revision)) : reject(error),
      );
    });
  }

  #rolloutService(): RolloutServiceClient {
    this.#rollouts ??= new RolloutServiceClient(this.address, credentials.createInsecure(), ownChannel);
    return this.#rollouts;
  }

  /** The node as the fleet view has it; undefined where it is not known. */
  async node(id: string): Promise<Node | undefined> {
    this.#fleet ??= new FleetServiceClient(this.address, credentials.createInsecure(), ownChannel);
    const client = this.#fleet;
    return new Promise((resolve) => {
      client.getNode({ name: `nodes/${id}` }, (error, answer) => resolve(error === null ? answer.node : undefined));
    });
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true });
    if (this.faults.length > 0) throw new AggregateError(this.faults, "the control plane met faults of its own");
  }
}

async function startOn(
  folder: string,
  logCount: number,
  adminAddress: string,
  onFault: (error: unknown) => void,
): Promise<ControlPlane> {
  return ControlPlane.start({
    log: await SqliteEventLog.open({ path: join(folder, `log-${logCount}.sqlite`) }),
    adminAddress,
    descriptors: readFileSync(descriptorsFile),
    softwareVersion: "test",
    now: Date.now,
    onFault,
  });
}
