import { Events, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectNode } from "../../dataplane/nats/connect-node.ts";
import { RecordingSink } from "../dataplane/recording-sink.ts";
import { type DeployedServer, startDeployed } from "../regions/deployed-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { NatsNode } from "../sharing/nats-node.ts";
import { anId } from "../sharing/recording-host.ts";
import { FedNode } from "./fed-node.ts";
import { HandMadeChain, StreamWriter } from "./stream-writer.ts";

let server: DeployedServer;
let writer: StreamWriter;
let connection: NatsConnection;
const refused: string[] = [];

beforeAll(async () => {
  server = await startDeployed("single.conf");
  writer = await StreamWriter.open(server.controlUrl);
  connection = await connectNode({ servers: server.nodeUrl, nodeId: "edge-1" });
  void (async () => {
    for await (const { type, permissionContext } of connection.status())
      if (type === Events.Error && permissionContext !== undefined)
        refused.push(`${permissionContext.operation} ${permissionContext.subject}`);
  })();
});

afterAll(async () => {
  await connection.close();
  await writer.close();
  await server.dispose();
});

describe("a node with the permissions of deploy/nats", () => {
  it("follows: by snapshot, by what is missing, by the feed, and large commits", async () => {
    const chain = new HandMadeChain("one");
    for (let each = 0; each < 510; each += 1) await writer.append(chain.grow());
    await writer.saveSnapshot(chain.configuration);
    await writer.append(chain.grow());
    await writer.appendByReference(512, chain.grow(200_000), 50_000);
    writer.beaconsOf(() => chain.head);
    const sink = new RecordingSink();
    const node = new FedNode(server.nodeUrl, sink, {}, "edge-1");
    await waitFor("the end", () => sink.calls.includes("beacon 512"));
    await writer.append(chain.grow());
    await waitFor("the new end", () => sink.calls.includes("beacon 513"));
    await node.stop();
    expect(sink.calls.filter((call) => /^(?:snapshot|commit)/.test(call))).toEqual([
      "snapshot 510",
      "commit 511",
      "commit 512",
      "commit 513",
    ]);
    expect([node.lost, server.output().includes("Permissions Violation")]).toEqual([[], false]);
  });

  it("shares with a node of its region: news, questions and answers", async () => {
    const edge = new NatsNode(server.nodeUrl, "edge-1", "eu", ({ host }) => host.knows.push(anId("s1", "known")));
    const other = new NatsNode(server.controlUrl, "edge-2", "eu", ({ host }) => host.knows.push(anId("s2", "known")));
    await waitFor("each other's answers", () => edge.host.hasHeard("s2 known") && other.host.hasHeard("s1 known"));
    await waitFor("each other's news", () => {
      edge.exchange.publish(anId("s1", "news"));
      other.exchange.publish(anId("s2", "news"));
      return edge.host.hasHeard("s2 news") && other.host.hasHeard("s1 news");
    });
    await Promise.all([edge.close(), other.close()]);
    expect(edge.lost).toEqual([]);
  });

  it.each([
    ["publish", "switchyard.learnt.us.news"],
    ["publish", "switchyard.learnt.us.ask"],
    ["publish", "switchyard.learnt.us.to.edge-1"],
    ["subscription", "switchyard.learnt.us.news"],
    ["subscription", "switchyard.learnt.eu.to.edge-2"],
    ["subscription", "switchyard.learnt.eu.ask"],
    ["subscription", "switchyard.learnt.eu.>"],
    ["publish", "switchyard.log"],
    ["publish", "switchyard.feed"],
    ["publish", "switchyard.beacon"],
    ["publish", "switchyard.snapshot.newest"],
    ["publish", "$JS.API.CONSUMER.CREATE.SWITCHYARD_LOG"],
    ["publish", "$JS.API.STREAM.DELETE.SWITCHYARD_LOG"],
    ["publish", "$JS.API.STREAM.INFO.SWITCHYARD_LOG"],
    ["publish", "$JS.API.DIRECT.GET.OTHER"],
    ["subscription", "switchyard.log"],
    ["subscription", "switchyard.>"],
    ["subscription", "_INBOX_edge-2.>"],
    ["subscription", "_INBOX.>"],
  ])("may do nothing else: %s of %s", async (operation, subject) => {
    if (operation === "publish") connection.publish(subject);
    else connection.subscribe(subject, { callback: () => undefined });
    await waitFor("it is refused", () => refused.includes(`${operation} ${subject}`));
  });
});
