import { setMaxListeners } from "node:events";
import { DirectiveDesk } from "../../controlplane/fleet/directives.ts";
import { FleetView } from "../../controlplane/fleet/fleet-view.ts";
import { LearntHub } from "../../controlplane/fleet/learnt-hub.ts";
import { observeFleet } from "../../controlplane/fleet/observe-fleet.ts";
import type { SessionParts } from "../../controlplane/fleet/session.ts";
import { soleReplica } from "../../controlplane/rollout/lease.ts";
import { RolloutController } from "../../controlplane/rollout/rollout-controller.ts";
import { CommittedSteps } from "../../controlplane/rollout/rollout-steps.ts";
import { Committer } from "../../controlplane/state/committer.ts";
import { LiveConfiguration } from "../../controlplane/state/live-configuration.ts";
import type { CrashingLog } from "./crashing-log.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/**
 * A control plane's process: what it has in memory, put together as `ControlPlane` does, with a clock that the test
 * moves. Its controller believes that it leads.
 */
export class ReplicaProcess {
  readonly log: CrashingLog;
  readonly live: LiveConfiguration;
  readonly committer: Committer;
  readonly view: FleetView;
  /** What the sessions of its nodes work on. */
  readonly sessions: SessionParts;
  readonly #controller: RolloutController;
  readonly #stopping: AbortController;

  private constructor(parts: {
    log: CrashingLog;
    live: LiveConfiguration;
    committer: Committer;
    view: FleetView;
    sessions: SessionParts;
    controller: RolloutController;
    stopping: AbortController;
  }) {
    this.log = parts.log;
    this.live = parts.live;
    this.committer = parts.committer;
    this.view = parts.view;
    this.sessions = parts.sessions;
    this.#controller = parts.controller;
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
    const controller = new RolloutController({
      replicaId: id,
      lease: soleReplica,
      clock: { monotonicMs: () => clock.nowMs, wait: () => Promise.resolve() },
      live,
      observe: () => observeFleet(seen ?? view),
      steps: new CommittedSteps(committer),
      // It is told by `tick`.
      onNews: () => () => undefined,
      onFault: (error) => {
        if (!log.dead) throw error;
      },
    });
    return new ReplicaProcess({ log, live, committer, view: seen ?? view, sessions, controller, stopping });
  }

  /** The controller looks; and again where that came to a commit, as it does on news of the log. */
  async tick(): Promise<void> {
    let looked: number;
    do {
      looked = this.live.position.revision;
      await this.#controller.tick();
    } while (!this.log.dead && this.log.knownHead().revision > looked);
  }

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
