import { headers } from "nats";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FeedTimes } from "../../dataplane/nats/feed-times.ts";
import { origin } from "../../model/commit.ts";
import { encodeCommitRecord } from "../../model/wire/log-record.ts";
import { RecordingSink } from "../dataplane/recording-sink.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { leftOver, openResources } from "../support/open-resources.ts";
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

function fed(sink: RecordingSink, times: Partial<FeedTimes> = {}): FedNode {
  const node = new FedNode(server.url, sink, times);
  nodes.push(node);
  return node;
}

async function grown(chain: HandMadeChain, count: number): Promise<void> {
  for (let each = 0; each < count; each += 1) await writer.append(chain.grow());
}

/** Commits in the order in which they were delivered. */
function delivered(sink: RecordingSink): readonly string[] {
  return sink.calls.filter((call) => call.startsWith("commit"));
}

function inOrder(from: number, to: number): readonly string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => `commit ${from + index}`);
}

describe("a node that follows", () => {
  it("is given what was there and what comes, in order and once, and hears where the log ends", async () => {
    const chain = new HandMadeChain("one");
    await grown(chain, 150);
    const sink = new RecordingSink();
    fed(sink);
    await waitFor("the end", () => sink.calls.includes("beacon 150"));
    await grown(chain, 100);
    await waitFor("the new end", () => sink.calls.includes("beacon 250"));
    expect(delivered(sink)).toEqual(inOrder(1, 250));
    expect(sink.calls).not.toContain("forked");
  });

  it("begins behind what its cache has", async () => {
    const chain = new HandMadeChain("one");
    await grown(chain, 20);
    const sink = new RecordingSink();
    sink.at = new HandMadeChain("one", chain.commits.slice(0, 15)).head;
    fed(sink);
    await waitFor("the end", () => sink.calls.includes("beacon 20"));
    expect(delivered(sink)).toEqual(inOrder(16, 20));
  });

  it("hears a commit on the feed before it would ask", async () => {
    const chain = new HandMadeChain("one");
    await grown(chain, 1);
    const sink = new RecordingSink();
    fed(sink, { pollMs: 3_600_000 });
    await waitFor("the first", () => sink.calls.includes("commit 1"));
    await grown(chain, 5);
    await waitFor("the others", () => sink.calls.includes("commit 6"));
  });

  it("is given a commit that is too large for a message", async () => {
    const chain = new HandMadeChain("one");
    const large = chain.grow(3_000_000);
    await writer.appendByReference(1, large, 500_000);
    await grown(chain, 1);
    const sink = new RecordingSink();
    fed(sink);
    await waitFor("the end", () => sink.calls.includes("beacon 2"));
  });

  it("does not see commits that the log refused, nor doubles", async () => {
    const chain = new HandMadeChain("one");
    const other = new HandMadeChain("other");
    const sink = new RecordingSink();
    fed(sink);
    await grown(chain, 1);
    await waitFor("the first", () => sink.calls.includes("commit 1"));
    await expect(writer.append(other.grow())).rejects.toThrow("wrong last sequence");
    await expect(writer.append(...chain.commits)).rejects.toThrow("wrong last sequence");
    await grown(chain, 1);
    await waitFor("the end", () => sink.calls.includes("beacon 2"));
    expect(delivered(sink)).toEqual(inOrder(1, 2));
  });

  it("leaves nothing behind when it is stopped", async () => {
    const before = openResources();
    const sink = new RecordingSink();
    const node = fed(sink);
    await grown(new HandMadeChain("one"), 3);
    await waitFor("the end", () => sink.calls.includes("beacon 3"));
    await node.stop();
    await waitFor("all given back", () => leftOver(before, openResources()) === "");
  });
});

describe("a node far behind", () => {
  it("starts from the snapshot, and goes on from there", async () => {
    const chain = new HandMadeChain("one");
    await grown(chain, 510);
    await writer.saveSnapshot(chain.configuration);
    await grown(chain, 3);
    const sink = new RecordingSink();
    fed(sink);
    await waitFor("the end", () => sink.calls.includes("beacon 513"));
    expect(sink.calls.filter((call) => /^(?:snapshot|commit)/.test(call))).toEqual([
      "snapshot 510",
      ...inOrder(511, 513),
    ]);
    expect(sink.snapshotted?.position.revision).toBe(510);
  });

  it.each([
    ["of another history", 510, (chain: HandMadeChain) => new HandMadeChain("other", chain.commits.slice(0, 9))],
    ["that is not whole", 510, undefined],
    ["that saves too little", 400, (chain: HandMadeChain) => new HandMadeChain("one", chain.commits.slice(0, 400))],
  ])("does not take a snapshot %s", async (_what, at, make) => {
    const chain = new HandMadeChain("one");
    await grown(chain, 512);
    const snapshot = make?.(chain) ?? new HandMadeChain("one", chain.commits.slice(0, at));
    while (snapshot.head.revision < at) snapshot.grow();
    await writer.saveSnapshot(snapshot.configuration);
    if (make === undefined) {
      const manager = await writer.connection.jetstreamManager();
      await manager.streams.purge("SWITCHYARD_SNAPSHOTS", { filter: "switchyard.snapshot.chunk.*.*.1" });
    }
    const sink = new RecordingSink();
    fed(sink);
    await waitFor("the end", () => sink.calls.includes("beacon 512"));
    expect(delivered(sink)).toEqual(inOrder(1, 512));
  });
});

