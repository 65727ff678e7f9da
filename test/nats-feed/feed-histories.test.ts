import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Follower } from "../../dataplane/feed/follower.ts";
import type { FeedTimes } from "../../dataplane/nats/feed-times.ts";
import { origin } from "../../model/commit.ts";
import { RecordingSink } from "../dataplane/recording-sink.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { FedNode } from "./fed-node.ts";
import { HandMadeChain, insistently, StreamWriter } from "./stream-writer.ts";

let server: NatsServer;
let writer: StreamWriter;
let nodes: FedNode[];

beforeEach(async () => {
  server = await startNatsServer();
  writer = await StreamWriter.open(server.url);
  nodes = [];
});

afterEach(async () => {
  for (const node of nodes) await node.stop();
  await writer.close();
  await server.dispose();
});

function fed(sink: RecordingSink | Follower, times: Partial<FeedTimes> = {}): FedNode {
  const node = new FedNode(server.url, sink, times);
  nodes.push(node);
  return node;
}

function follower(): Follower {
  return new Follower(
    { id: "n1", region: "", labels: {} },
    async () => undefined,
    () => undefined,
  );
}

async function grown(chain: HandMadeChain, count: number): Promise<void> {
  for (let each = 0; each < count; each += 1) await writer.append(chain.grow());
}

/** Waits until the node serves that chain's head. */
async function serves(node: Follower, chain: HandMadeChain): Promise<void> {
  await waitFor(`the node serves revision ${chain.head.revision}`, () => {
    const { loaded, stalled, position } = node.status;
    return loaded && stalled === undefined && Buffer.from(position.hash).equals(chain.head.hash);
  });
  expect(node.status.digest).toEqual(chain.configuration.digest);
}

/** The writer reconnects by itself; until then what it asks for is rejected. */
async function writerIsBack(): Promise<void> {
  await insistently(async () =>
    (await writer.connection.jetstreamManager({ timeout: 200 })).streams.info("SWITCHYARD_LOG"),
  );
}

async function remade(): Promise<void> {
  await insistently(() => writer.makeStreams());
}

describe("a log that lost its tail", () => {
  it("is said to be behind, and the node serves on; completed by the same commits it is followed on", async () => {
    const chain = new HandMadeChain("one");
    await grown(chain, 5);
    await server.kill("SIGTERM");
    const restore = server.saveStore();
    await server.start();
    await writerIsBack();
    await grown(chain, 5);
    const node = follower();
    fed(node);
    await serves(node, chain);
    await server.kill("SIGTERM");
    restore();
    await server.start();
    await waitFor("it is said", () => node.status.stalled?.reason === "log_behind");
    expect(node.status.stalled?.detail).toBe("the log ends at 1/5; the node is at 1/10");
    expect(node.status.position.revision).toBe(10);
    await writerIsBack();
    await writer.append(...chain.commits.slice(5), chain.grow());
    await serves(node, chain);
  });

  it("and became empty is behind too; a node that starts then is not told that this is the log", async () => {
    const chain = new HandMadeChain("one");
    await grown(chain, 5);
    const [serving, starting] = [new RecordingSink(), new RecordingSink()];
    fed(serving);
    await waitFor("the end", () => serving.calls.includes("beacon 5"));
    await server.kill();
    server.wipeStore();
    await server.start();
    await remade();
    writer.beaconsOf(() => chain.head);
    fed(starting);
    await waitFor("it is said", () => serving.calls.includes("behind 0"));
    await waitFor("the other follows", () => starting.calls.includes("following"));
    await writer.append(...chain.commits.slice(0, 2));
    await waitFor("the other is given what there is", () => starting.calls.includes("commit 2"));
    await writer.append(...chain.commits.slice(2));
    await waitFor("the end", () => starting.calls.includes("beacon 5"));
    expect(starting.calls.filter((call) => call.startsWith("beacon") && call !== "beacon 5")).toEqual([]);
  });

  it("of which nothing was ever there is vouched for only when a replica says so", async () => {
    const sink = new RecordingSink();
    fed(sink);
    await waitFor("it follows", () => sink.calls.includes("silent"));
    expect(sink.calls).not.toContain("beacon 0");
    writer.beaconsOf(() => origin);
    await waitFor("it is vouched for", () => sink.calls.includes("beacon 0"));
  });
});

describe("a log with another history", () => {
  /** The stream is thrown away, and another chain is written to it. */
  async function replaced(other: HandMadeChain): Promise<void> {
    const manager = await writer.connection.jetstreamManager();
    await manager.streams.delete("SWITCHYARD_LOG");
    await writer.makeStreams();
    await writer.append(...other.commits);
  }

  /** A chain that shares its first commits with another, and then goes its own way. */
  function fork(chain: HandMadeChain, shared: number, to: number): HandMadeChain {
    const other = new HandMadeChain("other", chain.commits.slice(0, shared));
    while (other.head.revision < to) other.grow();
    return other;
  }

  it.each([
    ["shorter first", 3, 8],
    ["as long", 3, 6],
    ["longer", 3, 9],
    ["from the first commit on", 0, 9],
  ])("and the same epoch is never served: %s", async (_what, shared, to) => {
    const chain = new HandMadeChain("one");
    await grown(chain, 6);
    const node = follower();
    fed(node);
    await serves(node, chain);
    const served = node.status.digest;
    const other = fork(chain, shared, to);
    await replaced(other);
    await waitFor("it is said", () => node.status.stalled?.reason === "forked");
    await waitFor("the other is folded beside it", () => node.position().revision === to);
    await grown(other, 3);
    await waitFor("the other is folded on", () => node.position().revision === to + 3);
    expect([node.status.position.revision, node.status.digest]).toEqual([6, served]);
    expect(node.status.stalled?.reason).toBe("forked");
  });

  it("and a higher epoch is changed over to", async () => {
    const chain = new HandMadeChain("one");
    await grown(chain, 6);
    const node = follower();
    fed(node);
    await serves(node, chain);
    const other = fork(chain, 4, 5);
    other.mark(2);
    other.grow();
    await replaced(other);
    await serves(node, other);
    expect(node.status.position.epoch).toBe(2);
  });

  it("is left again where the old one comes back", async () => {
    const chain = new HandMadeChain("one");
    await grown(chain, 6);
    const node = follower();
    fed(node);
    await serves(node, chain);
    await replaced(fork(chain, 3, 8));
    await waitFor("it is said", () => node.status.stalled?.reason === "forked");
    chain.grow();
    chain.grow();
    chain.grow();
    await replaced(chain);
    await serves(node, chain);
  });
});
