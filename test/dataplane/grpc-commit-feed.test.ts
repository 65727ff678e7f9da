import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Backoff, pause } from "../../dataplane/feed/backoff.ts";
import { GrpcCommitFeed } from "../../dataplane/feed/grpc-commit-feed.ts";
import { origin } from "../../model/commit.ts";
import { Configuration } from "../../model/configuration.ts";
import { snapshotHeader } from "../../model/wire/snapshot.ts";
import { leftOver, type OpenResources, openResources } from "../support/open-resources.ts";
import { waitFor } from "../support/wait-for.ts";
import { beacon, FakeControlPlane, type Watch } from "./fake-control-plane.ts";
import { RecordingSink } from "./recording-sink.ts";
import { TestControlPlane } from "./test-control-plane.ts";

/** Remembers how many failures in a row each delay was asked for, and makes it short. */
class RecordingBackoff extends Backoff {
  readonly asked: number[] = [];

  constructor() {
    super(1, 20, () => 0.5);
  }

  override delayMs(failures: number): number {
    this.asked.push(failures);
    return super.delayMs(failures);
  }
}

let before: OpenResources;
let sink: RecordingSink;
let backoff: RecordingBackoff;
let lost: string[];
let stop: AbortController;
let following: Promise<void> | undefined;
const surroundings: { close(): Promise<void> }[] = [];

beforeEach(() => {
  before = openResources();
  sink = new RecordingSink();
  backoff = new RecordingBackoff();
  lost = [];
  stop = new AbortController();
  following = undefined;
});

/** Ends the feed, proves that it ended, and that nothing is left of anything. */
afterEach(async () => {
  stop.abort();
  await following;
  for (const thing of surroundings.splice(0)) await thing.close();
  let left = "";
  await waitFor("everything to be closed", () => (left = leftOver(before, openResources())) === "", 10_000).catch(
    (error: unknown) => {
      throw new Error(`left over: ${left}`, { cause: error });
    },
  );
});

function follow(address: string, silenceMaxMs?: number, ...others: readonly string[]): void {
  const onLost = (_address: string, why: string): number => lost.push(why);
  const options = { addresses: [address, ...others], backoff, random: () => 0, onLost };
  const feed = new GrpcCommitFeed(silenceMaxMs === undefined ? options : { ...options, silenceMaxMs });
  following = feed.follow(sink, stop.signal);
}

async function controlPlane(): Promise<TestControlPlane> {
  const started = await TestControlPlane.start();
  surroundings.push(started);
  return started;
}

async function fake(onWatch: (watch: Watch) => void): Promise<FakeControlPlane> {
  const started = await FakeControlPlane.listen(onWatch);
  surroundings.push(started);
  return started;
}

const farm = (id: string): object => ({ farm: { name: `farms/${id}` } });