describe("garbage on the feed's subject", () => {
  it("is not followed, and what is true still comes", async () => {
    const chain = new HandMadeChain("one");
    await grown(chain, 2);
    const sink = new RecordingSink();
    const node = fed(sink);
    await waitFor("the end", () => sink.calls.includes("beacon 2"));
    const other = new HandMadeChain("other", chain.commits);
    const lies: readonly (readonly [string | undefined, Uint8Array])[] = [
      [undefined, Buffer.from("garbage")],
      ["3", Buffer.from("garbage")],
      ["4", encodeCommitRecord(other.grow())],
      ["-1", Buffer.from("")],
      ["1", encodeCommitRecord(other.grow())],
      ["999999999999", Buffer.alloc(1000)],
      ["3", encodeCommitRecord({ ...(chain.commits[0] as (typeof chain.commits)[0]), hash: new Uint8Array(32) })],
    ];
    for (const [sequence, data] of lies) {
      const head = headers();
      if (sequence !== undefined) head.set("Nats-Sequence", sequence);
      writer.connection.publish("switchyard.feed", data, { headers: head });
    }
    writer.connection.publish("switchyard.beacon", Buffer.from("garbage"));
    await grown(chain, 5);
    await waitFor("the end", () => sink.calls.includes("beacon 7"));
    expect(delivered(sink)).toEqual(inOrder(1, 7));
    expect(node.lost).toEqual([]);
  });
});

/** The writer reconnects by itself; until then what it asks for is rejected. */
async function writerIsBack(): Promise<void> {
  await insistently(async () =>
    (await writer.connection.jetstreamManager({ timeout: 200 })).streams.info("SWITCHYARD_LOG"),
  );
}

describe("a server that is killed and comes back", () => {
  it("is followed on, without a gap, however often", async () => {
    const chain = new HandMadeChain("one");
    const sink = new RecordingSink();
    const node = fed(sink);
    await grown(chain, 10);
    for (let round = 1; round <= 3; round += 1) {
      await waitFor("the end", () => sink.calls.includes(`beacon ${chain.head.revision}`));
      await server.kill();
      await waitFor("the loss is said", () => sink.count("disconnected") >= round);
      await server.start();
      await writerIsBack();
      await grown(chain, 10);
    }
    await waitFor("the end", () => sink.calls.includes(`beacon ${chain.head.revision}`));
    expect(delivered(sink)).toEqual(inOrder(1, 40));
    expect(sink.calls).not.toContain("forked");
    expect(node.lost.length).toBeLessThan(60);
  });

  it("may be away when the node starts", async () => {
    const chain = new HandMadeChain("one");
    await grown(chain, 3);
    await server.kill();
    const sink = new RecordingSink();
    const node = fed(sink);
    await waitFor("it was tried", () => node.lost.length > 1);
    await server.start();
    await waitFor("the end", () => sink.calls.includes("beacon 3"));
  });
});

describe("the state of the feed", () => {
  it("is silent while no replica vouches for the log, and following again when one does", async () => {
    const chain = new HandMadeChain("one");
    await grown(chain, 1);
    writer.beaconsOf(() => chain.head);
    const sink = new RecordingSink();
    fed(sink);
    await waitFor("it follows", () => sink.calls.includes("following"));
    writer.silence();
    await waitFor("it is silent", () => sink.calls.includes("silent"));
    await grown(chain, 1);
    await waitFor("commits still come", () => sink.calls.includes("commit 2"));
    writer.beaconsOf(() => chain.head);
    await waitFor("it follows again", () => sink.count("following") === 2);
  });

  it("is silent where the stream does not answer", async () => {
    writer.beaconsOf(() => origin);
    const manager = await writer.connection.jetstreamManager();
    await manager.streams.delete("SWITCHYARD_LOG");
    const sink = new RecordingSink();
    const node = fed(sink);
    await waitFor("it is silent", () => sink.calls.includes("silent"));
    expect(node.lost.join()).toContain("TIMEOUT");
  });
});

describe("a commit that the sink refuses", () => {
  it("is offered again after a pause each time, and followed when it is taken", async () => {
    const chain = new HandMadeChain("one");
    await grown(chain, 3);
    const sink = new RecordingSink();
    let refusals = 0;
    sink.onCommit = () => {
      if (sink.at.revision !== 2) return;
      refusals += 1;
      if (refusals <= 3) throw new Error("not this one");
    };
    const node = fed(sink);
    await waitFor("the end", () => sink.calls.includes("beacon 3"));
    expect([refusals, node.lost]).toEqual([4, Array.from({ length: 3 }, () => "not this one")]);
  });

  it("and can't be read is not delivered, and the feed says why", async () => {
    const chain = new HandMadeChain("one");
    await grown(chain, 2);
    await writer.publish(3, Buffer.from("garbage"));
    const sink = new RecordingSink();
    const node = fed(sink);
    await waitFor("it is said", () => node.lost.length > 2);
    expect(node.lost[0]).toContain("the record of revision 3 can't be read");
    expect(delivered(sink)).toEqual(inOrder(1, 2));
    expect(sink.calls.filter((call) => call.startsWith("beacon"))).toEqual([]);
  });
});
