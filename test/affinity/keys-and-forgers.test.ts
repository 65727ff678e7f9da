import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { filler } from "../corpus/hello-builder.ts";
import { runSeed, seededRandom } from "../support/seeded-random.ts";
import { waitFor } from "../support/wait-for.ts";
import { AffinityFleet } from "./affinity-fleet.ts";
import { NginxStack } from "./nginx-farm.ts";
import { NodeFarm } from "./node-farm.ts";
import { OpensslFarm } from "./openssl-farm.ts";
import { answerTo, helloWithTicket, ticketFrom } from "./raw-hellos.ts";
import type { Edge } from "./returning-client.ts";
import { type FarmServer, serverNameOf, type TlsFarm } from "./tls-farm.ts";
import { resumedPercent, visitInRounds } from "./visits.ts";

const checked = ", healthCheck: {tls: {}, interval: 2s}";

describe("keys that change, and clients that lie", () => {
  let fleet: AffinityFleet;

  beforeAll(async () => {
    fleet = await AffinityFleet.start("with NATS");
  });

  afterAll(() => fleet.stop());

  test.each(["tls13-tickets", "tls12-tickets"] as const)(
    "%s: when each node has checked a server once after its keys changed, its new sessions are resumed",
    async (mode) => {
      const { farm, servers, stop } = await NodeFarm.start(fleet.address, mode, { name: `rotated-${mode}` });
      onTestFinished(stop);
      await fleet.serve([[farm, checked]]);
      await fleet.knowsTicketNames(farm, farm.servers.length);
      const [rotated] = servers;
      await resumesAfter(farm, async () => {
        rotated?.rotate();
        for (const { host } of fleet.edges) await waitFor("a check of each node", () => rotated?.ended.get(host));
      });
    },
  );

  test("nginx: the same after a reload", async () => {
    const nginx = await NginxStack.start(fleet.address);
    onTestFinished(() => nginx.stop());
    const farm = nginx.farms.find(({ mode }) => mode === "tls13-tickets") as TlsFarm;
    await fleet.serve([[farm, checked]]);
    await fleet.knowsTicketNames(farm, farm.servers.length);
    await resumesAfter(farm, async () => {
      nginx.reload("s1");
      await fleet.knowsTicketNames(farm, farm.servers.length + 1);
    });
  });

  test("OpenSSL: the same after a restart of the server", async () => {
    const openssl = await OpensslFarm.start(fleet.address, "tls13-tickets", { name: "restarted" });
    onTestFinished(() => openssl.stop());
    const { farm } = openssl;
    await fleet.serve([[farm, checked]]);
    await fleet.knowsTicketNames(farm, farm.servers.length);
    // Were a node's first check to fall into the restart, it would pass the server over until two more have passed.
    await fleet.hasChecked(farm);
    await resumesAfter(farm, async () => {
      await openssl.servers[0]?.restart();
      await fleet.knowsTicketNames(farm, farm.servers.length + 1);
    });
  });

  test("forged tickets teach nothing: honest clients resume, at least 99%, amid a flood of them", async () => {
    const { farm, stop } = await NodeFarm.start(fleet.address, "tls13-tickets", { name: "forged" });
    onTestFinished(stop);
    await fleet.serve([[farm, checked]]);
    await fleet.knowsTicketNames(farm, farm.servers.length);
    const tickets = await Promise.all(farm.servers.map(ticketFrom));
    const random = seededRandom(runSeed());
    const [all] = await visitInRounds({
      farms: [farm],
      edges: () => fleet.edges,
      before: async (round) => {
        for (let count = 0; count < 100; count += 1) {
          const ticket = forged(tickets[count % 4] as Uint8Array, count % 2 === 0, random);
          const { peer } = await answerTo(edgeOf(fleet, count + round), helloWithTicket(serverNameOf(farm), ticket));
          peer.reset();
        }
      },
    });
    expect(resumedPercent(all!)).toBeGreaterThanOrEqual(99);
    const names = (await fleet.affinityOf(farm)).map(({ affinity }) => Number(affinity?.ticketNames));
    expect(names).toEqual([farm.servers.length]);
  });

  test("tickets of one server's name, forged, bring it no more connections than it may have", async () => {
    const { farm, servers, stop } = await NodeFarm.start(fleet.address, "tls13-tickets", { name: "flooded" });
    onTestFinished(stop);
    await fleet.serve([[farm, checked]]);
    await fleet.knowsTicketNames(farm, farm.servers.length);
    // Checks are connections too: they end before it is counted.
    await fleet.serve([[farm, "", `, connectionsMax: ${perNodeMax}`]]);
    const [victim] = servers;
    await waitFor("the end of the last check", () => victim?.connections === 0);
    const ticket = await ticketFrom(farm.servers[0] as FarmServer);
    await waitFor("the end of that connection", () => victim?.connections === 0);
    if (victim !== undefined) victim.connectionsMost = 0;
    const random = seededRandom(runSeed());
    const flood = await Promise.all(
      Array.from({ length: 3 * perNodeMax * fleet.edges.length }, (_, index) =>
        answerTo(edgeOf(fleet, index), helloWithTicket(serverNameOf(farm), forged(ticket, true, random))),
      ),
    );
    // All of them are served, by others where the limit is reached.
    expect(flood.map(({ kind }) => kind)).toEqual(flood.map(() => "hello"));
    expect(victim?.connectionsMost).toBe(perNodeMax * fleet.edges.length);
    for (const { peer } of flood) peer.reset();
    await waitFor("the end of the flood", () => servers.every(({ connections }) => connections === 0));
    const [all] = await visitInRounds({ farms: [farm], edges: () => fleet.edges });
    expect(resumedPercent(all!)).toBeGreaterThanOrEqual(99);
  });

  /** A change in the middle of the visits: in the third round the old sessions are lost; the sessions of that round are not. */
  async function resumesAfter(farm: TlsFarm, change: () => Promise<void>): Promise<void> {
    const before = async (round: number): Promise<void> => {
      if (round === 2) await change();
    };
    const [all] = await visitInRounds({ farms: [farm], edges: () => fleet.edges, clients: 24, before });
    const [, second, third, ...later] = all?.lostInRound ?? [];
    expect(second).toBe(0);
    expect(third).toBeGreaterThan(0);
    expect(later).toEqual([0, 0]);
  }
});

const perNodeMax = 10;

/** The name of a real ticket with other bytes behind it, or nothing but other bytes. */
function forged(ticket: Uint8Array, named: boolean, random: () => number): Uint8Array {
  const bytes = filler(ticket.length, 1 + Math.floor(random() * 2 ** 30));
  if (named) bytes.set(ticket.subarray(0, 16));
  return bytes;
}

function edgeOf(fleet: AffinityFleet, index: number): Edge {
  return fleet.edges[index % fleet.edges.length] as Edge;
}
