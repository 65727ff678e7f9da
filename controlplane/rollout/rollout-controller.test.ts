import { describe, expect, test } from "vitest";
import { nothingReleased, effectiveRevision } from "../../model/releases.ts";
import { rolloutGatesDefaults, type StagedRelease } from "../../model/rollout-policy.ts";
import { ReleaseHistory, staged } from "../../test/controlplane/release-history.ts";
import { runSeed, seededRandom } from "../../test/support/seeded-random.ts";
import type { RolloutStepWish } from "../decide/command.ts";
import { LogUnavailable } from "../log/event-log.ts";
import type { Clock } from "./clock.ts";
import type { Lease } from "./lease.ts";
import type { NodeObservation, OutcomeCounters } from "./node-observation.ts";
import { RolloutController } from "./rollout-controller.ts";
import type { RolloutSteps, StepOutcome } from "./rollout-steps.ts";

const tickMs = 500;
const hourMs = 3_600_000;

interface SimulatedNode {
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

const calm: World = { failing: () => 0.001, deadly: -1 };

/** A log in memory, nodes that follow it, and controllers over both; time moves by ticks. */
class Rig {
  readonly history = new ReleaseHistory();
  readonly nodes: SimulatedNode[] = Array.from({ length: 40 }, (_none, index) => ({
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
      take: async (step, requestId, author, reason): Promise<StepOutcome> => {
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
const threeWaves = staged(canary, half, all);
const goodSteps = "started, wave_released, wave_released, wave_released, completed";
const target = 2;

/** 5 % of connects fail on what is released. */
const bad: World = { failing: (revision) => (revision === target ? 0.05 : 0.001), deadly: -1 };

const isOver = (rig: Rig) => (): boolean => rig.newest?.state !== "running";

function servedTarget({ nodes }: Rig): number {
  return nodes.filter(({ revision }) => revision === target).length;
}

describe("a rollout", () => {
  test("of a good change goes through its waves and completes, and each step says what it went by", async () => {
    const rig = new Rig(threeWaves);
    const controller = rig.controller();
    rig.start();
    await rig.run([controller], hourMs, isOver(rig));
    expect(rig.steps).toBe(goodSteps);
    expect(servedTarget(rig)).toBe(40);
    expect(rig.nowMs).toBeGreaterThanOrEqual(3 * 120_000);
    expect(rig.nowMs).toBeLessThan(3 * 120_000 + 10_000);
    expect(rig.taken.map(({ step, author }) => `${step} ${author}`)).toEqual([
      "release_wave rollout-controller@one",
      "release_wave rollout-controller@one",
      "complete rollout-controller@one",
    ]);
    expect(rig.taken[0]?.reason).toMatch(/^wave 1 of 3 \(canary\) has held for 120 s: 4 of 4 reachable nodes applied/);
    await controller.tick();
    expect(controller.current()).toBeUndefined();
  });

  test("that makes 5 % of connects fail is rolled back in its first wave, with nobody's help", async () => {
    const rig = new Rig(threeWaves);
    rig.world = bad;
    rig.start();
    await rig.run([rig.controller()], hourMs, isOver(rig));
    expect(rig.steps).toBe("started, wave_released, rolled_back (connect_failures)");
    expect(rig.nowMs).toBeLessThan(120_000);
    await rig.run([], tickMs);
    expect(servedTarget(rig)).toBe(0);
    expect(rig.taken[0]?.reason).toMatch(
      /^connect_failures failed in wave 1 of 3 \(canary\): [\d.]+ % of \d+ connections/,
    );
  });

  test("is paused where the policy says so, watched but not taken further, and watched anew once resumed", async () => {
    const rig = new Rig({ ...threeWaves, onFailure: "pause" });
    rig.world = bad;
    const controller = rig.controller();
    rig.start();
    await rig.run([controller], hourMs, isOver(rig));
    expect(rig.steps).toBe("started, wave_released, paused (connect_failures)");
    rig.world = calm;
    await rig.run([controller], 10 * 60_000);
    expect(rig.taken).toHaveLength(1);
    expect(controller.current()).toMatchObject({ wave: 0, remainingMs: null });
    const resumedMs = rig.nowMs;
    rig.ask({ step: "resume", rollout: null });
    await rig.run([controller], hourMs, () => rig.taken.length > 1);
    expect(rig.nowMs - resumedMs).toBeGreaterThanOrEqual(120_000);
    await rig.run([controller], hourMs, isOver(rig));
    expect(rig.steps).toBe(
      "started, wave_released, paused (connect_failures), resumed, wave_released, wave_released, completed",
    );
  });

  test("of a change that kills its nodes stops at once, and the crashes are counted", async () => {
    const rig = new Rig(threeWaves);
    rig.world = { ...calm, deadly: target };
    const controller = rig.controller();
    rig.start();
    await controller.tick();
    await rig.run([controller], hourMs, isOver(rig));
    expect(rig.steps).toBe("started, wave_released, rolled_back (lost)");
    expect(rig.newest?.decisions.at(-1)?.judgement?.counts).toMatchObject({ nodes: 4, crashed: 4 });
    expect(rig.nowMs).toBeLessThan(5000);
  });

  test("passes a wave of unreachable nodes at its deadline; they take the target when they are back", async () => {
    const rig = new Rig(threeWaves);
    const away = rig.nodes.filter(({ identity }) => identity.labels["canary"] === "true");
    for (const node of away) node.reachable = false;
    rig.start();
    const controller = rig.controller();
    await rig.run([controller], hourMs, () => rig.taken.length > 0);
    expect(rig.nowMs).toBeGreaterThanOrEqual(rolloutGatesDefaults.applyDeadlineMs);
    expect(rig.nowMs).toBeLessThanOrEqual(rolloutGatesDefaults.applyDeadlineMs + 2 * tickMs);
    await rig.run([controller], hourMs, isOver(rig));
    expect(rig.steps).toBe(goodSteps);
    for (const node of away) node.reachable = true;
    await rig.run([], tickMs);
    expect(servedTarget(rig)).toBe(40);
  });

  test("is rolled back where a region falls silent amid a wave, and goes on where few enough may", async () => {
    for (const [lostMaxPercent, steps] of [
      [5, "started, wave_released, wave_released, rolled_back (lost)"],
      [60, goodSteps],
    ] as const) {
      const rig = new Rig({ ...threeWaves, gates: { ...rolloutGatesDefaults, lostMaxPercent } });
      const controller = rig.controller();
      rig.start();
      await rig.run([controller], hourMs, () => rig.taken.length > 0);
      await rig.run([controller], 10_000);
      for (const node of rig.nodes) if (node.identity.region === "west") node.reachable = false;
      await rig.run([controller], hourMs, isOver(rig));
      expect(rig.steps).toBe(steps);
      for (const node of rig.nodes) node.reachable = true;
      await rig.run([], tickMs);
      expect(servedTarget(rig)).toBe(steps === goodSteps ? 40 : 0);
    }
  });

  test("goes through a wave that nodes leave and others join", async () => {
    const rig = new Rig({ ...threeWaves, gates: { ...rolloutGatesDefaults, lostMaxPercent: 30 } });
    const controller = rig.controller();
    rig.start();
    await rig.run([controller], 10_000);
    const [gone] = rig.nodes.splice(0, 1);
    for (const id of ["new-1", "new-2"])
      rig.nodes.push({ ...(gone as SimulatedNode), identity: { ...gone!.identity, id } });
    await rig.run([controller], hourMs, isOver(rig));
    expect(rig.steps).toBe(goodSteps);
    expect(rig.newest?.decisions[2]?.judgement?.counts).toMatchObject({ nodes: 6, reachable: 5, lost: 1, crashed: 0 });
  });
});

describe("several controllers", () => {
  test.each(["good", "bad"])(
    "of a %s rollout: one that remembers nothing goes on at any time, to the same end",
    async (what) => {
      const steps = what === "good" ? goodSteps : "started, wave_released, rolled_back (connect_failures)";
      for (const takenOverEachMs of [3000, 17_000, 119_500, 121_000]) {
        const rig = new Rig(threeWaves);
        if (what === "bad") rig.world = bad;
        rig.start();
        // Those who only see a part of a bake begin it anew: after some takeovers one is left alone.
        for (let turn = 0; turn < 4; turn += 1)
          await rig.run([rig.controller(`r${turn}`)], takenOverEachMs, isOver(rig));
        await rig.run([rig.controller("last")], hourMs, isOver(rig));
        expect(rig.steps, String(takenOverEachMs)).toBe(steps);
      }
    },
  );

  test.each(["good", "bad"])("of a %s rollout that all believe to lead release no wave twice", async (what) => {
    const rig = new Rig(threeWaves);
    if (what === "bad") rig.world = bad;
    rig.start();
    await rig.run([rig.controller("one"), rig.controller("two"), rig.controller("three")], hourMs, isOver(rig));
    expect(rig.steps).toBe(what === "good" ? goodSteps : "started, wave_released, rolled_back (connect_failures)");
    expect(new Set(rig.taken.map(({ requestId }) => requestId)).size).toBe(rig.taken.length);
    expect(rig.faults).toEqual([]);
  });

  test("without the lease one sees all and does nothing; once it has it, it goes on without a new watch", async () => {
    const rig = new Rig(threeWaves);
    const lease = { held: false, close: () => Promise.resolve() };
    const controller = rig.controller("two", lease);
    rig.start();
    await rig.run([controller], 10 * 60_000);
    expect(rig.asked).toEqual([]);
    expect(controller.current()).toMatchObject({ wave: 0, phase: "baking", remainingMs: 0, leads: false });
    lease.held = true;
    await rig.run([controller], tickMs);
    expect(rig.steps).toBe("started, wave_released, wave_released");
  });
});

describe("a log that can't be written", () => {
  test("is tried again ever more seldom, and the step is taken when it is back", async () => {
    const rig = new Rig(threeWaves);
    const controller = rig.controller();
    rig.start();
    await rig.run([controller], 119_000);
    rig.logIs = "unavailable";
    await rig.run([controller], 10 * 60_000);
    expect(rig.asked.length).toBeGreaterThan(10);
    expect(rig.asked.length).toBeLessThan(40);
    expect(new Set(rig.asked).size).toBe(1);
    rig.logIs = "gone";
    await rig.run([controller], 60_000);
    rig.logIs = "there";
    await rig.run([controller], hourMs, isOver(rig));
    expect(rig.steps).toBe(goodSteps);
    expect(rig.faults).toEqual([]);
  });
});

describe("a default policy that starts rollouts by itself", () => {
  test("starts one of the newest revision that waits, and none of what was rolled back", async () => {
    const rig = new Rig({ ...threeWaves, startAutomatically: true });
    const controller = rig.controller();
    await rig.run([controller], 1000);
    expect(rig.newest?.start.targetRevision).toBe(target);
    expect(rig.taken[0]?.reason).toMatch(/^revision 2 waits/);
    rig.history.change();
    const next = rig.history.releases.latest;
    await rig.run([controller], 1000);
    expect(rig.newest?.start.targetRevision, "one at a time").toBe(target);
    rig.ask({ step: "roll_back", rollout: null, failedGate: null, judgement: null });
    await rig.run([controller], 1000);
    expect(rig.newest?.start.targetRevision).toBe(next);
    rig.ask({ step: "roll_back", rollout: null, failedGate: null, judgement: null });
    await rig.run([controller], hourMs);
    expect(rig.history.releases.rollouts).toHaveLength(2);
  });

  test("otherwise they are started by hand", async () => {
    const rig = new Rig(threeWaves);
    await rig.run([rig.controller()], hourMs);
    expect(rig.history.releases).toMatchObject({ rollouts: nothingReleased.rollouts });
  });
});

describe("the loop", () => {
  test("looks at each interval and on news, tells of changes, and ends with the lease given back", async () => {
    const rig = new Rig(threeWaves);
    const controllerParts: { news?: () => void; waits: number[] } = { waits: [] };
    const clock: Clock = {
      monotonicMs: () => rig.nowMs,
      wait: (ms, signal) => {
        controllerParts.waits.push(ms);
        return new Promise((resolve) => {
          if (signal.aborted) resolve();
          signal.addEventListener("abort", () => resolve());
        });
      },
    };
    let isLeaseClosed = false;
    const lease = {
      held: true,
      close: () => {
        isLeaseClosed = true;
        return Promise.resolve();
      },
    };
    let looks = 0;
    const controller = new RolloutController({
      replicaId: "one",
      lease,
      clock,
      live: { configuration: rig.history.configuration, catchUp: () => Promise.resolve() },
      observe: () => {
        looks += 1;
        return rig.observe();
      },
      steps: { take: () => Promise.resolve({ outcome: "taken" }) },
      onNews: (callback) => {
        controllerParts.news = callback;
        return () => delete controllerParts.news;
      },
      onFault: (error) => rig.faults.push(error),
    });
    const changed = new Promise<void>((resolve) => controller.onChange(resolve));
    rig.start();
    controller.start();
    await changed;
    expect(controller.current()).toMatchObject({ rollout: "rollouts/r3", wave: 0, phase: "applying", leads: true });
    controllerParts.news?.();
    await controller.close();
    await controller.close();
    expect([isLeaseClosed, controllerParts.news, looks]).toEqual([true, undefined, 1]);
    expect(controllerParts.waits[0]).toBe(tickMs);
    expect(rig.faults).toEqual([]);
  });
});
