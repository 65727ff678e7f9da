import { expect, test } from "vitest";
import type { Crash } from "./crashing-log.ts";
import { outline } from "./simulated-fleet.ts";
import { rackFirst } from "./simulated-policy.ts";
import { addresses, appResources } from "./simulated-world.ts";
import { expectAllAt, idsOf, inWave, servedBy, stagedFleet, startRollout } from "./staged-fleet.ts";

const small = { nodes: 15, clientsPerStep: 200 };

const good = "started, wave_released 1, wave_released 2, wave_released 3, completed";
const bad = "started, wave_released 1, rolled_back (connect_failures)";

/** At every commit of a rollout that the controller makes. */
function crashes(commits: number): readonly Crash[] {
  const moments = ["before", "after"] as const;
  return Array.from({ length: commits }, (_none, index) => index + 1).flatMap((append) =>
    moments.map((moment) => ({ append, moment })),
  );
}

test.each([
  { what: "good", addresses: [addresses.better, addresses.best], steps: good, commits: 3 },
  { what: "bad", addresses: [addresses.flaky, addresses.asFlaky], steps: bad, commits: 1 },
])(
  "a controller that dies at any commit of a $what rollout, before or after it was taken, changes nothing of the outcome",
  async ({ what, addresses: [one, other], steps, commits }) => {
    const fleet = await stagedFleet(small, rackFirst);
    for (const [turn, crash] of crashes(commits).entries()) {
      const { base, target } = await startRollout(fleet, (turn % 2 === 0 ? one : other) as string);
      fleet.replica.process.log.crashAt(crash);
      await fleet.ended();
      const { restarts, newest } = fleet;
      expect({ crash, restarts, steps: outline(newest) }).toEqual({ crash, restarts: turn + 1, steps });
      expectAllAt(fleet, what === "good" ? target : base);
      if (what === "bad") expect(idsOf(servedBy(fleet, target))).toEqual(idsOf(inWave(fleet, 0)));
    }
  },
);

test("a controller that dies between two looks, any two of a rollout, changes nothing of its outcome", async () => {
  const fleet = await stagedFleet(small, rackFirst);
  for (let look = 0; fleet.restarts === look; look += 1) {
    const { target } = await startRollout(fleet, look % 2 === 0 ? addresses.better : addresses.best);
    for (let step = 0; step < look; step += 1) await fleet.step();
    // Beyond the end there is nothing to be killed in.
    if (fleet.newest.state === "running") await fleet.restartReplica();
    await fleet.ended();
    expect({ look, steps: outline(fleet.newest) }).toEqual({ look, steps: good });
    expectAllAt(fleet, target);
  }
  expect(fleet.restarts).toBeGreaterThan(5);
});

test.each(["before", "after"] as const)(
  "a process that dies %s it has taken the start of a rollout starts it once, when it is asked again",
  async (moment) => {
    const fleet = await stagedFleet(small, rackFirst);
    const target = await fleet.replica.apply(appResources(addresses.better));
    const start = { type: "rollout", step: { step: "start", target: null, policy: null } } as const;
    fleet.replica.process.log.crashAt({ append: 1, moment });
    await expect(fleet.replica.answer(start, "go", "start-1")).rejects.toThrow("the process has died");
    await fleet.restartReplica();
    expect(await fleet.replica.answer(start, "go", "start-1")).not.toHaveProperty("refused");
    await fleet.ended();
    expect(outline(fleet.newest)).toBe(good);
    expect(fleet.live.configuration.releases.rollouts).toHaveLength(1);
    expectAllAt(fleet, target);
  },
);

test.each([
  { what: "good", address: addresses.better, steps: good },
  { what: "bad", address: addresses.flaky, steps: bad },
])(
  "two controllers that both believe to lead take a $what rollout through each step once",
  async ({ address, steps, what }) => {
    const fleet = await stagedFleet({ ...small, replicas: 2 }, rackFirst);
    const { base, target } = await startRollout(fleet, address);
    await fleet.ended();
    expect(outline(fleet.newest)).toBe(steps);
    expectAllAt(fleet, what === "good" ? target : base);
  },
);
