import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { splitSocketAddress } from "../../model/address.ts";
import { filler } from "../corpus/hello-builder.ts";
import { AffinityFleet } from "./affinity-fleet.ts";
import { NginxStack } from "./nginx-farm.ts";
import { NodeFarm } from "./node-farm.ts";
import { OpensslFarm } from "./openssl-farm.ts";
import { otherClients } from "./other-clients.ts";
import { answerTo, greasedHelloWithTicket, helloWithTicket, ticketFrom } from "./raw-hellos.ts";
import { type FarmServer, serverNameOf, type TlsFarm } from "./tls-farm.ts";
import { TlsFiles } from "./tls-files.ts";
import { resumedPercent, type VisitPlan, visitInRounds } from "./visits.ts";

const checked = ", healthCheck: {tls: {}, interval: 2s}";

/** SHA-256 of "HelloRetryRequest": the random of a ServerHello that is one (RFC 8446 section 4.1.3). */
const helloRetryRandom = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c";

/** Two nodes that hear from each other through the control plane alone. */
describe("handshakes that are not plain, without NATS", () => {
  let fleet: AffinityFleet;
  let nginx: NginxStack;
  let nginxTickets: TlsFarm;

  beforeAll(async () => {
    fleet = await AffinityFleet.start("without NATS");
    nginx = await NginxStack.start(fleet.address);
    nginxTickets = nginx.farms.find(({ mode }) => mode === "tls13-tickets") as TlsFarm;
    await fleet.serve([[nginxTickets, checked]]);
  });

  afterAll(async () => {
    await fleet.stop();
    await nginx.stop();
  });

  test("HelloRetryRequest: where servers refuse every client's first key share, at least 99% by what connections teach", async () => {
    const tls = { ecdhCurve: "prime256v1" };
    const { farm, stop } = await NodeFarm.start(fleet.address, "tls13-tickets", { name: "retry", tls });
    onTestFinished(stop);
    await fleet.serve([[farm, ""]]);
    const [first] = farm.servers;
    const hello = helloWithTicket("retry.test", filler(100));
    const { peer } = await answerTo(splitSocketAddress((first as FarmServer).address), hello);
    expect((await peer.receives(43)).subarray(11, 43).toString("hex")).toBe(helloRetryRandom);
    peer.reset();
    await resumesOnceLearnt({ farms: [farm], edges: () => fleet.edges, tls: { ecdhCurve: "X25519:prime256v1" } });
  });

  test("mutual TLS, where no check can finish: at least 99% by what connections teach", async () => {
    const options = { name: "mutual", words: ["-Verify", "1"] };
    const openssl = await OpensslFarm.start(fleet.address, "tls13-tickets", options);
    onTestFinished(() => openssl.stop());
    const { farm, files } = openssl;
    await fleet.serve([[farm, ""]]);
    const tls = { key: readFileSync(files.key), cert: readFileSync(files.cert) };
    await resumesOnceLearnt({ farms: [farm], edges: () => fleet.edges, tls });
  });

  test.each(["tls12-tickets", "tls12-ids"] as const)(
    "%s without checks: at least 99% from the first client on, as one node tells the other what it learnt",
    async (mode) => {
      const { farm, stop } = await NodeFarm.start(fleet.address, mode, { name: `unchecked-${mode}` });
      onTestFinished(stop);
      await fleet.serve([[farm, ""]]);
      const [all] = await visitInRounds({ farms: [farm], edges: () => fleet.edges });
      expect(resumedPercent(all!)).toBeGreaterThanOrEqual(99);
    },
  );

  test("GREASE: a hello full of it finds the server that can open its ticket", async () => {
    await fleet.knowsTicketNames(nginxTickets, nginxTickets.servers.length);
    const name = serverNameOf(nginxTickets);
    for (const server of nginxTickets.servers) {
      const ticket = await ticketFrom(server);
      for (const edge of fleet.edges) {
        // Who can open the ticket sees that its binder is wrong, and says so; all others pass it over.
        const right = await answerTo(edge, greasedHelloWithTicket(name, ticket));
        right.peer.reset();
        expect(right.kind).toBe("alert");
        const unknown = await answerTo(edge, greasedHelloWithTicket(name, filler(ticket.length, 77)));
        unknown.peer.reset();
        expect(unknown.kind).toBe("hello");
      }
    }
  });

  test.each(Object.entries(otherClients))("%s resumes with every visit after its first", async (_, visit) => {
    await fleet.knowsTicketNames(nginxTickets, nginxTickets.servers.length);
    const files = await TlsFiles.make();
    onTestFinished(() => files.remove());
    const answers = await visit(serverNameOf(nginxTickets), fleet.edges, files);
    expect(answers.length).toBeGreaterThan(0);
    expect(answers.filter((answer) => !answer.includes("session=r"))).toEqual([]);
  });

  /** In TLS 1.3 a ticket's name shows only when a server resumes by it; until then clients find their server by chance. */
  async function resumesOnceLearnt(visits: VisitPlan): Promise<void> {
    const [farm] = visits.farms as readonly [TlsFarm];
    let known = false;
    const learnt = fleet.knowsTicketNames(farm, farm.servers.length).finally(() => (known = true));
    // By chance a server may have resumed nothing yet after any number of visits.
    while (!known) await visitInRounds({ ...visits, clients: 30, rounds: 3 });
    await learnt;
    const [all] = await visitInRounds(visits);
    expect(resumedPercent(all!)).toBeGreaterThanOrEqual(99);
  }
});
