import type { Configuration } from "../../model/configuration.ts";
import { activeRollout } from "../../model/releases.ts";
import { defaultRolloutPolicy, farmOf } from "../../model/resource-name.ts";
import type { RolloutRecord } from "../../model/rollout-record.ts";
import { LogUnavailable } from "../log/event-log.ts";
import { QueueFull } from "../state/serial-queue.ts";
import { BackOff } from "./back-off.ts";
import type { Clock } from "./clock.ts";
import type { FarmSizes } from "./judge/healthy-servers.ts";
import type { JudgedWave } from "./judge/judge-wave.ts";
import type { WaveBaseline } from "./judge/wave-baseline.ts";
import type { Lease } from "./lease.ts";
import { automaticStart, firstWave, type NextStep, stepAfter } from "./next-step.ts";
import type { NodeObservation } from "./node-observation.ts";
import type { RolloutSight } from "./rollout-sight.ts";
import type { RolloutSteps } from "./rollout-steps.ts";
import { WaveWatch } from "./wave-watch.ts";

/** Between two looks. */
const tickMs = 500;

/** After news of the log: soon, and not for each of many commits. */
const newsMs = 20;

/** The log's fold, as far as the controller needs it. */
export interface FoldedLog {
  readonly configuration: Configuration;
  catchUp(to: "known"): Promise<void>;
}

export interface RolloutControllerParts {
  readonly replicaId: string;
  readonly lease: Lease;
  readonly clock: Clock;
  readonly live: FoldedLog;
  readonly observe: () => readonly NodeObservation[];
  readonly steps: RolloutSteps;
  /** Calls back on news of the log; gives the way to stop. */
  readonly onNews: (callback: () => void) => () => void;
  /** Hears of errors that are ours, and of steps that are refused. */
  readonly onFault: (error: unknown) => void;
}

/**
 * Takes rollouts through their waves. Every replica looks and judges, so that any can go on where another ends; the one with the
 * lease takes the steps. All that it knows beside the log is how nodes were when it saw the release: a replica that has not seen it
 * begins the wave's watch anew.
 */
export class RolloutController {
  readonly #parts: RolloutControllerParts;
  readonly #backOff = new BackOff();
  readonly #listeners = new Set<() => void>();
  readonly #stop = new AbortController();
  #wakeUp = new AbortController();
  #watch: WaveWatch | undefined;
  /** The nodes at the last look. */
  #seen: readonly NodeObservation[] | undefined;
  #sight: RolloutSight | undefined;
  #running: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #farms: { readonly latest: number; readonly sizes: FarmSizes } = { latest: 0, sizes: new Map() };
  #faultTold = "";

  constructor(parts: RolloutControllerParts) {
    this.#parts = parts;
  }

  /** What this replica sees of the rollout that is under way; undefined where there is none. */
  current(): RolloutSight | undefined {
    return this.#sight;
  }

  /** How the nodes were when the wave was released that is watched now. It belongs to the controller, and changes with each look. */
  get baseline(): WaveBaseline | undefined {
    return this.#watch?.baseline;
  }

