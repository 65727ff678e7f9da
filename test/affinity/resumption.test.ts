import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { splitSocketAddress } from "../../model/address.ts";
import { AffinityFleet } from "./affinity-fleet.ts";
import { HaproxyPair, haproxyWays } from "./haproxy-comparator.ts";
import { haproxyVersion } from "./haproxy-farm.ts";
import { measuredText, resumptionTable, stackText, type TableColumn, writeMeasured } from "./resumption-table.ts";
import type { TlsFarm } from "./tls-farm.ts";
import { TlsStacks } from "./tls-stacks.ts";
import { type Resumption, resumedPercent, visitInRounds } from "./visits.ts";

/** `SWITCHYARD_TABLE=1` measures HAProxy before every farm, not before one stack, and writes docs/affinity.md. */
const wholeTable = process.env["SWITCHYARD_TABLE"] !== undefined;

/** Some 50 processes. */
const startedMs = 3 * 60_000;

const measuredMs = 10 * 60_000;

/** What the first checks teach is enough: keys do not change here. */
const checked = ", healthCheck: {tls: {}, interval: 10s}";

/** 50 clients, five visits each through two nodes alternately, four servers with keys of their own: 25% is chance. */
describe("resumption", () => {
  let fleet: AffinityFleet;
  let stacks: TlsStacks;
  let haproxy: HaproxyPair;
  let farms: readonly TlsFarm[];
  const columns: TableColumn[] = [];

  beforeAll(async () => {
    fleet = await AffinityFleet.start("with NATS");
    stacks = await TlsStacks.start(fleet.address);
    farms = stacks.farms;
    haproxy = await HaproxyPair.start(farms);
  }, startedMs);

  afterAll(async () => {
    console.log(measured());
    if (wholeTable) {
      const versions = stacks.stacks.map(({ name, version }) => `${stackText[name] ?? name} ${version}`);
      writeMeasured(measuredText(versions, await haproxyVersion(), measured(), new Date()));
    }
    await haproxy.stop();
    await fleet.stop();
    await stacks.stop();
  });

  test("a client that always comes to the same server resumes whenever it has a session to offer", async () => {
    for (const farm of farms) {
      const edges = farm.servers.slice(0, 1).map(({ address }) => splitSocketAddress(address));
      const [direct] = await visitInRounds({ farms: [farm], edges: () => edges, clients: 4 });
      expect(lost(direct)).toEqual([]);
      expect(direct?.offered).toBeGreaterThanOrEqual(4 * 3);
    }
  });

  test(
    "at least 99% through Switchyard, for every stack, in TLS 1.3 and 1.2, with tickets and with ids, while a node is killed and comes back",
    async () => {
      await fleet.serve(farms.map((farm) => [farm, checked]));
      for (const farm of farms) if (farm.mode !== "tls12-ids") await fleet.knowsTicketNames(farm, farm.servers.length);
      const [first] = fleet.nodes;
      const before = async (round: number): Promise<void> => {
        if (round === 2) await first?.process.kill();
        if (round !== 3) return;
        await first?.process.start();
        for (const farm of farms) await fleet.knowsSessions(farm);
      };
      const edges = (round: number) => (round === 2 ? fleet.edges.slice(1) : fleet.edges);
      const all = await visitInRounds({ farms, edges, before });
      columns.push(columnOf("Switchyard", all));
      expect(all.flatMap((each) => (resumedPercent(each) < 99 ? lost(each) : []))).toEqual([]);
      expect(all.map(({ disputed }) => disputed)).toEqual(all.map(() => 0));
    },
    measuredMs,
  );

  test(
    "HAProxy with the same clients and servers: chance for round robin, and the stick table helps session ids only",
    async () => {
      const compared = wholeTable ? farms : farms.filter(({ stack }) => stack === "nginx");
      const clients = wholeTable ? 50 : 24;
      const byWay = new Map<string, readonly Resumption[]>();
      for (const way of haproxyWays) {
        const all = await visitInRounds({ farms: compared, clients, edges: () => haproxy.edges(way) });
        byWay.set(way, all);
        columns.push(columnOf(`HAProxy, ${way}`, all));
      }
      const tickets = (way: string): readonly Resumption[] =>
        (byWay.get(way) ?? []).filter(({ farm }) => farm.mode !== "tls12-ids");
      // Chance is 25%; of 96 visits more than 45% are not.
      for (const each of byWay.get("round robin") ?? []) expect(resumedPercent(each)).toBeLessThan(45);
      for (const each of tickets("with delay")) expect(resumedPercent(each)).toBeLessThan(75);
    },
    measuredMs,
  );

  function measured(): string {
    const rows = farms.map(({ name, stack, mode }) => ({ farm: name, stack, mode }));
    const order = [...columns].sort((one, other) => rank(one) - rank(other));
    return resumptionTable(rows, order);
  }
});

function rank({ title }: TableColumn): number {
  return ["HAProxy, round robin", "HAProxy, as published", "HAProxy, with delay", "Switchyard"].indexOf(title);
}

function columnOf(title: string, all: readonly Resumption[]): TableColumn {
  return { title, percents: new Map(all.map((each) => [each.farm.name, resumedPercent(each)])) };
}

/** What was lost where, in words; empty for nothing. */
function lost(resumption: Resumption | undefined): readonly string[] {
  if (resumption === undefined) return ["not measured"];
  const { farm, offered, resumed, lostInRound } = resumption;
  return resumed === offered && offered > 0
    ? []
    : [`${farm.name}: ${resumed} of ${offered}, lost by round ${lostInRound.join(", ")}`];
}
