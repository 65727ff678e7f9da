import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { LogUnavailable } from "../../controlplane/log/event-log.ts";
import { logNames } from "../../model/log-names.ts";
import { decodeBeacon, decodeSnapshotPointer, joinSnapshot } from "../../model/wire/log-record.ts";
import { origin } from "../../model/commit.ts";
import { appendOn, plain, positionOf } from "../contract/sealed-commit.ts";
import { type NatsServer, startNatsCluster, startNatsServer } from "../support/nats-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { allCommits, commitUntilTaken, TestFleet, testLimits, type TestReplica } from "./fleet-log.ts";

let server: NatsServer;
let fleet: TestFleet;
const names = logNames();

beforeAll(async () => {
  server = await startNatsServer();
});

afterAll(async () => {
  await server.dispose();
});

beforeEach(() => {
  fleet = new TestFleet();
});

afterEach(async () => {
  const connection = await fleet.connection(server.url);
  const manager = await connection.jetstreamManager();
  await fleet.closeReplicas();
  for (const stream of [names.logStream, names.blobStream, names.snapshotStream])
    await manager.streams.delete(stream).catch(() => false);
  await connection.close();
  await fleet.dispose();
});

const large = (): Uint8Array => Uint8Array.from(randomBytes(3_500_000));

async function messagesIn({ connection }: TestReplica, stream: string): Promise<number> {
  return (await (await connection.jetstreamManager()).streams.info(stream)).state.messages;
}

test("a commit above the largest message goes to every replica, byte for byte, also to one that comes later", async () => {
  const a = await fleet.replica(server.url, "a");
  const b = await fleet.replica(server.url, "b");
  const body = large();
  await commitUntilTaken(a.log, "small");
  await commitUntilTaken(a.log, "large", body);
  await commitUntilTaken(b.log, "after");
  const c = await fleet.replica(server.url, "c");
  for (const { log } of [a, b, c]) expect(plain(await allCommits(log))).toEqual(plain(await allCommits(a.log)));
  expect(Buffer.from((await c.log.read(1, 1))[0]!.body).equals(body)).toBe(true);
  expect(await messagesIn(a, names.logStream)).toBe(3);
});

test("the chunks of a large commit that was not taken are purged", async () => {
  const a = await fleet.replica(server.url, "a");
  const b = await fleet.replica(server.url, "b");
  const racing = [a, b].map(({ log, id }) => {
    const { commit, key } = appendOn(origin, id, {}, large());
    return log.append(commit, key);
  });
  const outcomes = (await Promise.all(racing)).map(({ outcome }) => outcome);
  expect(outcomes.toSorted()).toEqual(["appended", "conflict"]);
  expect(await messagesIn(a, names.blobStream)).toBe(4);
});

test("of two chains that are appended at once one is taken from its start, and the other not from its middle", async () => {
  const replicas = [await fleet.replica(server.url, "a"), await fleet.replica(server.url, "b")];
  for (let round = 0; round < 20; round += 1) {
    const head = await replicas[0]!.log.head();
    const outcomes = await Promise.all(
      replicas.map(async ({ log, id }) => {
        const appends: Promise<{ readonly outcome: string }>[] = [];
        for (let at = head, each = 0; each < 5; each += 1) {
          const append = appendOn(at, `${id}-${round}-${each}`);
          at = positionOf(append);
          appends.push(log.append(append.commit, append.key));
        }
        return (await Promise.all(appends)).map(({ outcome }) => outcome);
      }),
    );
    expect(new Set(outcomes.map(([first]) => first))).toEqual(new Set(["appended", "conflict"]));
    for (const chain of outcomes) expect(new Set(chain).size).toBe(1);
    expect((await replicas[1]!.log.head()).revision).toBe(head.revision + 5);
  }
  for (const { log } of replicas) expect(log.status()).toMatchObject({ state: "following", head: { epoch: 1 } });
});

test("a body that the server has lost is stored again by a replica that has it", async () => {
  const a = await fleet.replica(server.url, "a", { lookEveryMs: 50 });
  await commitUntilTaken(a.log, "large", large());
  await (await a.connection.jetstreamManager()).streams.purge(names.blobStream);
  const b = await fleet.replica(server.url, "b");
  await waitFor("b has it", () => b.log.status().head.revision === 1);
  expect(plain(await allCommits(b.log))).toEqual(plain(await allCommits(a.log)));
  expect(b.log.status().head.epoch).toBe(1);
});

test("a snapshot is where its pointer says, of whichever replica it is newest", async () => {
  const a = await fleet.replica(server.url, "a");
  const b = await fleet.replica(server.url, "b");
  const first = appendOn(origin, "r1");
  const second = appendOn(positionOf(first), "r2");
  await a.log.append(first.commit, first.key);
  await a.log.append(second.commit, second.key);
  await b.log.head();
  const body = large();
  const manager = await a.connection.jetstreamManager();
  const pointer = async () => {
    const stored = await manager.streams
      .getMessage(names.snapshotStream, { last_by_subj: names.snapshotPointerSubject })
      .catch(() => undefined);
    return stored && decodeSnapshotPointer(stored.data);
  };
  await a.log.saveSnapshot({ position: positionOf(second), body });
  await expect.poll(async () => (await pointer())?.position.revision, { timeout: 20_000 }).toBe(2);
  // An older one, of another replica, does not take its place.
  await b.log.saveSnapshot({ position: positionOf(first), body: large() });
  await b.close();
  const found = (await pointer())!;
  expect(found.position.revision).toBe(2);
  const chunks: Uint8Array[] = [];
  const hash = Buffer.from(found.position.hash).toString("hex").slice(0, 16);
  for (let index = 0; index < found.chunkCount; index += 1) {
    const subject = `${names.namespace}.snapshot.chunk.2.${hash}.${index}`;
    chunks.push((await manager.streams.getMessage(names.snapshotStream, { last_by_subj: subject })).data);
  }
  expect(Buffer.from(joinSnapshot(found, chunks)!).equals(body)).toBe(true);
});

