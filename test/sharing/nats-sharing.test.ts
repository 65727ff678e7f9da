import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectNode } from "../../dataplane/nats/connect-node.ts";
import { learntSubjects, logNames } from "../../model/log-names.ts";
import { encodeLearnt, encodeLearntQuestion } from "../../model/wire/learnt.ts";
import { leftOver, type OpenResources, openResources } from "../support/open-resources.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { NatsNode } from "./nats-node.ts";
import { aName, anId } from "./recording-host.ts";
import { together } from "./together.ts";

let server: NatsServer;
let before: OpenResources;
let nodes: NatsNode[];

beforeAll(async () => {
  server = await startNatsServer();
});

afterAll(async () => {
  await server.dispose();
});

beforeEach(async () => {
  if (server.pid === undefined) await server.start();
  before = openResources();
  nodes = [];
});

afterEach(async () => {
  await Promise.all(nodes.map((node) => node.close()));
  await waitFor("everything to be closed", () => leftOver(before, openResources()) === "", 10_000);
});

function start(nodeId: string, region = "eu", prepare?: (node: NatsNode) => void): NatsNode {
  const node = new NatsNode(server.url, nodeId, region, prepare);
  nodes.push(node);
  return node;
}

describe("nodes of one region, over NATS", () => {
  it("hear what each of them learns, and nobody hears itself", async () => {
    const [one, two, three] = [start("n1"), start("n2"), start("n3.eu")];
    await together(one, two, three);
    await together(two, one);
    two.exchange.publish(aName("s1", "name-1"));
    two.exchange.publish(aName("s2", "name-2", true));
    for (const { host } of [one, three])
      await waitFor("both", () => host.hasHeard("s1 name-1") && host.hasHeard("-s2 name-2"));
    expect(two.host.hasHeard("s1 name-1")).toBe(false);
  });

  it("hear nothing of another region, be its name part of theirs", async () => {
    const [one, two, other, lower] = [start("n1", "a b"), start("n2", "a b"), start("n3", "a"), start("n4", "a b.c")];
    await together(one, two);
    expect([other.host.size, lower.host.size]).toEqual([0, 0]);
  });

  it("get at the start what another knows, in all its parts", async () => {
    start("n1", "eu", ({ host }) => {
      for (let part = 0; part < 5; part += 1) host.knows.push(anId("s1", `known-${part}`));
    });
    const late = start("n2");
    const all = [0, 1, 2, 3, 4].map((part) => `s1 known-${part}`);
    await waitFor("all that is known", () => late.host.size >= 5);
    expect(late.host.heard).toEqual(all);
  });

  it("answer a question once, however many they are", async () => {
    const knowing = Array.from({ length: 8 }, (_, index) =>
      start(`k${index}`, "eu", ({ host }) => host.knows.push(anId("s1", `known-by-${index}`))),
    );
    await together(knowing[0] as NatsNode, ...knowing.slice(1));
    const subjects = learntSubjects(logNames(), "eu");
    const connection = await connectNode({ servers: server.url, nodeId: "late" });
    let answers = 0;
    connection.subscribe(subjects.answers("*"), {
      callback: (_, { subject }) => void (answers += Number(/late/.test(subject))),
    });
    for (let question = 1; question <= 10; question += 1) {
      connection.publish(subjects.question, encodeLearntQuestion(`late-${question}`));
      await waitFor("the answer", () => answers >= question);
    }
    expect(answers).toBe(10);
    await connection.close();
  });

  it.each([
    ["no protobuf", Buffer.from("garbage")],
    ["too long", Buffer.alloc(300_000)],
    ["a ticket's name that is too short", encodeLearnt(aName("s1", "abc"))],
  ])("take nothing of a message that is %s, say so once, and go on", async (_what, bytes) => {
    const [one, two] = [start("n1"), start("n2")];
    await together(one, two);
    const connection = await connectNode({ servers: server.url, nodeId: "bad" });
    for (let each = 0; each < 3; each += 1) connection.publish(learntSubjects(logNames(), "eu").news, bytes);
    await connection.flush();
    await waitFor("the refusal", () => one.lost.length > 0 && two.lost.length > 0);
    await together(one, two);
    expect(two.lost).toEqual([expect.stringMatching(/^what another node has learnt was not taken: /)]);
    await connection.close();
  });

  it("go on after the server was away, and ask for what they could not hear meanwhile", async () => {
    const [one, two] = [start("n1"), start("n2")];
    await together(one, two);
    await server.kill();
    await waitFor("both to see it", () => one.lost.length > 0 && two.lost.length > 0);
    for (const [node, word] of [
      [one, "of-one"],
      [two, "of-two"],
    ] as const) {
      node.exchange.publish(anId("s1", word));
      node.host.knows.push(anId("s1", word));
    }
    await server.start();
    await waitFor("each other's", () => one.host.hasHeard("s1 of-two") && two.host.hasHeard("s1 of-one"));
    await together(one, two);
    await together(two, one);
  });

  it("keep only the newest while nobody listens, and count the rest", async () => {
    const one = start("n1");
    await together(one, start("n2"));
    await server.kill();
    await waitFor("it to be seen", () => one.lost.length > 0);
    for (let each = 0; each < 20_000; each += 1) one.exchange.publish(anId("s1", `away-${each}`));
    // One more where a word of before was still to be told.
    expect([20_000 - 16_384, 20_001 - 16_384]).toContain(one.exchange.dropped);
    await server.start();
    await together(one, nodes[1] as NatsNode);
  });

  it("do not mind a server that is not there, at the start or at all", async () => {
    await server.kill();
    const [one, two] = [start("n1"), start("n2")];
    one.exchange.ask();
    await waitFor("several attempts", () => one.lost.length >= 2);
    await server.start();
    await together(one, two);
    await together(two, one);
  });
});
