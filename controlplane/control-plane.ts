import type { Position } from "../model/commit.ts";
import { AdminServer } from "./admin/admin-server.ts";
import { CommitWatchers } from "./admin/watch-commits.ts";
import { FleetView } from "./fleet/fleet-view.ts";
import type { EventLog } from "./log/event-log.ts";
import { Committer } from "./state/committer.ts";
import { LiveConfiguration } from "./state/live-configuration.ts";

export interface ControlPlaneOptions {
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
}

/** One control-plane process: the log, the configuration at its head, and the gRPC edge. */
export class ControlPlane {
  readonly #log: EventLog;
  readonly #live: LiveConfiguration;
  readonly #view: FleetView;
  readonly #watchers: CommitWatchers;
  readonly #admin: AdminServer;

  private constructor(
    log: EventLog,
    live: LiveConfiguration,
    view: FleetView,
    watchers: CommitWatchers,
    admin: AdminServer,
  ) {
    this.#log = log;
    this.#live = live;
    this.#view = view;
    this.#watchers = watchers;
    this.#admin = admin;
  }

  /** @throws LogUnavailable, LogCorrupt, or an Error with a line for the operator where the address can't be bound */
  static async start(options: ControlPlaneOptions): Promise<ControlPlane> {
    const { log, now, softwareVersion, onFault: fault } = options;
    try {
      const live = await LiveConfiguration.open(log, fault);
      const view = new FleetView();
      const watchers = new CommitWatchers(log);
      const committer = new Committer(log, live, now);
      const admin = await AdminServer.listen({
        address: options.adminAddress,
        descriptors: options.descriptors,
        config: { log, live, committer, watchers, fault },
        fleet: { live, view, now, softwareVersion, fault },
      });
      return new ControlPlane(log, live, view, watchers, admin);
    } catch (error) {
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

  /** Numbers for metrics. */
  stats(): {
    readonly revision: number;
    readonly resources: number;
    readonly followers: number;
    readonly nodes: number;
  } {
    return {
      revision: this.#live.position.revision,
      resources: this.#live.configuration.size,
      followers: this.#watchers.count,
      nodes: this.#view.connectedCount,
    };
  }

  /** Ends streams and calls, at most after `graceMs`, then the log. */
  async close(graceMs: number): Promise<void> {
    await this.#admin.close(graceMs);
    await this.#live.settled();
    await this.#log.close();
  }
}
