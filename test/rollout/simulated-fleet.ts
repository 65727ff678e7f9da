import type { FleetView } from "../../controlplane/fleet/fleet-view.ts";
import type { SessionParts } from "../../controlplane/fleet/session.ts";
import type { LiveConfiguration } from "../../controlplane/state/live-configuration.ts";
import { sameBytes } from "../../model/commit.ts";
import { effectiveRevision } from "../../model/releases.ts";
import type { RolloutRecord } from "../../model/rollout-record.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { runSeed, seededRandom } from "../support/seeded-random.ts";
import { waitFor } from "../support/wait-for.ts";
import type { ConnectionTally, SimulatedNode } from "./simulated-node.ts";
import { SimulatedRegion } from "./simulated-region.ts";
import { SimulatedReplica } from "./simulated-replica.ts";
import { addresses, appResources } from "./simulated-world.ts";
import { VirtualClock } from "./virtual-clock.ts";

export const regionNames = ["eu", "us", "ap"] as const;

const clientsPerStepDefault = 40;

/** What one step of the simulation takes of virtual time. */
export const stepMs = 30_000;

/** Steps after which a rollout is not going to end any more: an hour. */
const stepsMax = 120;

export interface SimulatedFleetOptions {
  /** In all three regions together. */
  readonly nodes: number;
  /** Default 1. The first has the nodes' sessions. */
  readonly replicas?: number;
  /** Clients that come to each node in a step. Default 40. */
  readonly clientsPerStep?: number;
}

/** Nodes in three regions, control-plane replicas, and a nats-server between them. Only their clock is virtual. */
export class SimulatedFleet {
  readonly nats: NatsServer;
  readonly clock: VirtualClock;
  readonly replicas: readonly SimulatedReplica[];
  readonly regions: readonly SimulatedRegion[];
  /** How often the first replica's process died. */
  restarts = 0;
  readonly #clientsPerStep: number;

  private constructor(parts: {
    nats: NatsServer;
    clock: VirtualClock;
    replicas: readonly SimulatedReplica[];
    regions: readonly SimulatedRegion[];
    clientsPerStep: number;
  }) {
    this.nats = parts.nats;
    this.clock = parts.clock;
    this.replicas = parts.replicas;
    this.regions = parts.regions;
    this.#clientsPerStep = parts.clientsPerStep;
  }

  /** All nodes serve one good configuration, and report it. */
  static async start({
    nodes,
    replicas: replicaCount = 1,
    clientsPerStep = clientsPerStepDefault,
  }: SimulatedFleetOptions): Promise<SimulatedFleet> {
    const nats = await startNatsServer();
    const clock = new VirtualClock();
    const replicas: SimulatedReplica[] = [];
    for (let index = 1; index <= replicaCount; index += 1) {
      const seesAs = (): FleetView | undefined => (index === 1 ? undefined : replicas[0]?.process.view);
      replicas.push(await SimulatedReplica.start(`cp${index}`, nats.url, clock, seesAs));
    }
    const random = seededRandom(runSeed());
    const inRegion = (index: number): number => Math.floor((nodes + index) / regionNames.length);
    const sessions = (): SessionParts | undefined => replicas[0]?.process.sessions;
    const regions = await Promise.all(
      regionNames.map((name, index) =>
        SimulatedRegion.start({ name, natsPort: nats.port, nodes: inRegion(index), sessions, random }),
      ),
    );
    const fleet = new SimulatedFleet({ nats, clock, replicas, regions, clientsPerStep });
    try {
      await fleet.replica.apply(appResources(addresses.good));
      for (const node of fleet.nodes) node.start();
      await fleet.settled();
    } catch (error) {
      await fleet.close();
      throw error;
    }
    return fleet;
  }

  get nodes(): readonly SimulatedNode[] {
    return this.regions.flatMap((region) => region.nodes);
  }

  get replica(): SimulatedReplica {
    return this.replicas[0] as SimulatedReplica;
  }

  region(name: (typeof regionNames)[number]): SimulatedRegion {
    return this.regions.find((region) => region.name === name) as SimulatedRegion;
  }

