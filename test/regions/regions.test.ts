import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FeedTimes } from "../../dataplane/nats/feed-times.ts";
import { RecordingSink } from "../dataplane/recording-sink.ts";
import { FedNode } from "../nats-feed/fed-node.ts";
import { HandMadeChain, StreamWriter } from "../nats-feed/stream-writer.ts";
import { waitFor } from "../support/wait-for.ts";
import { type DeployedServer, startDeployed } from "./deployed-server.ts";
import { runInit } from "./init-verb.ts";
import { type Cut, Link } from "./link.ts";

const regions = ["eu", "us"] as const;

let hub: DeployedServer;
let links: Record<(typeof regions)[number], Link>;
let leaves: Record<(typeof regions)[number], DeployedServer>;
let writer: StreamWriter;
let nodes: FedNode[];

beforeEach(async () => {
  hub = await startDeployed("hub.conf");
  links = { eu: await Link.to(hub.leafPort), us: await Link.to(hub.leafPort) };
  const leafOf = async (region: (typeof regions)[number]): Promise<DeployedServer> =>
    startDeployed(`region-${region}.conf`, {
      SWITCHYARD_HUB_URL: `nats-leaf://leaf:leaf@127.0.0.1:${links[region].port}`,
    });
  leaves = { eu: await leafOf("eu"), us: await leafOf("us") };
  writer = await StreamWriter.open(hub.controlUrl);
  nodes = [];
  for (const region of regions) {
    const made = await runInit("--nats", leaves[region].controlUrl, "--region", region, "--hub-domain", "hub");
    expect(made).toMatchObject({
      code: 0,
      stdout: "made       SWITCHYARD_LOG\nmade       SWITCHYARD_BLOBS\nmade       SWITCHYARD_SNAPSHOTS\n",
    });
  }
});

afterEach(async () => {
  for (const node of nodes) await node.stop();
  await writer.close();
  for (const region of regions) {
    await leaves[region].dispose();
    await links[region].close();
  }
  await hub.dispose();
});

/** A node that knows its region's server, and has the permissions of `node-permissions.conf`. */
function nodeIn(region: (typeof regions)[number], times: Partial<FeedTimes> = {}): RecordingSink {
  const sink = new RecordingSink();
  nodes.push(new FedNode(leaves[region].nodeUrl, sink, times, "edge-1"));
  return sink;
}

async function grown(chain: HandMadeChain, count: number): Promise<void> {
  for (let each = 0; each < count; each += 1) await writer.append(chain.grow());
}

describe("two regions", () => {
  it("follow the hub through their leaf servers", async () => {
    const chain = new HandMadeChain("one");
    await grown(chain, 5);
    writer.beaconsOf(() => chain.head);
    const sinks = regions.map((region) => nodeIn(region));
    for (const sink of sinks) await waitFor("the end", () => sink.calls.includes("beacon 5"));
    await grown(chain, 20);
    for (const sink of sinks) {
      await waitFor("the new end", () => sink.calls.includes("beacon 25"));
      expect(sink.calls.filter((call) => /^(?:forked|behind|disconnected|silent)/.test(call))).toEqual([]);
    }
  });

  it("hear commits on the feed, before they would ask", async () => {
    const chain = new HandMadeChain("one");
    await grown(chain, 5);
    const sinks = regions.map((region) => nodeIn(region, { pollMs: 3_600_000, silentAfterMs: 60_000 }));
    for (const sink of sinks) await waitFor("the end", () => sink.calls.includes("commit 5"));
    await grown(chain, 20);
    for (const sink of sinks) await waitFor("the new end", () => sink.calls.includes("commit 25"));
  });

  it("are made again without a change", async () => {
    const again = await runInit("--nats", leaves.eu.controlUrl, "--region", "eu", "--hub-domain", "hub");
    expect(again).toMatchObject({
      code: 0,
      stdout: "unchanged  SWITCHYARD_LOG\nunchanged  SWITCHYARD_BLOBS\nunchanged  SWITCHYARD_SNAPSHOTS\n",
    });
  });
});

