import fc from "fast-check";
import { expect, it } from "vitest";
import { balanceNames } from "../../model/farm-policy.ts";
import { deviation } from "../../test/support/chi-squared.ts";
import { ChoosingFarm, clientAddress, countEach } from "../../test/support/choosing-farm.ts";
import { runSeed, seededRandom } from "../../test/support/seeded-random.ts";
import type { FarmRouting } from "./routing.ts";
import { serverStandings } from "./server-standings.ts";

/** By load the parts are those of the long run, not of many choices at one moment. */
const byLoad: ReadonlySet<string> = new Set(["least_connections", "power_of_two"]);

const server = fc.record({
  weight: fc.constantFrom(0, 1, 2, 5),
  region: fc.constantFrom("", "east", "west"),
  backup: fc.boolean(),
  state: fc.constantFrom(
    "ready" as const,
    "ready" as const,
    "ready" as const,
    "drain" as const,
    "maintenance" as const,
  ),
  connectionsMax: fc.constantFrom(0, 0, 2),
  healthy: fc.boolean(),
  reachable: fc.constantFrom(true, true, false),
  share: fc.constantFrom(1, 1, 0.5),
  connections: fc.constantFrom(0, 2),
});
const policy = fc.record({
  balance: fc.constantFrom(...balanceNames.filter((name) => !byLoad.has(name))),
  panicThreshold: fc.constantFrom(0, 1, 50),
  locality: fc.constantFrom(null, { regions: ["west"], spillBelowPercent: 70 }),
});

it("the shares that are told are those that connections find", () => {
  const several = fc.array(server, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(policy, several, (some, servers) => {
      const farm = new ChoosingFarm(some, { seed: runSeed(), region: "east" });
      for (const [index, { weight, region, backup, state, connectionsMax, ...condition }] of servers.entries())
        farm.put(`s${index}`, { weight, region, backup, state, connectionsMax }, condition);
      const standings = serverStandings(farm.routing.farm("farms/f") as FarmRouting, "east", farm);
      const told = standings.servers.filter(({ share }) => share > 0);
      const parts = Object.fromEntries(told.map(({ server: { name }, share }) => [name.slice(16), share]));
      const random = seededRandom(runSeed());
      const ids = Array.from({ length: 2000 }, () => {
        const client = Math.floor(random() * 2 ** 24);
        return farm.choose({ source: clientAddress(client), name: `n${client}.test` });
      });
      if (told.length === 0) {
        expect(new Set(ids)).toEqual(new Set([standings.full ? "full" : "no_server"]));
        return;
      }
      expect(deviation(countEach(ids), parts)).toBeNull();
      expect(told.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
    }),
    { seed: runSeed(), numRuns: 50 },
  );
});
