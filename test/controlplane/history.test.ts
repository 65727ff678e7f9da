import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Configuration } from "../../model/configuration.ts";
import { openNextCommit } from "../../model/wire/commit.ts";
import { restoreSnapshot } from "../../model/wire/snapshot.ts";
import { refusalText, readRefusal } from "./refusal-of.ts";
import { RunningControlPlane, wire } from "./running-control-plane.ts";

const beyond = [7n, 1_000_000n, 2n ** 53n, 2n ** 64n - 1n];
const unknown = "NOT_FOUND NOT_FOUND | revision: UNKNOWN_REFERENCE";

let running: RunningControlPlane;
beforeEach(async () => {
  running = await RunningControlPlane.start();
  const { config } = running;
  const farm = (id: string, connectAttemptsMax = 3) => wire({ farm: { name: `farms/${id}`, connectAttemptsMax } });
  const server = wire({ server: { name: "farms/a/servers/s", address: "10.0.0.1:1" } });
  await config.apply({ resources: [farm("a"), farm("b"), server] });
  await config.apply({ resources: [farm("a", 5), farm("c")] });
  await config.deleteFarm({ name: "farms/b" });
  await config.deleteFarm({ name: "farms/a", force: true });
  await config.apply({ resources: [farm("a", 7)] });
  await config.apply({ resources: [farm("d")], prune: true });
});
afterEach(() => running.close());

/** What a fold of the log's first commits gives. */
async function foldedAt(revision: number): Promise<Configuration> {
  const configuration = new Configuration();
  for (const sealed of await running.log.read(0, revision)) {
    const opened = openNextCommit(configuration.position, sealed);
    if ("fault" in opened) throw new Error(opened.detail);
    configuration.apply(opened.commit, opened.position);
  }
  return configuration;
}

async function stateAt(revision: bigint): Promise<Configuration> {
  const stream = running.state(revision);
  const error = await stream.ended();
  if (error !== undefined) throw error;
  const [first, ...rest] = stream.messages.map(({ part }) => part);
  if (first?.$case !== "header") throw new Error("the header comes first");
  const resources = rest.flatMap((part) => (part?.$case === "resources" ? part.value.resources : []));
  expect(BigInt(resources.length)).toBe(first.value.resourceCount);
  return restoreSnapshot(first.value, resources);
}

const namesOf = (configuration: Configuration): string[] =>
  [...configuration.resources()].map(({ name }) => name).sort();

test("GetState at each revision is the fold of the log up to it; 0 is the present", async () => {
  for (const revision of [1, 2, 3, 4, 5, 6]) {
    const [state, folded] = [await stateAt(BigInt(revision)), await foldedAt(revision)];
    expect(namesOf(state)).toEqual(namesOf(folded));
    expect(state.digest).toEqual(folded.digest);
    expect(state.position).toEqual(folded.position);
  }
  expect(namesOf(await stateAt(0n))).toEqual(["farms/d"]);
});

test("an old state is the same after commits and a restart", async () => {
  const before = (await stateAt(2n)).digest;
  await running.config.apply({ prune: true });
  await running.restart();
  expect((await stateAt(2n)).digest).toEqual(before);
});

test("GetCommit gives the commit as it was made, and the hash of its bytes", async () => {
  let parent = new Uint8Array(0);
  for (const [index, sealed] of (await running.log.read(0, 6)).entries()) {
    const { commit, hash } = await running.config.getCommit({ revision: BigInt(index + 1) });
    expect(commit?.revision).toBe(BigInt(index + 1));
    expect(Buffer.from(hash)).toEqual(createHash("sha256").update(sealed.body).digest());
    expect(Buffer.from(commit?.parentHash ?? [])).toEqual(Buffer.from(parent));
    parent = new Uint8Array(hash);
  }
});

describe("a revision that the log has not", () => {
  test.each(beyond)("%i is not found by GetCommit, GetState and Revert", async (revision) => {
    expect(await refusalText(running.config.getCommit({ revision }))).toBe(unknown);
    expect(await refusalText(running.config.revert({ revision }))).toBe(unknown);
    const error = await running.state(revision).ended();
    expect(error && readRefusal(error)).toMatchObject({ code: "NOT_FOUND", fields: ["revision: UNKNOWN_REFERENCE"] });
  });
  test("0 is no commit", async () => {
    expect(await refusalText(running.config.getCommit({ revision: 0n }))).toBe(unknown);
  });
});

describe("ListCommits", () => {
  const revisionsOf = async (request: { pageSize?: number; pageToken?: string }) => {
    const { commits, nextPageToken } = await running.config.listCommits(request);
    return { revisions: commits.map(({ revision }) => Number(revision)), nextPageToken };
  };
  test("gives the newest first, in pages that stand still while commits come", async () => {
    const first = await revisionsOf({ pageSize: 4 });
    expect(first.revisions).toEqual([6, 5, 4, 3]);
    await running.config.createFarm({ farm: { name: "farms/late" } });
    const second = await revisionsOf({ pageSize: 4, pageToken: first.nextPageToken });
    expect(second).toEqual({ revisions: [2, 1], nextPageToken: "" });
    expect((await revisionsOf({})).revisions).toEqual([7, 6, 5, 4, 3, 2, 1]);
    expect(await revisionsOf({ pageSize: 7 })).toMatchObject({ nextPageToken: "" });
  });
  test("outlines each commit", async () => {
    const { commits } = await running.config.listCommits({ pageSize: 1 });
    expect(commits).toMatchObject([{ epoch: 1n, revision: 6n, author: "anonymous", eventCount: 3 }]);
  });
  test.each(["0", "00", "-1", "7", "1000000", "9".repeat(15), "9".repeat(16), "1.5"])(
    "refuses the token %j",
    async (pageToken) => {
      expect(await refusalText(running.config.listCommits({ pageToken }))).toBe("INVALID_ARGUMENT INVALID_PAGE_TOKEN");
    },
  );
  test("spans more commits than it reads at once", async () => {
    for (let index = 0; index < 40; index += 1) await running.config.createFarm({ farm: { name: `farms/n${index}` } });
    expect((await revisionsOf({ pageSize: 1000 })).revisions).toEqual(
      Array.from({ length: 46 }, (_, index) => 46 - index),
    );
  });
});

describe("Revert", () => {
  test.each([1, 2, 3, 4, 5])("to %i makes the configuration what it was, as a new commit", async (revision) => {
    const { plan, revision: made } = await running.config.revert({ revision: BigInt(revision) });
    expect(made).toBe(7n);
    expect(plan?.changes.length).toBeGreaterThan(0);
    expect((await stateAt(0n)).digest).toEqual((await foldedAt(revision)).digest);
    expect((await foldedAt(7)).digest).toEqual((await foldedAt(revision)).digest);
  });
  test("to 0 empties it", async () => {
    const { plan } = await running.config.revert({ revision: 0n });
    expect(plan?.changes).toMatchObject([{ verb: 3, name: "farms/d" }]);
    expect(running.plane.stats().resources).toBe(0);
  });
  test("to what is so already makes no commit", async () => {
    expect(await running.config.revert({ revision: 6n })).toEqual({
      plan: { changes: [], unchangedCount: 0 },
      revision: 6n,
    });
  });
  test("shows its plan without doing it, by validate_only", async () => {
    const dry = await running.config.revert({ revision: 1n, write: { validateOnly: true } });
    expect(dry.revision).toBe(6n);
    const live = await running.config.revert({ revision: 1n });
    expect(live).toEqual({ plan: dry.plan, revision: 7n });
  });
});