describe.each<Cut>(["refused", "silent"])("a region whose link to the hub is cut (%s)", (how) => {
  it("keeps its node, starts a new one from its mirrors, and catches up by itself", async () => {
    const chain = new HandMadeChain("one");
    await grown(chain, 510);
    await writer.saveSnapshot(chain.configuration);
    await grown(chain, 5);
    writer.beaconsOf(() => chain.head);
    const [kept, other] = [nodeIn("eu"), nodeIn("us")];
    for (const sink of [kept, other]) await waitFor("the end", () => sink.calls.includes("beacon 515"));

    links.eu.cut(how);
    await waitFor("it is said that nobody vouches", () => kept.calls.includes("silent"));
    await grown(chain, 5);
    await waitFor("the other region goes on", () => other.calls.includes("beacon 520"));
    const started = nodeIn("eu");
    await waitFor("a new node has the region's state", () => started.calls.includes("beacon 515"));
    expect(started.calls.find((call) => /^(?:snapshot|commit)/.test(call))).toBe("snapshot 510");
    expect(kept.at.revision).toBe(515);

    links.eu.mend();
    for (const sink of [kept, started]) {
      await waitFor("it catches up", () => sink.calls.includes("beacon 520"));
      await waitFor(
        "it is vouched for",
        () => sink.calls.findLast((call) => /^(?:silent|following)$/.test(call)) === "following",
      );
      expect(sink.calls.filter((call) => /^(?:forked|behind|disconnected)/.test(call))).toEqual([]);
    }
  });
});

describe("a log that was rebuilt at the hub", () => {
  it("goes on in the regions, under its new epoch", async () => {
    const chain = new HandMadeChain("one");
    await grown(chain, 10);
    const before = nodeIn("eu");
    await waitFor("the end", () => before.calls.includes("beacon 10"));
    const manager = await writer.connection.jetstreamManager();
    await manager.streams.delete("SWITCHYARD_LOG");
    await writer.makeStreams();
    chain.mark(2);
    await writer.append(...chain.commits);
    const after = nodeIn("eu");
    for (const sink of [before, after]) await waitFor("the end", () => sink.calls.includes("beacon 11"));
    expect(before.calls).not.toContain("forked");
    expect(before.at.epoch).toBe(2);
    await grown(chain, 3);
    for (const sink of [before, after]) await waitFor("the new end", () => sink.calls.includes("beacon 14"));
  });

  it("with another history: the mirrors are made anew by init, and the region changes over", async () => {
    const chain = new HandMadeChain("one");
    await grown(chain, 10);
    const node = nodeIn("eu");
    await waitFor("the end", () => node.calls.includes("beacon 10"));
    links.eu.cut("refused");
    const manager = await writer.connection.jetstreamManager();
    await manager.streams.delete("SWITCHYARD_LOG");
    await writer.makeStreams();
    const other = new HandMadeChain("other", chain.commits.slice(0, 8));
    other.mark(2);
    for (let each = 0; each < 5; each += 1) other.grow();
    await writer.append(...other.commits);
    links.eu.mend();
    await waitFor("what comes next does not continue what the node has", () =>
      nodes[0]?.lost.some((why) => why.includes("broken_chain")),
    );
    expect(node.calls).not.toContain("forked");
    const made = await runInit("--nats", leaves.eu.controlUrl, "--region", "eu", "--hub-domain", "hub");
    expect(made.stdout).toBe(
      "made anew  SWITCHYARD_LOG: it mirrored a stream that is no more\nunchanged  SWITCHYARD_BLOBS\nunchanged  SWITCHYARD_SNAPSHOTS\n",
    );
    await waitFor("the end", () => node.calls.includes("beacon 14"));
    expect(Buffer.from(node.at.hash).equals(other.head.hash)).toBe(true);
  });

  it("can't be mirrored while the link is cut, and what is there stays", async () => {
    links.eu.cut("refused");
    const made = await runInit("--nats", leaves.eu.controlUrl, "--region", "eu", "--hub-domain", "hub");
    expect(made).toMatchObject({ code: 1, stdout: "" });
    expect(made.stderr).toContain("is the link up");
  });
});
