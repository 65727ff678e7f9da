import type { Position } from "../model/commit.ts";
import { AdminServer } from "./admin/admin-server.ts";
import type { EmergencyTokenFile } from "./admin/emergency-token-file.ts";
import { EmergencyToken } from "./admin/emergency-token.ts";
import { CommitWatchers } from "./admin/watch-commits.ts";
import { takeDirectives } from "./fleet/direct-node.ts";
import { DirectiveDesk } from "./fleet/directives.ts";
import type { FleetBus } from "./fleet/fleet-bus.ts";
import { FleetExchange } from "./fleet/fleet-exchange.ts";
import { LearntHub } from "./fleet/learnt-hub.ts";
import { FleetView } from "./fleet/fleet-view.ts";
import { observeFleet } from "./fleet/observe-fleet.ts";
import type { EventLog } from "./log/event-log.ts";
import { systemClock } from "./rollout/clock.ts";
import { type Lease, soleReplica } from "./rollout/lease.ts";
import { RolloutController } from "./rollout/rollout-controller.ts";
import { CommittedSteps } from "./rollout/rollout-steps.ts";
import { Committer } from "./state/committer.ts";
import { LiveConfiguration } from "./state/live-configuration.ts";

/** What a replica among others needs. */
export interface ReplicaOptions {
  /** Tells this replica from others of the same log; may be left out where it is the only one. */
  readonly replicaId?: string;
  /** How replicas tell each other of their nodes; the caller's to close, after the control plane. */
  readonly fleetBus?: FleetBus | undefined;
  /** Which replica takes rollouts further. Owned by the control plane from now on; without one it is this. */
  readonly lease?: Lease | undefined;
  /** Who has its token may release past everything; without one nobody may. */
  readonly emergencyTokenFile?: EmergencyTokenFile | undefined;
}

export interface ControlPlaneOptions extends ReplicaOptions {
  /** Owned by the control plane from now on. */
  readonly log: EventLog;
  /** Where the admin API listens: `127.0.0.1:7700`. */
  readonly adminAddress: string;
  /** Descriptors of all protos, for reflection. */
  readonly descriptors: Buffer;
  readonly softwareVersion: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Hears of errors that are ours. */
  readonly onFault: (error: unknown) => void;
  /** Hears of what operators should look at, such as denied emergency releases. */
  readonly onWarning?: (message: string) => void;
}

/** Names the only replica of a log. */
const replicaIdDefault = "embedded";

const monotonicMs = (): number => performance.now();

/** The view of the nodes, and what keeps it in step with those of other replicas. */
class Fleet {
  readonly view: FleetView;
  readonly desk = new DirectiveDesk();
  readonly learnt = new LearntHub();
  readonly bus: FleetBus | undefined;
  readonly exchange: FleetExchange | undefined;
  readonly #stopTaking: (() => void) | undefined;

  constructor(replicaId: string, bus: FleetBus | undefined) {
    this.view = new FleetView(replicaId);
    this.bus = bus;
    this.exchange = bus && new FleetExchange({ view: this.view, bus, monotonicMs });
    this.#stopTaking = bus && takeDirectives(bus, this.desk);
  }

  close(): void {
    this.exchange?.close();
    this.#stopTaking?.();
  }
}

/** One control-plane process: the log, the configuration at its head, and the gRPC edge. */
export class ControlPlane {
  readonly #log: EventLog;
  readonly #live: LiveConfiguration;
  readonly #watchers: CommitWatchers;
  readonly #admin: AdminServer;
  readonly #fleet: Fleet;
  readonly #rollouts: RolloutController;

  private constructor(parts: {
    readonly log: EventLog;
    readonly live: LiveConfiguration;
    readonly watchers: CommitWatchers;
    readonly admin: AdminServer;
    readonly fleet: Fleet;
    readonly rollouts: RolloutController;
  }) {
    this.#log = parts.log;
    this.#live = parts.live;
    this.#watchers = parts.watchers;
    this.#admin = parts.admin;
    this.#fleet = parts.fleet;
    this.#rollouts = parts.rollouts;
  }

  /** @throws LogUnavailable, LogCorrupt, or an Error with a line for the operator where the address can't be bound */
  static async start(options: ControlPlaneOptions): Promise<ControlPlane> {
    const { log, now, softwareVersion, onFault: fault } = options;
    const { replicaId = replicaIdDefault, lease = soleReplica } = options;
    const fleet = new Fleet(replicaId, options.fleetBus);
    try {
      const live = await LiveConfiguration.open(log, fault);
      const watchers = new CommitWatchers(log);
      const committer = new Committer(log, live, now);
      const { view, desk, learnt, bus, exchange } = fleet;
      const rollouts = new RolloutController({
        replicaId,
        lease,
        clock: systemClock,
        live,
        observe: () => observeFleet(view),
        steps: new CommittedSteps(committer),
        onNews: (callback) => log.onAppend(callback),
        onFault: fault,
      });
      const { emergencyTokenFile: file, onWarning = () => undefined } = options;
      const emergencyToken = new EmergencyToken({ file, monotonicMs, onWarning });
      const admin = await AdminServer.listen({
        address: options.adminAddress,
        descriptors: options.descriptors,
        config: { log, live, committer, watchers, fault },
        fleet: { log, live, view, desk, learnt, bus, exchange, now, monotonicMs, softwareVersion, fault },
        rollout: { log, live, committer, view, controller: rollouts, emergencyToken, now, fault },
      });
      rollouts.start();
      return new ControlPlane({ log, live, watchers, admin, fleet, rollouts });
    } catch (error) {
      await lease.close();
      fleet.close();
      await log.close();
      throw error;
    }
  }

  get port(): number {
    return this.#admin.port;
  }

  /** Where the log stands, as far as this process has folded it. */
  get position(): Position {
    return this.#live.position;
  }

  /** What this replica sees of the rollout that is under way. */
  get rollouts(): Pick<RolloutController, "current" | "onChange" | "baseline"> {
    return this.#rollouts;
  }

  /** Numbers for metrics. */
  stats(): {
    readonly revision: number;
    readonly resources: number;
    readonly followers: number;
    readonly nodes: number;
    readonly replicas: number;
  } {
    return {
      revision: this.#live.position.revision,
      resources: this.#live.configuration.size,
      followers: this.#watchers.count,
      nodes: this.#fleet.view.connectedCount,
      replicas: this.#fleet.exchange?.replicas().length ?? 1,
    };
  }

  /** Gives the lease back and ends streams and calls, at most after `graceMs`, then the log. */
  async close(graceMs: number): Promise<void> {
    await this.#rollouts.close();
    await this.#admin.close(graceMs);
    this.#fleet.close();
    await this.#live.settled();
    await this.#log.close();
  }
}
