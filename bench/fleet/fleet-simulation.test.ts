import { describe, expect, it } from "vitest";
import { runSeed } from "../../test/support/seeded-random.ts";
import { badWeather, simulateFleet, type SimulationOptions } from "./fleet-simulation.ts";

const seed = runSeed();
const options: SimulationOptions = { seed, nodes: 200, commits: 24, weather: badWeather };

describe(`a simulated fleet of 200 nodes, seed ${seed}`, () => {
  it.each([
    ["delays, losses, doubles and partitions", {}],
    ["nothing but reordering", { weather: { delayMinMs: 0, delayMaxMs: 3000, lostShare: 0, doubledShare: 0 } }],
    ["half of all messages lost", { weather: { ...badWeather, lostShare: 0.5 } }],
    ["most messages doubled", { weather: { ...badWeather, doubledShare: 0.9 } }],
  ])("comes to the log's digest on every node: %s", async (_name, more) => {
    const result = await simulateFleet({ ...options, ...more });
    expect(result).toMatchObject({ current: 200, digestsEqual: 200 });
    expect(result.settledMs).toBeDefined();
  });

  it("meets the faults that it is there for", async () => {
    const { network, restarts, partitions, fetched } = await simulateFleet(options);
    for (const count of [network.lost, network.doubled, network.cutOff, restarts, partitions, fetched])
      expect(count).toBeGreaterThan(0);
  });

  it("is the same run for the same seed, and another for another", async () => {
    const first = await simulateFleet(options);
    expect(await simulateFleet(options)).toEqual(first);
    expect((await simulateFleet({ ...options, seed: seed + 1 })).fingerprint).not.toBe(first.fingerprint);
  });

  it("is seen not to be current while one node is cut off", async () => {
    const result = await simulateFleet({ ...options, lostNode: 7 });
    expect(result.current).toBe(199);
    expect(result.settledMs).toBeUndefined();
  });
});