test("a snapshot that drops the newer ones takes the pointer back, whichever replica moved it last", async () => {
  const a = await fleet.replica(server.url, "a");
  const b = await fleet.replica(server.url, "b");
  const first = appendOn(origin, "r1");
  const second = appendOn(positionOf(first), "r2");
  await a.log.append(first.commit, first.key);
  await a.log.append(second.commit, second.key);
  await b.log.head();
  const pointerBy = async ({ connection }: TestReplica) => {
    const manager = await connection.jetstreamManager();
    const query = { last_by_subj: names.snapshotPointerSubject };
    const stored = await manager.streams.getMessage(names.snapshotStream, query).catch(() => undefined);
    return stored && decodeSnapshotPointer(stored.data)?.position.revision;
  };
  const pointer = () => pointerBy(b);
  const body = new Uint8Array(10);
  await a.log.saveSnapshot({ position: positionOf(second), body });
  await expect.poll(pointer, { timeout: 20_000 }).toBe(2);
  await b.log.saveSnapshot({ position: positionOf(first), body }, "drop_newer");
  await expect.poll(pointer, { timeout: 20_000 }).toBe(1);
  // One that takes the place of the step back while it waits for its turn does not undo it.
  const taken = [
    a.log.saveSnapshot({ position: positionOf(second), body: large() }),
    a.log.saveSnapshot({ position: positionOf(first), body }, "drop_newer"),
    a.log.saveSnapshot({ position: positionOf(first), body }),
  ];
  await Promise.all(taken);
  await a.close();
  expect(await pointerBy(b)).toBe(1);
});

test("each replica says where the log ends, again and again", async () => {
  const a = await fleet.replica(server.url, "a");
  const heard: string[] = [];
  const connection = await fleet.connection(server.url);
  connection.subscribe(names.beaconSubject, {
    callback: (_, { data }) => {
      const beacon = decodeBeacon(data);
      heard.push(`${beacon?.replica} ${beacon?.head.revision}`);
    },
  });
  await commitUntilTaken(a.log, "one");
  await waitFor("two beacons at the head", () => heard.filter((each) => each === "a 1").length >= 2);
  await connection.close();
});

test("without its server a log is read and not written, and says so; with it again it goes on", async () => {
  const own = await startNatsServer();
  try {
    const a = await fleet.replica(own.url, "a");
    await commitUntilTaken(a.log, "one");
    expect(a.log.status()).toMatchObject({ state: "following", serverVersion: expect.stringMatching(/^2\./) });
    expect(a.reports.some((text) => text.startsWith("warn: nats-server 2.9"))).toBe(true);
    await own.kill();
    await waitFor("it is noticed", () => a.log.status().state === "disconnected");
    const head = await a.log.head();
    expect([head.revision, await a.log.findRequest("one"), (await a.log.read(0, 9)).length]).toEqual([1, 1, 1]);
    const { commit, key } = appendOn(head, "two");
    await expect(a.log.append(commit, key)).rejects.toThrow(LogUnavailable);
    await own.start();
    expect(await commitUntilTaken(a.log, "two")).toBe(2);
    await a.close();
  } finally {
    await own.dispose();
  }
});

test("three servers: the leader is killed under a stream of commits, and none that was acknowledged is lost", async () => {
  const servers = await startNatsCluster();
  try {
    const urls = servers.map(({ url }) => url).join(",");
    const limits = { ...testLimits, replicas: 3 };
    const replicas = [await fleet.replica(urls, "a", { limits }), await fleet.replica(urls, "b", { limits })];
    const [a, b] = replicas as [TestReplica, TestReplica];
    const acknowledged = new Map<string, number>();
    const write = async ({ log, id }: TestReplica, count: number, round: number): Promise<void> => {
      for (let each = 0; each < count; each += 1) {
        const requestId = `${id}-${round}-${each}`;
        acknowledged.set(requestId, await commitUntilTaken(log, requestId));
      }
    };
    await Promise.all([write(a, 20, 0), write(b, 20, 0)]);
    const { cluster } = await (await a.connection.jetstreamManager()).streams.info(names.logStream);
    const leader = servers[Number(cluster?.leader?.slice(1)) - 1]!;
    const writing = Promise.all([write(a, 20, 1), write(b, 20, 1)]);
    await leader.kill();
    await writing;
    await leader.start();
    await Promise.all([write(a, 5, 2), write(b, 5, 2)]);
    expect(plain(await allCommits(a.log))).toEqual(plain(await allCommits(b.log)));
    for (const [requestId, revision] of acknowledged) expect(await b.log.findRequest(requestId)).toBe(revision);
    expect((await a.log.head()).revision).toBe(90);
    for (const replica of replicas) await replica.close();
  } finally {
    for (const each of servers) await each.dispose();
  }
}, 120_000);
