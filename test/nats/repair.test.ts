import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { plain } from "../contract/sealed-commit.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { allCommits, commitUntilTaken, TestFleet, type TestReplica } from "./fleet-log.ts";

let server: NatsServer;
let fleet: TestFleet;

beforeEach(async () => {
  server = await startNatsServer();
  fleet = new TestFleet();
});

afterEach(async () => {
  await fleet.dispose();
  await server.dispose();
});

const following = async (...replicas: TestReplica[]) => {
  for (const { id, log } of replicas)
    await waitFor(`${id} follows`, () => log.status().state === "following").catch((error: unknown) => {
      throw new Error(`${id}: ${JSON.stringify(log.status().detail)}`, { cause: error });
    });
};

/** The stream's messages, as any client sees them. */
async function streamState({ connection }: TestReplica) {
  const manager = await connection.jetstreamManager();
  return (await manager.streams.info("SWITCHYARD_LOG")).state;
}

/** Whether the acknowledged commits are at their revisions in every copy and the copies, and the stream, agree. */
async function expectIntact(acknowledged: ReadonlyMap<string, number>, ...replicas: TestReplica[]): Promise<void> {
  const all = await Promise.all(replicas.map(async ({ log }) => allCommits(log)));
  for (const [index, { log }] of replicas.entries()) {
    for (const [requestId, revision] of acknowledged)
      expect(`${requestId} ${await log.findRequest(requestId)}`).toBe(`${requestId} ${revision}`);
    expect(plain(all[index])).toEqual(plain(all[0]));
  }
  const state = await streamState(replicas[0]!);
  expect([state.first_seq, state.last_seq, state.messages]).toEqual([1, all[0]!.length, all[0]!.length]);
}

async function commits(acknowledged: Map<string, number>, count: number, ...replicas: TestReplica[]): Promise<void> {
  const from = acknowledged.size;
  await Promise.all(
    replicas.map(async ({ log }, index) => {
      for (let each = from + index; each < from + count; each += replicas.length)
        acknowledged.set(`r${each}`, await commitUntilTaken(log, `r${each}`));
    }),
  );
}

/** The blocks of the log's stream on disk. */
function blocks(): readonly string[] {
  const directory = join(server.storeDirectory, "jetstream", "$G", "streams", "SWITCHYARD_LOG", "msgs");
  return readdirSync(directory)
    .filter((name) => name.endsWith(".blk"))
    .map((name) => join(directory, name));
}

function flipBit(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = bytes[at]! ^ 1;
  writeFileSync(path, bytes);
}

describe("a stream that has lost commits is rebuilt from the copies, and none is lost", () => {
  const stops = { killed: "SIGKILL", stopped: "SIGTERM" } as const;
  test.each<[string, keyof typeof stops, (restoreOld: () => void) => void]>([
    ["its store is deleted", "killed", () => server.wipeStore()],
    ["an older store is put back", "killed", (restoreOld) => restoreOld()],
    [
      // It then trusts its index, and finds the damage only where it is read.
      "one bit is flipped in the middle of it",
      "stopped",
      () => {
        const [block] = blocks();
        flipBit(block!, Math.floor(readFileSync(block!).length / 2));
      },
    ],
    [
      "one bit is flipped in the middle of it",
      "killed",
      () => {
        const [block] = blocks();
        flipBit(block!, Math.floor(readFileSync(block!).length / 2));
      },
    ],
    [
      "one bit is flipped in its first record",
      "killed",
      () => {
        const [block] = blocks();
        flipBit(block!, 60);
      },
    ],
    [
      "the end of its block is cut off",
      "killed",
      () => {
        const [block] = blocks();
        const bytes = readFileSync(block!);
        writeFileSync(block!, bytes.subarray(0, bytes.length - 700));
      },
    ],
  ])("%s while the server is %s", async (_, stop, damage) => {
    const a = await fleet.replica(server.url, "a");
    const b = await fleet.replica(server.url, "b");
    const acknowledged = new Map<string, number>();
    await commits(acknowledged, 40, a, b);
    await server.kill("SIGTERM");
    const restoreOld = server.saveStore();
    await server.start();
    await following(a, b);
    await commits(acknowledged, 40, a, b);
    const before = await a.log.head();
    await server.kill(stops[stop]);
    damage(restoreOld);
    await server.start();
    await waitFor("a new epoch", () => a.log.status().head.epoch > 1 && b.log.status().head.epoch > 1);
    await following(a, b);
    await commits(acknowledged, 20, a, b);
    await expectIntact(acknowledged, a, b);
    const head = await a.log.head();
    expect([head.epoch > before.epoch, head.revision]).toEqual([true, before.revision + 20 + (head.epoch - 1)]);
    expect([...a.reports, ...b.reports].filter((text) => text.includes("rebuilt")).length).toBe(1);
    expect([a.replaced, b.replaced]).toEqual([[], []]);
  });

  test("the stream is deleted under running replicas: appends are refused until it is back, by nobody else", async () => {
    const a = await fleet.replica(server.url, "a");
    const b = await fleet.replica(server.url, "b");
    const acknowledged = new Map<string, number>();
    await commits(acknowledged, 20, a, b);
    await (await a.connection.jetstreamManager()).streams.delete("SWITCHYARD_LOG");
    await commits(acknowledged, 20, a, b);
    await following(a, b);
    await expectIntact(acknowledged, a, b);
  });
});

describe("a fresh replica", () => {
  test("with nothing does not win over a longer chain, on an empty server, though its id comes first", async () => {
    const old = await fleet.replica(server.url, "z");
    const acknowledged = new Map<string, number>();
    await commits(acknowledged, 10, old);
    await server.kill();
    server.wipeStore();
    await server.start();
    const fresh = await fleet.replica(server.url, "a");
    // Taken only behind the ten that it has never seen, and the mark of the new epoch.
    acknowledged.set("of the fresh one", await commitUntilTaken(fresh.log, "of the fresh one"));
    expect(acknowledged.get("of the fresh one")).toBe(12);
    await following(old, fresh);
    await expectIntact(acknowledged, old, fresh);
    expect(old.replaced).toEqual([]);
  });

  test("copies a log that is there, without a new epoch", async () => {
    const first = await fleet.replica(server.url, "a");
    const acknowledged = new Map<string, number>();
    await commits(acknowledged, 10, first);
    const second = await fleet.replica(server.url, "b");
    await expectIntact(acknowledged, first, second);
    expect((await second.log.head()).epoch).toBe(1);
  });
});

describe("two histories", () => {
  test("the longer one goes on; the other is kept in a file, and its commits are named", async () => {
    const a = await fleet.replica(server.url, "a");
    const common = new Map<string, number>();
    await commits(common, 10, a);
    await a.close();
    server.wipeStore();
    await server.kill();
    server.wipeStore();
    await server.start();
    // Nobody is there who knows better: a new log begins.
    const b = await fleet.replica(server.url, "b");
    for (const requestId of ["only-b-1", "only-b-2"]) await commitUntilTaken(b.log, requestId);
    const again = await fleet.replica(server.url, "a");
    await waitFor("b has the longer history", () => b.replaced.length === 1 && b.log.status().head.revision > 10);
    await following(again, b);
    await expectIntact(common, again, b);
    const said = b.reports.filter((text) => text.startsWith("error"));
    expect(said.some((text) => text.includes('"only-b-1"') && text.includes('"only-b-2"'))).toBe(true);
    expect(readdirSync(fleet.directory).filter((name) => name.includes("b.sqlite.set-aside"))).not.toEqual([]);
    expect(await b.log.findRequest("only-b-1")).toBeUndefined();
  });
});
