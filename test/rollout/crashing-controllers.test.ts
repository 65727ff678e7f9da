import { expect, test } from "vitest";
import type { Crash } from "./crashing-log.ts";
import { outline } from "./simulated-fleet.ts";
import { rackFirst } from "./simulated-policy.ts";
import { addresses } from "./simulated-world.ts";
import { expectAllAt, idsOf, inWave, servedBy, stagedFleet, startRollout } from "./staged-fleet.ts";

const small = { nodes: 30, clientsPerStep: 200 };

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
      const where = `${crash.moment} commit ${crash.append}`;
      expect(fleet.restarts, where).toBe(turn + 1);
      expect(outline(fleet.newest), where).toBe(steps);
      expectAllAt(fleet, what === "good" ? target : base);
      if (what === "bad") expect(idsOf(servedBy(fleet, target))).toEqual(idsOf(inWave(fleet, 0)));
    }
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
