import { describe, expect, test } from "vitest";
import { nothingReleased } from "../../model/releases.ts";
import {
  bad,
  goodSteps,
  hourMs,
  isOver,
  RolloutRig,
  target,
  threeWaves,
  tickMs,
} from "../../test/controlplane/rollout-rig.ts";
import type { Clock } from "./clock.ts";
import { RolloutController } from "./rollout-controller.ts";

describe("several controllers", () => {
  test.each(["good", "bad"])(
    "of a %s rollout: one that remembers nothing goes on at any time, to the same end",
    async (what) => {
      const steps = what === "good" ? goodSteps : "started, wave_released, rolled_back (connect_failures)";
      for (const takenOverEachMs of [17_000, 121_000]) {
        const rig = new RolloutRig(threeWaves);
        if (what === "bad") rig.world = bad;
        rig.start();
        // Those who only see a part of a bake begin it anew: after some takeovers one is left alone.
        for (let turn = 0; turn < 4; turn += 1)
          await rig.run([rig.controller(`r${turn}`)], takenOverEachMs, isOver(rig));
        await rig.run([rig.controller("last")], hourMs, isOver(rig));
        expect({ takenOverEachMs, steps: rig.steps }).toEqual({ takenOverEachMs, steps });
      }
    },
  );

  test.each(["good", "bad"])("of a %s rollout that all believe to lead release no wave twice", async (what) => {
    const rig = new RolloutRig(threeWaves);
    if (what === "bad") rig.world = bad;
    rig.start();
    await rig.run([rig.controller("one"), rig.controller("two"), rig.controller("three")], hourMs, isOver(rig));
    expect(rig.steps).toBe(what === "good" ? goodSteps : "started, wave_released, rolled_back (connect_failures)");
    expect(new Set(rig.taken.map(({ requestId }) => requestId)).size).toBe(rig.taken.length);
    expect(rig.faults).toEqual([]);
  });

  test("without the lease one sees all and does nothing; once it has it, it goes on without a new watch", async () => {
    const rig = new RolloutRig(threeWaves);
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
    const rig = new RolloutRig(threeWaves);
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
    const rig = new RolloutRig({ ...threeWaves, startAutomatically: true });
    const controller = rig.controller();
    await rig.run([controller], 1000);
    expect(rig.newest?.start.targetRevision).toBe(target);
    expect(rig.taken[0]?.reason).toMatch(/^revision 2 waits/);
    rig.history.change();
    const next = rig.history.releases.latest;
    await rig.run([controller], 1000);
    // One at a time.
    expect(rig.newest?.start.targetRevision).toBe(target);
    rig.ask({ step: "roll_back", rollout: null, failedGate: null, judgement: null });
    await rig.run([controller], 1000);
    expect(rig.newest?.start.targetRevision).toBe(next);
    rig.ask({ step: "roll_back", rollout: null, failedGate: null, judgement: null });
    await rig.run([controller], hourMs);
    expect(rig.history.releases.rollouts).toHaveLength(2);
  });

  test("starts none of what an operator passed over, and goes on with the next commit", async () => {
    const rig = new RolloutRig({ ...threeWaves, startAutomatically: true });
    const controller = rig.controller();
    rig.history.change();
    await rig.run([controller], hourMs, isOver(rig));
    const older = { revision: target, digest: new Uint8Array(32) };
    rig.ask({ step: "emergency", target: older });
    await rig.run([controller], 10_000);
    expect(rig.newest?.start).toMatchObject({ emergency: true, targetRevision: target });
    rig.history.change();
    await rig.run([controller], 1000);
    expect(rig.newest?.start).toMatchObject({ emergency: false, targetRevision: rig.history.releases.latest });
  });

  test("otherwise they are started by hand", async () => {
    const rig = new RolloutRig(threeWaves);
    await rig.run([rig.controller()], hourMs);
    expect(rig.history.releases).toMatchObject({ rollouts: nothingReleased.rollouts });
  });
});

describe("the loop", () => {
  test("looks at each interval and on news, tells of changes, and ends with the lease given back", async () => {
    const rig = new RolloutRig(threeWaves);
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
