import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type DeepPartial,
  DigestMatch,
  type Node,
  type NodeReport,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { waitFor } from "../support/wait-for.ts";
import { NodeSession } from "./node-session.ts";
import { refusalText } from "./refusal-of.ts";
import { RunningControlPlane, timeMs } from "./running-control-plane.ts";

let running: RunningControlPlane;
let sessions: NodeSession[];
beforeEach(async () => {
  running = await RunningControlPlane.start();
  sessions = [];
  for (const id of ["a", "b", "c"]) await running.config.createFarm({ farm: { name: `farms/${id}` } });
});
afterEach(async () => {
  for (const session of sessions) session.cancel();
  await running.close();
});

function open(): NodeSession {
  const session = new NodeSession(running.address);
  sessions.push(session);
  return session;
}
const node = async (id: string): Promise<Node | undefined> =>
  (await running.fleet.getNode({ name: `nodes/${id}` })).node;

/** Looks at a node until the condition holds: reports have no answer that could be waited for. */
async function nodeThat(id: string, holds: (node: Node) => boolean): Promise<Node> {
  for (;;) {
    const found = await node(id);
    if (found !== undefined && holds(found)) return found;
  }
}
const digestAt = async (revision: bigint): Promise<Uint8Array> => {
  const state = running.state(revision);
  await state.ended();
  const [header] = state.messages;
  if (header?.part?.$case !== "header") throw new Error("no header");
  return header.part.value.digest;
};
const soundReport: DeepPartial<NodeReport> = { digest: new Uint8Array(32) };

test("a node says who it is, is welcomed, and shown as it reports itself", async () => {
  const session = open().hello("n1", {
    region: "eu",
    labels: { rack: "7" },
    bootId: "b",
    softwareVersion: "1.2",
    engine: "native",
  });
  await session.welcomed();
  expect(session.answers[0]?.message?.value).toMatchObject({
    softwareVersion: "test",
    reportInterval: { seconds: 1n, nanos: 0 },
  });
  expect(await node("n1")).toMatchObject({
    name: "nodes/n1",
    region: "eu",
    labels: { rack: "7" },
    bootId: "b",
    softwareVersion: "1.2",
    engine: "native",
    connected: true,
    digestMatch: DigestMatch.DIGEST_MATCH_UNSPECIFIED,
    revision: 0n,
    lag: 3n,
  });
  const degraded = [{ name: "listeners/edge", reason: "address_in_use", detail: "127.0.0.1:443" }];
  const serverHealth = [
    { server: "farms/a/servers/s", failing: true, reason: "refused", since: { seconds: 5n, nanos: 0 } },
  ];
  session.report({ revision: 3n, digest: await digestAt(3n), connections: 12n, degraded, serverHealth });
  expect(await nodeThat("n1", ({ connections }) => connections === 12n)).toMatchObject({
    revision: 3n,
    lag: 0n,
    digestMatch: DigestMatch.DIGEST_MATCH_EQUAL,
    degraded,
    serverHealth,
    lastReportTime: { seconds: BigInt(timeMs / 1000) },
  });
});

test("a report's digest is compared with the log's at the node's own revision", async () => {
  const session = await open().hello("n1").welcomed();
  const cases: readonly (readonly [revision: bigint, digest: Uint8Array, match: DigestMatch, lag: bigint])[] = [
    [3n, await digestAt(3n), DigestMatch.DIGEST_MATCH_EQUAL, 0n],
    [1n, await digestAt(1n), DigestMatch.DIGEST_MATCH_EQUAL, 2n],
    [2n, await digestAt(1n), DigestMatch.DIGEST_MATCH_DIFFERENT, 1n],
    [99n, await digestAt(3n), DigestMatch.DIGEST_MATCH_UNKNOWN, 0n],
    [2n ** 64n - 1n, await digestAt(3n), DigestMatch.DIGEST_MATCH_UNKNOWN, 0n],
  ];
  for (const [index, [revision, digest, digestMatch, lag]] of cases.entries()) {
    const connections = BigInt(index + 1);
    session.report({ revision, digest, connections });
    expect(await nodeThat("n1", (found) => found.connections === connections)).toMatchObject({
      revision,
      digestMatch,
      lag,
    });
  }
  // The list holds whatever a node says of itself.
  expect((await running.fleet.listNodes({})).nodes.length).toBe(1);
});

