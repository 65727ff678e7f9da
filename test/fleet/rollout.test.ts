import { expect, onTestFinished, test } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { AnsweredConnections, type Turn } from "./answered-connections.ts";
import { EchoServer, LongConnection } from "./long-connections.ts";
import { edgePort, RealFleet } from "./real-fleet.ts";

const servers = ["first.test", "second.test", "third.test"] as const;

/** Nodes by the wave that takes them. */
const waves = [["eu-1"], ["eu-2"], ["us-1", "us-2"]] as const;

const policy = `
- rolloutPolicy:
    name: rolloutPolicies/default
    staged:
      waves:
        - {title: canary, labels: {canary: "yes"}, bakeTime: 2s}
        - {title: eu, regions: [eu], bakeTime: 2s}
        - {title: the rest, bakeTime: 1s}
      gates: {applyDeadline: 20s}
`;

/** Two regions of two nodes each, which lead `app.test` to the first of three servers, whose commits wait for a rollout. */
async function stagedFleet(): Promise<RealFleet> {
  const fleet = await RealFleet.start({ replicas: 1, nodes: 0 });
  onTestFinished(() => fleet.stop());
  await fleet.addNode("eu-1", {}, { region: "eu", labels: ["canary=yes"] });
  await fleet.addNode("eu-2", {}, { region: "eu" });
  await fleet.addNode("us-1", {}, { region: "us" });
  await fleet.addNode("us-2", {}, { region: "us" });
  await Promise.all(fleet.nodes.map(({ process }) => process.start()));
  const farms: string[] = [];
  for (const name of servers) {
    const server = await EchoServer.listen(fleet.network.address, name);
    onTestFinished(() => server.close());
    const farm = `farms/${name.split(".")[0]}`;
    farms.push(`- farm: {name: ${farm}}`, `- server: {name: ${farm}/servers/a, address: "${server.address}"}`);
  }
  const listener = `- listener: {name: listeners/edge, addresses: ["0.0.0.0:${edgePort}"]}`;
  await fleet.apply([...farms, listener, leadTo("first")].join("\n"));
  await fleet.apply(policy);
  await fleet.allAt(2);
  await fleet.allEqual();
  return fleet;
}

function leadTo(farm: string): string {
  return `- route: {name: listeners/edge/routes/app, match: {serverNames: [app.test]}, action: {farm: farms/${farm}}}`;
}

/** The nodes that turned to a server, one wave after another, and within a wave in any order. */
function turnedInWaves(turns: readonly Turn[], server: string): readonly (readonly string[])[] {
  const nodes = turns.filter((turn) => turn.server === server).map(({ node }) => node);
  return waves.map((wave) => nodes.splice(0, wave.length).toSorted());
}

/** Clients have been at every node since. */
async function visited(visits: AnsweredConnections): Promise<void> {
  const { rounds } = visits;
  await waitFor("clients at every node", () => visits.rounds > rounds + 1 || visits.failure !== undefined);
  expect(visits.failure).toBeUndefined();
}

test("a rollout goes through two regions under TLS traffic, and a bad one comes back by itself: each wave's nodes turn together, no connection breaks", async () => {
  const fleet = await stagedFleet();
  const lasting = await Promise.all(fleet.nodes.map((node) => LongConnection.open(node, "app.test")));
  // The last wave first: nodes that turned together would be seen to turn in the wrong order.
  const visits = new AnsweredConnections(fleet.nodes.toReversed(), "app.test");
  onTestFinished(() => visits.stop());
  await visited(visits);
  const nodes = fleet.nodes.map(({ process }) => process.id).toReversed();
  expect(visits.turns).toEqual(nodes.map((node) => ({ node, server: "first.test" })));

  await fleet.apply(leadTo("second"));
  const plan = await fleet.run(["rollout", "plan"]);
  expect(plan).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("listeners/edge/routes/app") as string });
  const forward = await fleet.run(["rollout", "start", "--watch", "--reason", "forward"]);
  expect(forward).toMatchObject({ exitCode: 0 });
  await visited(visits);
  expect(turnedInWaves(visits.turns.splice(0).slice(nodes.length), "second.test")).toEqual(waves);

  // An address that no node has: the canary says that it can't bind it.
  const unbindable = `- listener: {name: listeners/elsewhere, addresses: ["192.0.2.1:9443"]}`;
  await fleet.apply(`${leadTo("third")}\n${unbindable}`);
  const bad = await fleet.run(["rollout", "start", "--watch", "--reason", "bad"]);
  expect(bad).toMatchObject({ exitCode: 6 });
  const status = await fleet.run(["rollout", "status", "-o", "json"]);
  const { decisions } = JSON.parse(status.stdout) as { readonly decisions: readonly object[] };
  const failed = { step: "rolled_back", failedGate: "refused", judgement: { counts: { nodes: 1, refused: 1 } } };
  expect(decisions.at(-1)).toMatchObject(failed);
  await visited(visits);
  // It may have gone there and back between two clients.
  const thereAndBack = ["third.test", "second.test"].map((server) => ({ node: "eu-1", server }));
  expect([[], thereAndBack]).toContainEqual(visits.turns);

  await visits.stop();
  for (const connection of lasting) await connection.close();
  expect(lasting.map(({ failure }) => failure?.message)).toEqual(lasting.map(() => undefined));
  expect(Math.min(...lasting.map(({ exchanged }) => exchanged))).toBeGreaterThan(visits.rounds / 10);
}, 120_000);
