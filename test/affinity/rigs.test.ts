import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { splitSocketAddress } from "../../model/address.ts";
import { HaproxyPair, haproxyWays } from "./haproxy-comparator.ts";
import { TlsStacks } from "./tls-stacks.ts";
import { resumedPercent, visitInRounds } from "./visits.ts";

describe("the rigs", () => {
  let stacks: TlsStacks;
  let haproxy: HaproxyPair;

  beforeAll(async () => {
    stacks = await TlsStacks.start("127.0.0.1");
    haproxy = await HaproxyPair.start(stacks.farms);
  });

  afterAll(async () => {
    await haproxy.stop();
    await stacks.stop();
  });

  test("print", async () => {
    console.log(stacks.stacks.map(({ name, version }) => `${name} ${version}`).join(", "));
    for (const farm of stacks.farms) {
      const t = performance.now();
      const direct = await visitInRounds({ farm, edges: [splitSocketAddress(farm.servers[0]!.address)], clients: 10 });
      const row = [farm.name, JSON.stringify(direct)];
      for (const way of haproxyWays) {
        const r = await visitInRounds({ farm, edges: haproxy.edges(way) });
        row.push(`${resumedPercent(r).toFixed(1)}/${r.offered}/${r.disputed}`);
      }
      console.log(row.join(" | "), Math.round(performance.now() - t));
    }
    expect(1).toBe(1);
  }, 300000);
});
