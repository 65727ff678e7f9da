import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Listings } from "../../controlplane/admin/listing.ts";
import { serviceError } from "../../controlplane/admin/refused.ts";
import { ResourceMethods } from "../../controlplane/admin/resource-methods.ts";
import type { Command } from "../../controlplane/decide/command.ts";
import { LogUnavailable } from "../../controlplane/log/event-log.ts";
import { SqliteEventLog } from "../../controlplane/log/sqlite-event-log.ts";
import { type CommandOrigin, Committer } from "../../controlplane/state/committer.ts";
import { LiveConfiguration } from "../../controlplane/state/live-configuration.ts";
import { QueueFull } from "../../controlplane/state/serial-queue.ts";
import { written } from "../support/arbitrary-resource.ts";
import { readRefusal } from "./refusal-of.ts";

let folder: string;
let log: SqliteEventLog;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "switchyard-committer-"));
  log = await SqliteEventLog.open({ path: join(folder, "log.sqlite") });
});
afterEach(async () => {
  await log.close();
  rmSync(folder, { recursive: true });
});

const noFault = (error: unknown): never => {
  throw error;
};
async function committer(bytesMax?: number) {
  const live = await LiveConfiguration.open(log, noFault);
  return { live, committer: new Committer(log, live, () => 0, bytesMax) };
}
const by = (requestId: string, validateOnly = false): CommandOrigin => {
  const requestBytes = new TextEncoder().encode(requestId);
  return { requestId, requestBytes, author: "test", reason: "", validateOnly };
};
const create = (id: string): (() => Command) => {
  const resource = written({ farm: { name: `farms/${id}` } });
  return () => ({ type: "create", wish: { resource, path: "farm", etag: "" } });
};

describe("another writer that is faster", () => {
  test("makes a command be decided again, on what there is then", async () => {
    const [mine, theirs] = [await committer(), await committer()];
    const seen: number[] = [];
    let rounds = 0;
    const answer = await mine.committer.commit((configuration) => {
      seen.push(configuration.farms.size);
      return create("mine")();
    }, by("mine"));
    expect(answer).toMatchObject({ revision: 1 });

    const append = log.append.bind(log);
    log.append = async (commit, key) => {
      // Twice the other comes first, between the decision and the append.
      if (key.requestId === "again" && rounds < 2) {
        rounds += 1;
        await theirs.committer.commit(create(`theirs${rounds}`), by(`theirs${rounds}`));
      }
      return append(commit, key);
    };
    seen.length = 0;
    const again = await mine.committer.commit((configuration) => {
      seen.push(configuration.farms.size);
      return create("again")();
    }, by("again"));
    expect(again).toMatchObject({ revision: 4 });
    expect(seen).toEqual([1, 2, 3]);
  });

  test("can take what the command wants: then it is refused", async () => {
    const [mine, theirs] = [await committer(), await committer()];
    const append = log.append.bind(log);
    log.append = async (commit, key) => {
      if (key.requestId === "mine") await theirs.committer.commit(create("same"), by("theirs"));
      return append(commit, key);
    };
    expect(await mine.committer.commit(create("same"), by("mine"))).toMatchObject({ refused: "ALREADY_EXISTS" });
    expect((await log.head()).revision).toBe(1);
  });

  test("that carries out the same request gives its answer", async () => {
    const [mine, theirs] = [await committer(), await committer()];
    const append = log.append.bind(log);
    let first = true;
    log.append = async (commit, key) => {
      if (first) {
        first = false;
        await theirs.committer.commit(create("same"), by("one"));
      }
      return append(commit, key);
    };
    expect(await mine.committer.commit(create("same"), by("one"))).toMatchObject({ revision: 1 });
    expect((await log.head()).revision).toBe(1);
  });

  test("again and again makes the log unavailable, in the end, and nothing is written", async () => {
    const mine = await committer();
    log.append = async () => ({ outcome: "conflict", head: await log.head() });
    await expect(mine.committer.commit(create("mine"), by("mine"))).rejects.toThrow(LogUnavailable);
    expect((await log.head()).revision).toBe(0);
  });
});

test("the index that deciders use is in step with the configuration at every moment that others can look", async () => {
  const [mine, theirs] = [await committer(), await committer()];
  const names = ["shop.test", "mail.test", "news.test"];
  const edge = written({ listener: { name: "listeners/edge", addresses: ["127.0.0.1:443"] } });
  const route = (index: number) =>
    written({
      route: {
        name: `listeners/edge/routes/r${index}`,
        match: { serverNames: [`${index}.${names[index % 3]}`] },
        action: { reject: {} },
      },
    });
  const wishes = [edge, ...Array.from({ length: 20 }, (_, index) => route(index))];
  for (const [index, resource] of wishes.entries())
    await theirs.committer.commit(
      () => ({ type: "create", wish: { resource, path: "", etag: "" } }),
      by(`their ${index}`),
    );
  let behind = 0;
  let done = false;
  const looking = (async () => {
    while (!done) {
      const { configuration, index } = mine.live;
      for (const { name, match } of configuration.routes.values())
        if (index.matchHolder("listeners/edge", match.serverNames[0] as string) !== name) behind += 1;
      await Promise.resolve();
    }
  })();
  await mine.live.catchUp();
  done = true;
  await looking;
  expect(mine.live.configuration.routes.size).toBe(20);
  expect(behind).toBe(0);
});

test("a commit above its limit is refused with both numbers, live and validated, and nothing is written", async () => {
  const { live, committer: small } = await committer(200);
  const methods = new ResourceMethods(live, small, new Listings(log, live));
  for (const validateOnly of [true, false]) {
    const write = { requestId: "", author: "", reason: "x".repeat(200), validateOnly };
    const run = methods.run(create("web")(), write, new Uint8Array());
    const error = await run.then(
      () => new Error("it was taken"),
      (thrown: unknown) => serviceError(thrown, noFault),
    );
    expect(readRefusal(error as ReturnType<typeof serviceError>)).toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      reason: "COMMIT_TOO_LARGE",
      message: expect.stringMatching(/^a commit of 3\d\d bytes; at most 200 \(commitBytesMax\)$/),
    });
  }
  expect((await log.head()).revision).toBe(0);
});

test("more than 1000 commands at once are turned away, and those before are carried out", async () => {
  const { live, committer: one } = await committer();
  const outcomes = await Promise.allSettled(
    Array.from({ length: 1010 }, (_, index) => one.commit(create(`f${index}`), by(`r${index}`))),
  );
  const refused = outcomes.filter((outcome) => outcome.status === "rejected");
  expect(refused.length).toBe(10);
  for (const { reason } of refused) expect(reason).toBeInstanceOf(QueueFull);
  expect((await log.head()).revision).toBe(1000);
  // The thousandth commit makes a snapshot due.
  await live.settled();
});

test("a failed append is the command's own failure, and the next one is carried out", async () => {
  const { committer: one } = await committer();
  const append = log.append.bind(log);
  log.append = async () => {
    throw new LogUnavailable("the disk is full");
  };
  await expect(one.commit(create("a"), by("a"))).rejects.toThrow("the disk is full");
  log.append = append;
  expect(await one.commit(create("a"), by("a"))).toMatchObject({ revision: 1 });
});
