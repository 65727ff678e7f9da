import { expect, test } from "vitest";
import { outline } from "./simulated-fleet.ts";
import { rackFirst, threeWaves } from "./simulated-policy.ts";
import { addresses, appResources } from "./simulated-world.ts";
import { expectAllAt, idsOf, inWave, servedBy, stagedFleet, startRollout } from "./staged-fleet.ts";

const thousand = { nodes: 1000 };
const small = { nodes: 30 };

test(`a good change reaches ${thousand.nodes} nodes, wave by wave, and every decision has its figures`, async () => {
  const fleet = await stagedFleet(thousand, threeWaves);
  const { target } = await startRollout(fleet, addresses.better);
  for (let wave = 0; wave < 3; wave += 1) {
    await fleet.until(`wave ${wave + 1}`, () => fleet.newest.releasedWaves > wave);
    const released = [0, 1, 2].slice(0, wave + 1).flatMap((each) => inWave(fleet, each));
    expect(idsOf(servedBy(fleet, target))).toEqual(idsOf(released));
  }
  await fleet.ended();
  expect(outline(fleet.newest)).toBe("started, wave_released 1, wave_released 2, wave_released 3, completed");
  expectAllAt(fleet, target);

  const [started, first, ...judged] = fleet.newest.decisions;
  expect([started?.judgement, first?.judgement]).toEqual([null, null]);
  for (const [wave, { judgement }] of judged.entries()) {
    const nodes = inWave(fleet, wave).length;
    expect(judgement).toMatchObject({ wave, counts: { nodes, reachable: nodes, applied: nodes, crashed: 0, lost: 0 } });
    expect(judgement?.gates.map(({ outcome }) => outcome)).not.toContain("failed");
    expect(judgement?.gates.find(({ gate }) => gate === "applied")).toMatchObject({ outcome: "passed", observed: 1 });
  }
  const connects = judged[0]?.judgement?.gates.find(({ gate }) => gate === "connect_failures");
  expect(connects).toMatchObject({ outcome: "passed" });
  expect(Math.min(connects?.sample ?? 0, connects?.controlSample ?? 0)).toBeGreaterThan(500);
});

test("a change that makes 5% of connects fail is caught in the first wave, and taken back without anybody", async () => {
  const fleet = await stagedFleet(thousand, threeWaves);
  const { base, target } = await startRollout(fleet, addresses.flaky);
  const canaries = inWave(fleet, 0);
  await fleet.ended();
  expect(outline(fleet.newest)).toBe("started, wave_released 1, rolled_back (connect_failures)");
  expect(fleet.newest.decisions.at(-1)?.author).not.toBe("test");
  expectAllAt(fleet, base);
  expect(idsOf(servedBy(fleet, target))).toEqual(idsOf(canaries));

  const { connections, failed } = fleet.tally.get(target) ?? { connections: 0, failed: 0 };
  const all = [...fleet.tally.values()].reduce((sum, tally) => sum + tally.connections, 0);
  expect(failed).toBeGreaterThan(0);
  expect(connections / all).toBeLessThanOrEqual(canaries.length / thousand.nodes);
});

test("a change that kills the processes that serve it is stopped in the first wave, each death counted", async () => {
  const fleet = await stagedFleet(thousand, threeWaves);
  const { base, target } = await startRollout(fleet, addresses.deadly);
  const canaries = inWave(fleet, 0);
  await fleet.ended();
  await fleet.step();
  expect(outline(fleet.newest)).toBe("started, wave_released 1, rolled_back (lost)");
  expect(idsOf(servedBy(fleet, target))).toEqual(idsOf(canaries));
  expect(canaries.filter(({ deaths }) => deaths === 0)).toEqual([]);
  const { counts } = fleet.newest.decisions.at(-1)?.judgement ?? {};
  expect(counts?.nodes).toBe(canaries.length);
  expect((counts?.crashed ?? 0) + (counts?.lost ?? 0)).toBe(canaries.length);
  expectAllAt(fleet, base);
});

test("a change that kills processes for good, before the controller has looked once, is stopped in the first wave", async () => {
  const fleet = await stagedFleet(small, rackFirst);
  await fleet.look();
  const target = await fleet.replica.apply(appResources(addresses.fatal));
  await fleet.replica.rollout({ step: "start", target: null, policy: null });
  await fleet.settled();
  const canaries = inWave(fleet, 0);
  expect(canaries.filter(({ life }) => life !== undefined)).toEqual([]);
  await fleet.ended();
  expect(outline(fleet.newest)).toBe("started, wave_released 1, rolled_back (lost)");
  expect(idsOf(servedBy(fleet, target))).toEqual(idsOf(canaries));
  expect(fleet.newest.decisions.at(-1)?.judgement?.counts).toMatchObject({
    nodes: canaries.length,
    lost: canaries.length,
  });
});

test.each([
  { state: "completed", address: addresses.better },
  { state: "rolled_back", address: addresses.flaky },
])(
  "a region that is cut off before its wave holds nothing up, and goes straight to what is right after a rollout that was $state",
  async ({ state, address }) => {
    const fleet = await stagedFleet(thousand, threeWaves);
    const eu = fleet.region("eu");
    eu.cut();
    const { base, target } = await startRollout(fleet, address);
    await fleet.ended();
    expect(fleet.newest.state).toBe(state);
    expect(eu.nodes.flatMap(({ served }) => served)).not.toContain(target);
    const right = state === "completed" ? target : base;
    const before = eu.nodes.map(({ served }) => served.length);
    eu.mend();
    await fleet.settled();
    expectAllAt(fleet, right);
    const since = eu.nodes.flatMap(({ served }, index) => served.slice(before[index]));
    expect(new Set(since)).toEqual(new Set(right === base ? [] : [target]));
  },
);
