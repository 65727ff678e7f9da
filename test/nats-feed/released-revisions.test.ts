import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Follower } from "../../dataplane/feed/follower.ts";
import type { FeedTimes } from "../../dataplane/nats/feed-times.ts";
import { type TrackLimits, trackLimitsDefault } from "../../dataplane/feed/revision-track.ts";
import { created, someNode } from "../dataplane/followed.ts";
import { ReleaseLog } from "../dataplane/release-log.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { FedNode } from "./fed-node.ts";
import { StreamWriter } from "./stream-writer.ts";

let server: NatsServer;
let writer: StreamWriter;
let log: ReleaseLog;
let feeds: FedNode[];
/** Every revision that the node carried out, in order. */
let carriedOut: number[];

beforeEach(async () => {
  server = await startNatsServer();
  writer = await StreamWriter.open(server.url);
  log = new ReleaseLog();
  feeds = [];
  carriedOut = [];
});

afterEach(async () => {
  for (const feed of feeds) await feed.stop();
  await writer.close();
  await server.dispose();
});

function follower(limits: Partial<TrackLimits> = {}): Follower {
  return new Follower(
    someNode,
    async (_changes, { revision }) => void carriedOut.push(revision),
    () => undefined,
    undefined,
    { ...trackLimitsDefault, ...limits },
  );
}

function fed(node: Follower, times: Partial<FeedTimes> = {}): FedNode {
  const feed = new FedNode(server.url, node, times);
  feeds.push(feed);
  return feed;
}

/** Writes what the log has and the stream has not. */
async function published(from: number): Promise<void> {
  await writer.append(...log.commits.slice(from));
}

/** A log that is long enough for a snapshot to be worth its while, and staged from its end on. */
async function long(): Promise<number> {
  for (let each = 0; each < 520; each += 1) log.append(created(`f${each}`));
  log.stage();
  await published(0);
  return log.head.revision;
}

/** Waits until the node knows all of the log, and serves what that releases to it. */
async function settled(node: Follower): Promise<void> {
  const revision = log.effective(someNode);
  await waitFor(`revision ${revision} of ${log.head.revision} at the node`, () => {
    const { position, logPosition, loaded } = node.status;
    return loaded && position.revision === revision && logPosition.revision === log.head.revision;
  });
  expect(node.status.digest).toEqual(log.at(revision).digest);
}

it("a release reaches a node that follows, and so does its end, before it would ask where the log ends", async () => {
  log.append(created("a"));
  log.stage();
  await published(0);
  const node = follower();
  fed(node, { pollMs: 3_600_000 });
  await settled(node);
  for (const next of [() => log.append(created("b")), () => log.release(3), () => log.rollBack()]) {
    await writer.append(next());
    await settled(node);
  }
  expect(carriedOut).toEqual([2, 3, 2]);
});

it("a node that was away while a revision was released and taken back never serves it", async () => {
  log.append(created("a"));
  log.stage();
  await published(0);
  const node = follower();
  const before = fed(node);
  await settled(node);
  await before.stop();
  log.append(created("bad"));
  log.release(3);
  log.rollBack();
  log.append(created("good"));
  await published(2);
  fed(node);
  await settled(node);
  expect(carriedOut).toEqual([2]);
});

it("a node that must go back further than it remembers begins with a snapshot that is old enough", async () => {
  const base = await long();
  await writer.saveSnapshot(log.at(base), 100_000);
  log.append(created("bad"));
  log.release(base + 1);
  await published(base);
  const node = follower({ undoCommitsMax: 0 });
  fed(node);
  await settled(node);
  const snapshot = vi.spyOn(node, "snapshot");
  await writer.append(log.rollBack());
  await settled(node);
  expect(carriedOut).toEqual([base + 1, base]);
  expect(snapshot.mock.calls.map(([{ position }]) => position.revision)).toEqual([base]);
});

it("a snapshot that is ahead of what is released is not gone on from", async () => {
  const base = await long();
  log.append(created("bad"));
  log.release(base + 1);
  await published(base);
  await writer.saveSnapshot(log.at(base + 2), 100_000);
  await writer.append(log.rollBack());
  const node = follower();
  const snapshot = vi.spyOn(node, "snapshot");
  const feed = fed(node);
  await settled(node);
  expect(carriedOut).toEqual([base]);
  expect(snapshot.mock.calls.map(([{ position }]) => position.revision)).toEqual([base + 2]);
  expect(feed.lost.join()).toContain(`revision ${base} is out of reach`);
});
