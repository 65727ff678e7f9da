import { expect, it } from "vitest";
import { HealthChecker } from "../../dataplane/health/health-checker.ts";
import { LocalProber } from "../../dataplane/health/probes/local-prober.ts";
import { ServerHealthBoard } from "../../dataplane/health/server-health.ts";
import type { Probe } from "../../model/farm-policy.ts";
import type { FarmName, ServerResourceName } from "../../model/resource-name.ts";
import type { Farm, Server } from "../../model/resource.ts";
import { runSeed, seededRandom } from "../support/seeded-random.ts";
import { CountingProber } from "./counting-prober.ts";
import { FixedAddresses } from "./fixed-addresses.ts";
import { testCheck, testFarm, testServer } from "./health-resources.ts";
import { https, tcp, tls } from "./run-probe.ts";

const farms: readonly FarmName[] = ["farms/a", "farms/b", "farms/c"];
const probes: readonly (Probe | null)[] = [null, tcp, tls(), tls({ serverName: "a.test" }), https()];

it("Every farm that is checked holds one probe, and nobody else holds any, whatever changes.", async () => {
  const random = seededRandom(runSeed());
  const prober = new CountingProber(new LocalProber());
  const board = new ServerHealthBoard();
  const parts = { board, addresses: new FixedAddresses(), onTickets: () => undefined, now: () => 0, random, prober };
  const checker = new HealthChecker(parts);
  const known = new Map<FarmName, Farm>();
  const servers = new Map<ServerResourceName, Server>();
  const one = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)] as Value;

  for (let change = 0; change < 10_000; change += 1) {
    const name = one(farms);
    const before = known.get(name) ?? null;
    const probe = one(probes);
    const check = probe === null ? null : testCheck({ probe, intervalMs: one([1000, 2000]) });
    const after = random() < 0.1 ? null : testFarm({ healthCheck: check }, name);
    const server = testServer(`${name}/servers/${one(["x", "y"])}`, "127.0.0.1:1", {
      state: one(["ready", "maintenance"] as const),
    });
    if (random() < 0.3) {
      const gone = random() < 0.3;
      checker.apply([{ before: servers.get(server.name) ?? server, after: gone ? null : server }]);
      if (gone) servers.delete(server.name);
      else servers.set(server.name, server);
    } else if (before !== null || after !== null) {
      checker.apply([{ before, after }]);
      if (after === null) known.delete(name);
      else known.set(name, after);
    }
    const checked = [...known.values()].filter(({ healthCheck }) => healthCheck !== null);
    expect(prober.held).toBe(checked.length);
  }
  await checker.close();
});