test("lag grows with the log, and a revision from before a restart is compared as before", async () => {
  const session = await open().hello("n1").welcomed();
  session.report({ revision: 3n, digest: await digestAt(3n), connections: 1n });
  await nodeThat("n1", ({ connections }) => connections === 1n);
  await running.config.createFarm({ farm: { name: "farms/d" } });
  expect(await node("n1")).toMatchObject({ lag: 1n, digestMatch: DigestMatch.DIGEST_MATCH_EQUAL });
  const digest = await digestAt(3n);
  await running.restart();
  const after = await open().hello("n1").welcomed();
  after.report({ revision: 3n, digest, connections: 2n });
  expect(await nodeThat("n1", ({ connections }) => connections === 2n)).toMatchObject({
    digestMatch: DigestMatch.DIGEST_MATCH_EQUAL,
  });
});

describe("a session's end is seen", () => {
  test.each([
    ["that the node finishes", (session: NodeSession) => session.finish()],
    ["that breaks off", (session: NodeSession) => session.cancel()],
  ])("%s", async (_what, end) => {
    const session = await open().hello("n1").welcomed();
    expect(running.plane.stats().nodes).toBe(1);
    end(session);
    await waitFor("no nodes", () => running.plane.stats().nodes === 0);
    expect(await node("n1")).toMatchObject({ connected: false });
    await session.ended();
  });

  test("by the node, when the control plane closes: at once, not after the grace", async () => {
    const session = await open().hello("n1").welcomed();
    await running.plane.close(600_000);
    expect(await session.ended()).toBeUndefined();
    await running.restart();
  });
});

test("a second session of an id supersedes the first, whose reports and end do not count any more", async () => {
  const first = await open().hello("n1", { bootId: "one" }).welcomed();
  first.report({ ...soundReport, connections: 1n });
  await nodeThat("n1", ({ connections }) => connections === 1n);
  const second = await open().hello("n1", { bootId: "two" }).welcomed();
  expect(await node("n1")).toMatchObject({ bootId: "two", connected: true, connections: 0n });
  first.report({ ...soundReport, connections: 2n });
  second.report({ ...soundReport, connections: 3n });
  await nodeThat("n1", ({ connections }) => connections === 3n);
  first.finish();
  await first.ended();
  expect(await node("n1")).toMatchObject({ bootId: "two", connected: true, connections: 3n });
  expect(running.plane.stats().nodes).toBe(1);
});