describe("the feed", () => {
  it("brings what the log has, then a beacon, then each commit as it is made", async () => {
    const plane = await controlPlane();
    await plane.apply([farm("a")]);
    await plane.apply([farm("b")]);
    follow(plane.address);
    await waitFor("the head", () => sink.count("beacon 2") > 0);
    expect(sink.calls.slice(0, 4)).toEqual(["commit 1", "following", "commit 2", "beacon 2"]);
    await plane.apply([farm("c")]);
    await waitFor("the commit", () => sink.count("commit 3") > 0);
    // The beacon does not wait for its second: a node acts on it, and not on the commit.
    await waitFor("the beacon", () => sink.calls.at(-1) === "beacon 3");
    expect(sink.calls.slice(sink.calls.indexOf("commit 3"), sink.calls.indexOf("commit 3") + 2)).toEqual([
      "commit 3",
      "beacon 3",
    ]);
    expect([sink.more, lost]).toEqual([[true, true, true], []]);
  });

  it.each([
    [5, "taken", [true, true], 5n],
    [4, "ahead, and the log itself is asked for", [true, false], 0n],
  ])(
    "takes a snapshot up to the revision that the node is to go back to: of %i it is %s",
    async (max, _what, allowed, after) => {
      const at = { epoch: 1, revision: 5, hash: new Uint8Array(32) };
      const plane = await fake((watch) => {
        watch.write({ part: { $case: "snapshot", value: snapshotHeader(Configuration.restore(at, [])) } });
        watch.write(beacon(at));
        watch.end();
      });
      sink.snapshotRevisionMax = max;
      follow(plane.address);
      await waitFor("the second time", () => plane.watches.length > 1);
      const asked = plane.watches.slice(0, 2).map(({ request }) => request);
      expect(asked.map(({ snapshotAllowed }) => snapshotAllowed)).toEqual(allowed);
      expect(asked[1]?.afterRevision).toBe(after);
    },
  );

  it("goes on from the position after the control plane was killed and started again on its port", async () => {
    const plane = await controlPlane();
    await plane.apply([farm("a")]);
    follow(plane.address);
    await waitFor("the head", () => sink.count("beacon 1") > 0);
    await plane.kill();
    await waitFor("several attempts", () => backoff.asked.length >= 5);
    expect(sink.calls).toContain("disconnected");
    expect(backoff.asked.slice(0, 5)).toEqual([0, 1, 2, 3, 4]);
    expect(lost.length).toBeGreaterThanOrEqual(5);
    await plane.restart();
    await plane.apply([farm("b")]);
    await waitFor("the commit", () => sink.count("commit 2") > 0);
    expect(sink.count("commit 1")).toBe(1);
    expect(sink.calls.lastIndexOf("following")).toBeGreaterThan(sink.calls.lastIndexOf("disconnected"));
  });

  it("says that the log has another history, and then brings that one", async () => {
    const plane = await controlPlane();
    await plane.apply([farm("a")]);
    await plane.apply([farm("b")]);
    follow(plane.address);
    await waitFor("the head", () => sink.count("beacon 2") > 0);
    await plane.kill();
    await plane.restart("another log");
    await plane.apply([farm("x")]);
    await waitFor("the other log's head", () => sink.count("forked") > 0 && sink.calls.at(-1) === "beacon 1");
    expect(sink.calls.slice(sink.calls.indexOf("forked"))).toContain("commit 1");
  });

  it("does not take any other refusal for another history", async () => {
    await fake((watch) => watch.emit("error", { code: status.FAILED_PRECONDITION, details: "the disk is full" })).then(
      (plane) => follow(plane.address),
    );
    await waitFor("several attempts", () => lost.length >= 3);
    expect(lost[0]).toContain("the disk is full");
    expect(sink.calls).not.toContain("forked");
  });

  it("goes on at the next control plane when one is lost", async () => {
    const [first, second] = [await controlPlane(), await fake((watch) => watch.write(beacon(origin)))];
    follow(first.address, undefined, second.address);
    await waitFor("the first", () => sink.count("beacon 0") > 0);
    expect(second.watches).toHaveLength(0);
    await first.kill();
    await waitFor("the second", () => second.watches.length > 0);
    expect(sink.calls.at(-1)).toBe("disconnected");
  });

  it("brings a snapshot to a follower that is far behind", async () => {
    const configuration = Configuration.restore({ epoch: 1, revision: 2000, hash: new Uint8Array(32).fill(1) }, []);
    const plane = await fake((watch) => {
      watch.write({ part: { $case: "snapshot", value: snapshotHeader(configuration) } });
      watch.write({ part: { $case: "resources", value: { resources: [] } } });
      watch.write(beacon(configuration.position));
    });
    follow(plane.address);
    await waitFor("the beacon", () => sink.count("beacon 2000") > 0);
    expect(sink.calls.filter((call) => call !== "following")).toEqual(["snapshot 2000", "beacon 2000"]);
    expect(plane.watches[0]?.request).toMatchObject({ afterRevision: 0n, snapshotAllowed: true });
  });

  it("drops a snapshot that is not what its digest says, and asks again", async () => {
    const configuration = Configuration.restore({ epoch: 1, revision: 7, hash: new Uint8Array(32) }, []);
    const plane = await fake((watch) => {
      const header = { ...snapshotHeader(configuration), digest: new Uint8Array(32).fill(3) };
      watch.write({ part: { $case: "snapshot", value: header } });
      watch.write(beacon(configuration.position));
    });
    follow(plane.address);
    await waitFor("another attempt", () => plane.watches.length >= 2);
    expect(sink.snapshotted).toBeUndefined();
    expect(lost[0]).toContain("digest");
  });

  it("asks more and more seldom where the sink refuses the same commit each time", async () => {
    const plane = await controlPlane();
    await plane.apply([farm("a")]);
    await plane.apply([farm("b")]);
    sink.onCommit = () => {
      if (sink.at.revision === 1) {
        sink.at = origin;
        throw new Error("refused");
      }
    };
    follow(plane.address);
    await waitFor("several attempts", () => backoff.asked.length >= 4);
    expect(backoff.asked.slice(0, 4)).toEqual([0, 1, 2, 3]);
    expect(lost.slice(0, 3)).toEqual(["refused", "refused", "refused"]);
  });

  it("drops a stream on which nothing is heard, and opens another", async () => {
    const plane = await fake((watch) => {
      watch.write(beacon(origin));
    });
    follow(plane.address, 50);
    await waitFor("a third stream", () => plane.watches.length >= 3);
    expect(lost[0]).toBe("nothing was heard for 50 ms");
    await waitFor("the end of the first", () => plane.watches[0]?.cancelled);
  });

  it("does not call a stream dead while it waits for the sink", async () => {
    const plane = await fake((watch) => {
      watch.write(beacon(origin));
    });
    const silenceMaxMs = 100;
    const lostMeanwhile: number[] = [];
    sink.beacon = async () => {
      const already = lost.length;
      await pause(3 * silenceMaxMs, stop.signal);
      lostMeanwhile.push(lost.length - already);
    };
    follow(plane.address, silenceMaxMs);
    await waitFor("the sink", () => lostMeanwhile.length > 0);
    expect(lostMeanwhile[0]).toBe(0);
    await waitFor("the next stream", () => plane.watches.length >= 2);
  });

  it.each([
    ["an end in order", (watch: Watch) => watch.end(), "the control plane ended the stream"],
    [
      "an error",
      (watch: Watch) => watch.emit("error", { code: status.INTERNAL, details: "a fault" }),
      "13 INTERNAL: a fault",
    ],
  ])("opens another stream after %s", async (_what, end, why) => {
    const plane = await fake((watch) => {
      watch.write(beacon(origin));
      end(watch);
    });
    follow(plane.address);
    await waitFor("a third stream", () => plane.watches.length >= 3);
    expect(lost[0]).toBe(why);
    expect(backoff.asked[1]).toBe(0);
  });

  it("passes over a message of a kind that it does not know", async () => {
    const plane = await fake((watch) => {
      watch.write({ part: undefined });
      watch.write(beacon(origin));
    });
    follow(plane.address);
    await waitFor("the beacon", () => sink.count("beacon 0") > 0);
    expect(lost).toEqual([]);
  });
});

describe("an abort", () => {
  it("ends it while it follows, without a word of loss", async () => {
    const plane = await fake((watch) => {
      watch.write(beacon(origin));
    });
    const withoutFeed = openResources();
    follow(plane.address);
    await waitFor("the head", () => sink.count("beacon 0") > 0);
    stop.abort();
    await following;
    // The control plane still stands: it is the feed that must have closed the connection.
    await waitFor("the feed's connection to be closed", () => leftOver(withoutFeed, openResources()) === "", 10_000);
    expect(lost).toEqual([]);
    expect(sink.calls.at(-1)).toBe("disconnected");
  });

  it("ends it while nobody answers", async () => {
    const plane = await controlPlane();
    await plane.kill();
    follow(plane.address);
    await waitFor("an attempt", () => backoff.asked.length > 0);
    stop.abort();
    await following;
    expect(sink.count("following")).toBe(0);
  });

  it("before the start ends it at once", async () => {
    stop.abort();
    follow("127.0.0.1:1");
    await following;
    expect(sink.calls).toEqual([]);
  });
});