  /** Calls back when there is something new to see. Returns the way to stop. */
  onChange(callback: () => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  /** Looks from now on until it is closed. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends the loop after the step that it is at, and gives the lease back. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#stop.abort();
      this.#wakeUp.abort();
      await this.#running;
      await this.#parts.lease.close();
    })();
    return this.#closing;
  }

  /** Looks once, and takes the step that it leads to. Never rejects. */
  async tick(): Promise<void> {
    try {
      await this.#look();
      this.#faultTold = "";
    } catch (error) {
      // The log's own state is told by the log.
      if (error instanceof LogUnavailable || error instanceof QueueFull) return;
      const text = String(error);
      if (text !== this.#faultTold) this.#parts.onFault(error);
      this.#faultTold = text;
    }
  }

  async #run(): Promise<void> {
    const { clock, onNews } = this.#parts;
    const stopHearing = onNews(() => this.#wakeUp.abort());
    while (!this.#stop.signal.aborted) {
      await this.tick();
      await clock.wait(tickMs, this.#wakeUp.signal);
      if (!this.#wakeUp.signal.aborted) continue;
      if (!this.#stop.signal.aborted) await clock.wait(newsMs, this.#stop.signal);
      this.#wakeUp = new AbortController();
    }
    stopHearing();
  }

  async #look(): Promise<void> {
    const { live, clock } = this.#parts;
    await live.catchUp("known");
    const nodes = this.#parts.observe();
    const before = this.#seen ?? nodes;
    this.#seen = nodes;
    const { releases } = live.configuration;
    const record = activeRollout(releases);
    if (record === undefined) {
      this.#watch = undefined;
      this.#see(undefined);
      const next = startsAutomatically(live.configuration) ? automaticStart(releases) : undefined;
      await this.#take(next);
      return;
    }
    if (record.releasedWaves === 0) {
      this.#see(undefined);
      await this.#take(record.state === "running" ? firstWave(record) : undefined);
      return;
    }
    const nowMs = clock.monotonicMs();
    // As they were before the release was seen: a node may die of it sooner than anybody looks.
    if (this.#watch?.isOf(record) !== true)
      this.#watch = new WaveWatch(record, releases.prior ?? releases, before, nowMs, this.#watch);
    const judged = this.#watch.judge(nodes, this.#farmSizes(), nowMs);
    this.#see(this.#sightOf(record, judged));
    await this.#take(record.state === "running" ? stepAfter(record, judged) : undefined);
  }

  async #take(next: NextStep | undefined): Promise<void> {
    const { clock, lease, steps, replicaId, onFault, live } = this.#parts;
    if (next === undefined) {
      this.#backOff.done();
      return;
    }
    const { requestId } = next;
    if (!lease.held || this.#stop.signal.aborted || !this.#backOff.mayTry(requestId, clock.monotonicMs())) return;
    const { revision } = live.configuration.position;
    const answer = await steps.take(next, `rollout-controller@${replicaId}`);
    if (answer.outcome === "taken") {
      this.#backOff.done();
      return;
    }
    this.#backOff.failed(requestId, clock.monotonicMs());
    // Where the log has moved on meanwhile, somebody else was faster: that is how it is meant to be.
    if (answer.outcome === "refused" && live.configuration.position.revision === revision)
      onFault(new Error(`a step of the rollout was refused: ${requestId}: ${answer.detail}`));
  }

  /** Counted anew where the configuration has changed: it may have very many servers. */
  #farmSizes(): FarmSizes {
    const { servers, releases } = this.#parts.live.configuration;
    const { latest } = releases;
    if (this.#farms.latest === latest) return this.#farms.sizes;
    const sizes = new Map<string, number>();
    for (const name of servers.keys()) {
      const farm = farmOf(name);
      sizes.set(farm, (sizes.get(farm) ?? 0) + 1);
    }
    this.#farms = { latest, sizes };
    return sizes;
  }

  #sightOf(record: RolloutRecord, { judgement, phase, remainingMs }: JudgedWave): RolloutSight {
    return {
      rollout: record.name,
      wave: judgement.wave,
      phase,
      remainingMs: record.state === "paused" ? null : remainingMs,
      judgement,
      leads: this.#parts.lease.held,
    };
  }

  #see(sight: RolloutSight | undefined): void {
    const isSame = JSON.stringify({ ...sight, remainingMs: 0 }) === JSON.stringify({ ...this.#sight, remainingMs: 0 });
    this.#sight = sight;
    if (isSame) return;
    for (const listener of this.#listeners) listener();
  }
}

function startsAutomatically({ rolloutPolicies }: Configuration): boolean {
  return rolloutPolicies.get(defaultRolloutPolicy)?.staged?.startAutomatically === true;
}
