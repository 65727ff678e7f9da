import { expect, onTestFinished, test } from "vitest";
import { freePorts } from "../e2e/running-switchyard.ts";
import { type DeployedServer, startDeployed } from "../regions/deployed-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { AnsweredConnections, nobody, type Turn } from "./answered-connections.ts";
import { EchoServer, LongConnection } from "./long-connections.ts";
import { edgePort, RealFleet, type RealNode, until } from "./real-fleet.ts";

const servers = ["first.test", "second.test", "third.test"] as const;

const nodesOf = { eu: ["eu-1", "eu-2"], us: ["us-1", "us-2"] } as const;
const canary = "eu-1";

/** Nodes by the wave that takes them. */
const waves = [[canary], ["eu-2"], nodesOf.us];

/** The bakes are long against the time from one client to the next: so it is seen in which order nodes turn. */
const policy = `
- rolloutPolicy:
    name: rolloutPolicies/default
    staged:
      waves:
        - {title: canary, labels: {canary: "yes"}, bakeTime: 4s}
        - {title: eu, regions: [eu], bakeTime: 4s}
        - {title: the rest, bakeTime: 0s}
      gates: {applyDeadline: 60s}
- rolloutPolicy:
    name: rolloutPolicies/watchful
    staged:
      waves:
        - {title: canary, labels: {canary: "yes"}, bakeTime: 600s}
        - {title: the rest, bakeTime: 0s}
      gates: {applyDeadline: 60s, connectFailures: {sampleMin: 10, significancePpm: 1}}
`;

/**
 * Two regions of two nodes each, which lead `app.test` to the first of three servers, and whose commits wait for a rollout. The files of
 * `deploy/nats` have a hub, where the control plane is, and a server for each region, which is all that its nodes know: the hub is on
 * this machine's loopback, which they do not reach.
 */
async function stagedFleet(): Promise<RealFleet> {
  const hub = await startDeployed("hub.conf");
  onTestFinished(() => hub.dispose());
  const fleet = await RealFleet.start({ replicas: 1, nodes: 0, natsUrl: hub.controlUrl });
  onTestFinished(() => fleet.stop());
  for (const region of ["eu", "us"] as const) {
    const leaf = await startLeaf(fleet, hub, region);
    for (const id of nodesOf[region]) {
      const labels = id === canary ? ["canary=yes"] : [];
      await fleet.addNode(id, {}, { region, labels, natsUrl: leaf.urlOf(id) });
    }
  }
  await Promise.all(fleet.nodes.map(({ process }) => process.start()));
  const [closedPort] = await freePorts(1);
  const farms = [
    "- farm: {name: farms/closed}",
    `- server: {name: farms/closed/servers/a, address: "${fleet.network.address}:${closedPort}"}`,
  ];
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

async function startLeaf(fleet: RealFleet, hub: DeployedServer, region: "eu" | "us"): Promise<DeployedServer> {
  const environment = { SWITCHYARD_HUB_URL: `nats-leaf://leaf:leaf@127.0.0.1:${hub.leafPort}` };
  const nodes = nodesOf[region].map((id) => ({ id, region }));
  const leaf = await startDeployed(`region-${region}.conf`, environment, { host: fleet.network.address, nodes });
  onTestFinished(() => leaf.dispose());
  const made = await fleet.run(["init", "nats", "--nats", leaf.controlUrl, "--region", region, "--hub-domain", "hub"]);
  if (made.exitCode !== 0) throw new Error(`init nats --region ${region}: ${made.stderr}`);
  return leaf;
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
  await waitFor("clients at every node", () => visits.rounds > rounds + 1);
}

/** Rolls out what waits, and resolves when it has come back by itself; gives the decision. */
async function rolledBack(fleet: RealFleet, ...words: readonly string[]): Promise<object | undefined> {
  const started = await fleet.run(["rollout", "start", "--watch", ...words]);
  expect(started).toMatchObject({ exitCode: 6 });
  const status = await fleet.run(["rollout", "status", "-o", "json"]);
  const node = fleet.nodes.find(({ process }) => process.id === canary) as RealNode;
  const revision = async (): Promise<number | undefined> => fleet.metric(node, "switchyard_node_revision");
  await until("the canary back where it was", async () => (await revision()) === forwardRevision);
  return (JSON.parse(status.stdout) as { readonly decisions: readonly object[] }).decisions.at(-1);
}

/** Of the commit that is rolled out well. */
const forwardRevision = 3;

test("a rollout goes through two regions under TLS traffic, and bad ones come back by themselves: each wave's nodes turn together, no connection breaks but the canary's new ones", async () => {
  const fleet = await stagedFleet();
  const lasting = await Promise.all(fleet.nodes.map((node) => LongConnection.open(node, "app.test")));
  // The last wave first: nodes that turned together would be seen to turn in the wrong order.
  const visits = new AnsweredConnections(fleet.nodes.toReversed(), "app.test");
  onTestFinished(() => visits.stop());
  await visited(visits);
  const nodes = fleet.nodes.map(({ process }) => process.id).toReversed();
  expect(visits.turns.splice(0)).toEqual(nodes.map((node) => ({ node, server: "first.test" })));

  await fleet.apply(leadTo("second"));
  const plan = await fleet.run(["rollout", "plan"]);
  expect(plan).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("listeners/edge/routes/app") as string });
  const forward = await fleet.run(["rollout", "start", "--watch", "--reason", "forward"]);
  expect(forward).toMatchObject({ exitCode: 0 });
  await fleet.allAt(forwardRevision);
  await visited(visits);
  expect(turnedInWaves(visits.turns.splice(0), "second.test")).toEqual(waves);
  expect(visits.failures).toEqual([]);

  // Connections to this farm's server are refused, which nobody sees but the clients.
  await fleet.apply(leadTo("closed"));
  const refusing = await rolledBack(fleet, "--policy", "rolloutPolicies/watchful", "--reason", "refuses connections");
  expect(refusing).toMatchObject({
    step: "rolled_back",
    releasedWaves: 1,
    failedGate: "connect_failures",
    author: expect.stringMatching(/^rollout-controller@/) as string,
  });
  await visited(visits);
  const brokenAndWell = [nobody, "second.test"].map((server) => ({ node: canary, server }));
  expect(visits.turns.splice(0)).toEqual(brokenAndWell);
  expect(visits.failures.splice(0).filter((failure) => !failure.startsWith(`${canary}: `))).toEqual([]);

  // An address that no node has: the canary says that it can't bind it.
  const unbindable = `- listener: {name: listeners/elsewhere, addresses: ["192.0.2.1:9443"]}`;
  await fleet.apply(`${leadTo("third")}\n${unbindable}`);
  const failed = { step: "rolled_back", failedGate: "refused", judgement: { counts: { nodes: 1, refused: 1 } } };
  expect(await rolledBack(fleet, "--reason", "can't be bound")).toMatchObject(failed);
  await visited(visits);
  // It may have gone there and back between two clients.
  const thereAndBack = ["third.test", "second.test"].map((server) => ({ node: canary, server }));
  expect([[], thereAndBack]).toContainEqual(visits.turns);

  await visits.stop();
  expect(visits.failures).toEqual([]);
  const before = lasting.map(({ exchanged }) => exchanged);
  const goesOn = ({ exchanged, failure }: LongConnection, index: number): boolean =>
    failure !== undefined || exchanged > (before[index] ?? 0);
  await waitFor("messages on every lasting connection", () => lasting.every(goesOn));
  for (const connection of lasting) await connection.close();
  expect(lasting.map(({ failure }) => failure?.message)).toEqual(lasting.map(() => undefined));
}, 240_000);
