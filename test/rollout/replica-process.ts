import { setMaxListeners } from "node:events";
import { DirectiveDesk } from "../../controlplane/fleet/directives.ts";
import { FleetView } from "../../controlplane/fleet/fleet-view.ts";
import { LearntHub } from "../../controlplane/fleet/learnt-hub.ts";
import type { SessionParts } from "../../controlplane/fleet/session.ts";
import { Committer } from "../../controlplane/state/committer.ts";
import { LiveConfiguration } from "../../controlplane/state/live-configuration.ts";
import type { CrashingLog } from "./crashing-log.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** A control plane's process: what it has in memory, put together as `ControlPlane` does, with a clock that the test moves. */
export class ReplicaProcess {
  readonly log: CrashingLog;
  readonly live: LiveConfiguration;
  readonly committer: Committer;
  readonly view: FleetView;
  /** What the sessions of its nodes work on. */
  readonly sessions: SessionParts;
  readonly #stopping: AbortController;

  private constructor(parts: {
    log: CrashingLog;
    live: LiveConfiguration;
    committer: Committer;
    view: FleetView;
    sessions: SessionParts;
    stopping: AbortController;
  }) {
    this.log = parts.log;
    this.live = parts.live;
    this.committer = parts.committer;
    this.view = parts.view;
    this.sessions = parts.sessions;
    this.#stopping = parts.stopping;
  }

  /** `seen` is what its controller sees, where that is not its own nodes. */
  static async start(id: string, log: CrashingLog, clock: VirtualClock, seen?: FleetView): Promise<ReplicaProcess> {
    const live = await LiveConfiguration.open(log, (error) => {
      throw error;
    });
    const now = (): number => clock.wallMs;
    const committer = new Committer(log, live, now);
    const view = new FleetView(id);
    const stopping = new AbortController();
    setMaxListeners(0, stopping.signal);
    const sessions = {
      view,
      desk: new DirectiveDesk(),
      learnt: new LearntHub(),
      softwareVersion: "simulated",
      now,
      monotonicMs: () => performance.now(),
      stopping: stopping.signal,
    };
    return new ReplicaProcess({ log, live, committer, view: seen ?? view, sessions, stopping });
  }

  /** The controller looks. */
  async tick(): Promise<void> {}

  /** Nothing of it is heard again. */
  async kill(): Promise<void> {
    this.log.kill();
    await this.close();
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.live.settled();
  }
}
