import { describe, expect, test } from "vitest";
import { rolloutGatesDefaults } from "../../model/rollout-policy.ts";
import {
  bad,
  calm,
  goodSteps,
  hourMs,
  isOver,
  type RigNode,
  RolloutRig,
  servedTarget,
  target,
  threeWaves,
  tickMs,
} from "../../test/controlplane/rollout-rig.ts";

describe("a rollout", () => {
  test("of a good change goes through its waves and completes, and each step says what it went by", async () => {
    const rig = new RolloutRig(threeWaves);
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
    const rig = new RolloutRig(threeWaves);
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
    const rig = new RolloutRig({ ...threeWaves, onFailure: "pause" });
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
    const rig = new RolloutRig(threeWaves);
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
    const rig = new RolloutRig(threeWaves);
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
      const rig = new RolloutRig({ ...threeWaves, gates: { ...rolloutGatesDefaults, lostMaxPercent } });
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
    const rig = new RolloutRig({ ...threeWaves, gates: { ...rolloutGatesDefaults, lostMaxPercent: 30 } });
    const controller = rig.controller();
    rig.start();
    await rig.run([controller], 10_000);
    const [gone] = rig.nodes.splice(0, 1);
    for (const id of ["new-1", "new-2"]) rig.nodes.push({ ...(gone as RigNode), identity: { ...gone!.identity, id } });
    await rig.run([controller], hourMs, isOver(rig));
    expect(rig.steps).toBe(goodSteps);
    expect(rig.newest?.decisions[2]?.judgement?.counts).toMatchObject({ nodes: 6, reachable: 5, lost: 1, crashed: 0 });
  });
});
