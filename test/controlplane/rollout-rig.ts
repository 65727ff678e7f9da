import { effectiveRevision } from "../../model/releases.ts";
import type { StagedRelease } from "../../model/rollout-policy.ts";
import type { RolloutStepWish } from "../../controlplane/decide/command.ts";
import { LogUnavailable } from "../../controlplane/log/event-log.ts";
import type { Lease } from "../../controlplane/rollout/lease.ts";
import type { NodeObservation, OutcomeCounters } from "../../controlplane/rollout/node-observation.ts";
import { RolloutController } from "../../controlplane/rollout/rollout-controller.ts";
import type { RolloutSteps, StepOutcome } from "../../controlplane/rollout/rollout-steps.ts";
import { runSeed, seededRandom } from "../support/seeded-random.ts";
import { ReleaseHistory, staged } from "./release-history.ts";

export const tickMs = 500;
export const hourMs = 3_600_000;

export interface RigNode {
  readonly identity: NodeObservation["identity"];
  reachable: boolean;
  boot: number;
  revision: number;
  counters: OutcomeCounters;
}

interface World {
  readonly failing: (revision: number) => number;
  /** A process that serves it dies. */
  readonly deadly: number;
}

export const calm: World = { failing: () => 0.001, deadly: -1 };

/** A log in memory, nodes that follow it, and controllers over both; time moves by ticks. */
export class RolloutRig {
  readonly history = new ReleaseHistory();
  readonly nodes: RigNode[] = Array.from({ length: 40 }, (_none, index) => ({
    identity: {
      id: `n${index}`,
      region: index % 2 === 0 ? "east" : "west",
      labels: { canary: String(index % 10 === 0) },
    },
    reachable: true,
    boot: 1,
    revision: 0,
    counters: { connects: 0, connectFailures: 0, handshakes: 0, handshakeFailures: 0 },
  }));
  readonly taken: {
    readonly step: string;
    readonly requestId: string;
    readonly author: string;
    readonly reason: string;
  }[] = [];
  readonly asked: string[] = [];
  readonly requests = new Set<string>();
  readonly faults: unknown[] = [];
  world = calm;
  logIs: "there" | "unavailable" | "gone" = "there";
  nowMs = 0;
  readonly #random = seededRandom(runSeed());

  constructor(release: StagedRelease) {
    this.history.setDefault(release);
    this.history.change();
    this.#follow();
  }

  controller(replicaId = "one", lease: Lease = { held: true, close: () => Promise.resolve() }): RolloutController {
    const { history } = this;
    return new RolloutController({
      replicaId,
      lease,
      clock: { monotonicMs: () => this.nowMs, wait: () => Promise.resolve() },
      live: {
        get configuration() {
          return history.configuration;
        },
        catchUp: async () => {
          if (this.logIs === "gone") throw new LogUnavailable("gone");
        },
      },
      observe: () => this.observe(),
      steps: this.#steps(),
      onNews: () => () => undefined,
      onFault: (error) => this.faults.push(error),
    });
  }

  /** Revision 2 waits, and a rollout of it starts. */
  start(): void {
    this.ask({ step: "start", target: null, policy: null });
  }

  ask(step: RolloutStepWish): void {
    const answer = this.history.ask(step);
    if ("refused" in answer) throw new Error(JSON.stringify(answer));
  }

  observe(): readonly NodeObservation[] {
    return this.nodes.map(({ identity, reachable, boot, revision, counters }) => ({
      identity,
      reachable,
      bootId: `boot-${boot}`,
      revision,
      digest: this.#digestAt(revision),
      refused: null,
      failing: new Set<string>(),
      counters,
    }));
  }

  get newest() {
    return this.history.releases.rollouts.at(-1);
  }

  get steps(): string {
    return (
      this.newest?.decisions.map(({ step, failedGate }) => step + (failedGate ? ` (${failedGate})` : "")).join(", ") ??
      ""
    );
  }

  /** Until something is so, at most for so long of the simulation's time. */
  async run(controllers: readonly RolloutController[], forMs: number, until = (): boolean => false): Promise<void> {
    for (const endMs = this.nowMs + forMs; this.nowMs < endMs && !until(); ) {
      this.nowMs += tickMs;
      this.#follow();
      this.#traffic();
      await Promise.all(controllers.map((controller) => controller.tick()));
    }
  }

  #steps(): RolloutSteps {
    return {
      take: async ({ step, requestId, reason }, author): Promise<StepOutcome> => {
        this.asked.push(requestId);
        if (this.logIs !== "there") return { outcome: "unavailable", detail: this.logIs };
        // As the log has it: a request is taken once.
        if (this.requests.has(requestId)) return { outcome: "taken" };
        const answer = this.history.ask(step);
        if ("refused" in answer) return { outcome: "refused", detail: JSON.stringify(answer) };
        this.requests.add(requestId);
        this.taken.push({ step: step.step, requestId, author, reason });
        return { outcome: "taken" };
      },
    };
  }

  #digestAt(revision: number): Uint8Array {
    const record = this.newest;
    return record?.start.targetRevision === revision ? record.start.targetDigest : new Uint8Array(32).fill(revision);
  }

  #follow(): void {
    for (const node of this.nodes) {
      if (!node.reachable) continue;
      node.revision = effectiveRevision(node.identity, this.history.releases);
      if (node.revision !== this.world.deadly) continue;
      node.boot += 1;
      node.counters = { connects: 0, connectFailures: 0, handshakes: 0, handshakeFailures: 0 };
    }
  }

  #traffic(): void {
    for (const node of this.nodes) {
      const { connects, connectFailures, handshakes } = node.counters;
      let failed = 0;
      for (let each = 0; each < 10; each += 1) if (this.#random() < this.world.failing(node.revision)) failed += 1;
      node.counters = {
        ...node.counters,
        connects: connects + 10,
        connectFailures: connectFailures + failed,
        handshakes: handshakes + 10 - failed,
      };
    }
  }
}

const canary = { title: "canary", labels: { canary: "true" }, bakeTimeMs: 120_000 };
const half = { title: "half", percent: 50, bakeTimeMs: 120_000 };
const all = { title: "all", bakeTimeMs: 120_000 };
export const threeWaves = staged(canary, half, all);
export const goodSteps = "started, wave_released, wave_released, wave_released, completed";
export const target = 2;

/** 5 % of connects fail on what is released. */
export const bad: World = { failing: (revision) => (revision === target ? 0.05 : 0.001), deadly: -1 };

export const isOver = (rig: RolloutRig) => (): boolean => rig.newest?.state !== "running";

export function servedTarget({ nodes }: RolloutRig): number {
  return nodes.filter(({ revision }) => revision === target).length;
}