describe("a node that breaks the protocol is cut off, and nobody else is", () => {
  const many = <T>(count: number, entry: T): T[] => Array.from({ length: count }, () => entry);
  const labels = (count: number) => Object.fromEntries(many(count, "v").map((value, index) => [`k${index}`, value]));
  const cases: Readonly<Record<string, (session: NodeSession) => void>> = {
    "a report before the hello": (session) => session.report(soundReport),
    "a second hello": (session) => session.hello("bad").hello("bad"),
    "a second hello, then a third": (session) => session.hello("bad").hello("bad").hello("bad").report(soundReport),
    "an empty id": (session) => session.hello(""),
    "an id with a slash": (session) => session.hello("a/b"),
    "an id of 129": (session) => session.hello("x".repeat(129)),
    "a region of 64": (session) => session.hello("bad", { region: "x".repeat(64) }),
    "65 labels": (session) => session.hello("bad", { labels: labels(65) }),
    "a label of 129": (session) => session.hello("bad", { labels: { x: "x".repeat(129) } }),
    "a boot id of 129": (session) => session.hello("bad", { bootId: "x".repeat(129) }),
    "a digest of 33 bytes": (session) => session.hello("bad").report({ digest: new Uint8Array(33) }),
    "no digest": (session) => session.hello("bad").report({}),
    "1001 degraded objects": (session) => session.hello("bad").report({ ...soundReport, degraded: many(1001, {}) }),
    "10001 servers": (session) => session.hello("bad").report({ ...soundReport, serverHealth: many(10_001, {}) }),
    "a detail of 1025": (session) =>
      session.hello("bad").report({ ...soundReport, serverHealth: [{ detail: "x".repeat(1025) }] }),
    "connections to 10001 servers": (session) =>
      session.hello("bad").report({ ...soundReport, serverConnections: many(10_001, {}) }),
    "connections to a server with a name of 257": (session) =>
      session.hello("bad").report({ ...soundReport, serverConnections: [{ server: "x".repeat(257) }] }),
    "findings of 1001 farms": (session) =>
      session.hello("bad").report({ ...soundReport, farmAffinity: many(1001, {}) }),
    "a finding of 65": (session) =>
      session.hello("bad").report({ ...soundReport, farmAffinity: [{ finding: "x".repeat(65) }] }),
    "a sentence of 1025": (session) =>
      session.hello("bad").report({ ...soundReport, farmAffinity: [{ sentence: "x".repeat(1025) }] }),
    "advice of 4097": (session) =>
      session.hello("bad").report({ ...soundReport, farmAffinity: [{ advice: "x".repeat(4097) }] }),
    "65 outcomes of sessions": (session) =>
      session.hello("bad").traffic({
        unrouted: { resumptions: Object.fromEntries(many(65, 1n).map((value, index) => [`w${index}`, value])) },
      }),
    "5 MiB of words": (session) =>
      session.hello("bad").report({ ...soundReport, degraded: [{ detail: "x".repeat(5 << 20) }] }),
  };
  test.each(Object.keys(cases))("%s", async (what) => {
    const good = await open().hello("good").welcomed();
    const bad = open();
    (cases[what] as (session: NodeSession) => void)(bad);
    expect(await bad.ended()).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(running.plane.stats().nodes).toBe(1);
    good.report({ ...soundReport, connections: 7n });
    expect(await nodeThat("good", ({ connections }) => connections === 7n)).toMatchObject({ connected: true });
    const { nodes } = await running.fleet.listNodes({});
    expect(nodes.filter(({ connected }) => connected).map(({ name }) => name)).toEqual(["nodes/good"]);
  });

  test("what a newer node says beside is passed over", async () => {
    const session = await open().unknown().hello("n1").unknown().welcomed();
    session.unknown().report({ ...soundReport, connections: 1n });
    await nodeThat("n1", ({ connections }) => connections === 1n);
  });
});

describe("ListNodes and GetNode", () => {
  test("show the nodes by id, in pages", async () => {
    for (const id of ["c", "a", "e", "b", "d"]) await open().hello(id).welcomed();
    const names: string[][] = [];
    let pageToken = "";
    do {
      const page = await running.fleet.listNodes({ pageSize: 2, pageToken });
      expect(page.revision).toBe(3n);
      names.push(page.nodes.map(({ name }) => name));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(names).toEqual([["nodes/a", "nodes/b"], ["nodes/c", "nodes/d"], ["nodes/e"]]);
  });
  test("refuse what they do not know", async () => {
    expect(await refusalText(running.fleet.listNodes({ pageToken: "x" }))).toBe("INVALID_ARGUMENT INVALID_PAGE_TOKEN");
    for (const name of ["nodes/none", "none", "", "x".repeat(100_000)])
      expect(await refusalText(running.fleet.getNode({ name }))).toBe("NOT_FOUND NOT_FOUND | name: UNKNOWN_REFERENCE");
  });
});