  /** The log, folded, as the first replica has it. */
  get live(): LiveConfiguration {
    return this.replica.process.live;
  }

  get newest(): RolloutRecord {
    const newest = this.live.configuration.releases.rollouts.at(-1);
    if (newest === undefined) throw new Error("no rollout was started");
    return newest;
  }

  /** Of all nodes, by what they served. */
  get tally(): ReadonlyMap<number, ConnectionTally> {
    const sums = new Map<number, ConnectionTally>();
    for (const node of this.nodes)
      for (const [revision, { connections, failed }] of node.tally) {
        const sum = sums.get(revision) ?? { connections: 0, failed: 0 };
        sums.set(revision, { connections: sum.connections + connections, failed: sum.failed + failed });
      }
    return sums;
  }

  /** What died lives again, clients come, nodes tell of them, time passes, and the controllers look. */
  async step(): Promise<void> {
    for (const node of this.nodes) if (node.life === undefined && !node.isGone) node.start();
    for (const node of this.nodes) node.connect(this.#clientsPerStep);
    await this.heard();
    this.clock.advance(stepMs);
    await this.look();
    if (this.replica.process.log.dead) await this.restartReplica();
    await this.settled();
  }

  /** All controllers look, at once. */
  async look(): Promise<void> {
    await Promise.all(this.replicas.map(({ process }) => process.tick()));
  }

  /** Steps until something holds. */
  async until(what: string, holds: () => boolean): Promise<void> {
    for (let step = 0; !holds(); step += 1) {
      if (step === stepsMax)
        throw new Error(`${stepsMax} steps in vain: ${what}; the rollout: ${outline(this.newest)}`);
      await this.step();
    }
  }

  /** The first replica's process dies, another takes its place, and the nodes come back to it. */
  async restartReplica(): Promise<void> {
    await this.replica.restart();
    this.restarts += 1;
    for (const region of this.regions) region.connect();
    await this.look();
  }

  /** Until the newest rollout has ended. */
  ended(): Promise<void> {
    return this.until("the rollout's end", () => !["running", "paused"].includes(this.newest.state));
  }

  /** Resolves when every node that can hear has what is released to it, and the control plane knows. */
  async settled(): Promise<void> {
    const heard = (region: SimulatedRegion): boolean => region.heard.revision === this.live.position.revision;
    for (const region of this.regions.filter(({ isCut }) => !isCut)) {
      await waitFor(`region ${region.name} at the log's end`, () => heard(region));
      for (const node of region.nodes)
        await waitFor(`${node.identity.id} at its revision`, () => this.#isSettled(node));
    }
  }

  /** Resolves when the control plane has every count of every node that it holds a session with. */
  async heard(): Promise<void> {
    for (const node of this.nodes) node.life?.session.trafficSoon();
    for (const { identity, life } of this.nodes)
      await waitFor(`all counts of ${identity.id}`, () => life === undefined || !life.session.held || life.told);
  }

  async close(): Promise<void> {
    await Promise.all(this.regions.map((region) => region.close()));
    for (const replica of this.replicas) await replica.close();
    await this.nats.dispose();
  }

  #isSettled({ identity, life }: SimulatedNode): boolean {
    if (life === undefined) return true;
    const { live, view } = this.replica.process;
    const wanted = effectiveRevision(identity, live.configuration.releases);
    const { status } = life.follower;
    if (!status.loaded || status.position.revision !== wanted) return false;
    const report = view.find(identity.id)?.report;
    return report !== undefined && Number(report.revision) === wanted && sameBytes(report.digest, status.digest);
  }
}

/** A rollout in one line: `started, wave_released 1, rolled_back (connect_failures)`. */
export function outline({ decisions }: RolloutRecord): string {
  return decisions
    .map(({ step, releasedWaves, failedGate }) => {
      const wave = step === "wave_released" ? ` ${releasedWaves}` : "";
      return `${step}${wave}${failedGate === null ? "" : ` (${failedGate})`}`;
    })
    .join(", ");
}
