import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { directivesPerNodeMax } from "../../controlplane/fleet/directives.ts";
import { sessionMessageBytesMax } from "../../controlplane/fleet/session-limits.ts";
import {
  type DeepPartial,
  type Directive,
  FeedState,
  FleetServiceService,
  type Node,
  type NodeReport,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { waitFor } from "../support/wait-for.ts";
import { NodeSession } from "./node-session.ts";
import { RunningControlPlane } from "./running-control-plane.ts";

let running: RunningControlPlane;
let sessions: NodeSession[];
beforeEach(async () => {
  running = await RunningControlPlane.start();
  sessions = [];
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

const report: DeepPartial<NodeReport> = {
  digest: new Uint8Array(32),
  feed: FeedState.FEED_STATE_FOLLOWING,
  ready: true,
};

const getNode = async (id: string): Promise<Node | undefined> =>
  (await running.fleet.getNode({ name: `nodes/${id}` })).node;

/** Looks at the sound node until its report is there: reports have no answer that could be waited for. */
async function heardOf(connections: bigint): Promise<void> {
  for (;;) if ((await getNode("good"))?.connections === connections) return;
}

describe("a directive", () => {
  const direct = (name: string, action: Directive["action"]) =>
    running.fleet.directNode({ name, directive: { id: "mine", action } });
  const drain: Directive["action"] = { $case: "drain", value: {} };
  const done = { refused: "", table: undefined, explain: undefined };

  test("goes to its node alone, and what came of it comes back", async () => {
    const [first, second] = [await open().hello("a").welcomed(), await open().hello("b").welcomed()];
    const asked = direct("nodes/b", drain);
    const { id, action } = await second.directive();
    expect(action).toEqual(drain);
    second.answer({ ...done, id, refused: "it is being drained already" });
    expect(await asked).toMatchObject({ result: { refused: "it is being drained already" } });
    expect(first.answers.length).toBe(1);
  });

  test("fails when the node leaves before it answers", async () => {
    const session = await open().hello("a").welcomed();
    const asked = direct("nodes/a", drain);
    await session.directive();
    session.cancel();
    await expect(asked).rejects.toMatchObject({ code: status.UNAVAILABLE });
    await expect(direct("nodes/a", drain)).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });

  test("is turned away where the node has too many that it has not answered", async () => {
    const session = await open().hello("a").welcomed();
    const waiting = Array.from({ length: directivesPerNodeMax }, () => direct("nodes/a", drain));
    await session.directive(directivesPerNodeMax);
    await expect(direct("nodes/a", drain)).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    for (const [index] of waiting.entries()) session.answer({ ...done, id: (await session.directive(index + 1)).id });
    expect((await Promise.all(waiting)).length).toBe(directivesPerNodeMax);
  });

  const wrong: readonly (readonly [string, string, Directive["action"], status])[] = [
    ["without an action", "nodes/a", undefined, status.INVALID_ARGUMENT],
    ["with no such level", "nodes/a", { $case: "setLogLevel", value: { level: "loud" } }, status.INVALID_ARGUMENT],
    [
      "for too many names",
      "nodes/a",
      { $case: "dumpTable", value: { listener: "", prefix: "", limit: 10_001 } },
      status.INVALID_ARGUMENT,
    ],
    ["for no such node", "nodes/b", drain, status.NOT_FOUND],
    ["for a name that is no node's", "a", drain, status.NOT_FOUND],
  ];
  test.each(wrong)("%s is refused", async (_what, name, action, code) => {
    const session = await open().hello("a").welcomed();
    await expect(direct(name, action)).rejects.toMatchObject({ code });
    expect(session.answers.length).toBe(1);
  });
});

describe("of what a node may say,", () => {
  const traffic = (count: number) =>
    Array.from({ length: count }, () => ({ route: "r", traffic: { connections: 1n } }));
  const words = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`w${index}`, 1n]));
  const cases: Readonly<Record<string, (session: NodeSession) => void>> = {
    "traffic before the hello": (session) => session.traffic({}),
    "20001 routes in one delta": (session) => session.hello("bad").traffic({ routes: traffic(20_001) }),
    "a name of 257": (session) => session.hello("bad").traffic({ routes: [{ route: "x".repeat(257) }] }),
    "65 words": (session) => session.hello("bad").traffic({ unrouted: { ended: words } }),
    "a word of 65": (session) => session.hello("bad").traffic({ unrouted: { handshakes: { ["x".repeat(65)]: 1n } } }),
    "a sentence of 4097": (session) =>
      session.hello("bad").answer({ id: "1", refused: "x".repeat(4097), table: undefined, explain: undefined }),
    "a digest of 31 bytes from its cache": (session) =>
      session.hello("bad", { lastKnownGoodDigest: new Uint8Array(31) }),
    "a message that is too long": (session) => session.hello("x".repeat(sessionMessageBytesMax)),
  };
  test.each(Object.keys(cases))("%s ends its session, and nobody else's", async (what) => {
    const good = await open().hello("good").welcomed();
    const bad = open();
    (cases[what] as (session: NodeSession) => void)(bad);
    expect(await bad.ended()).toMatchObject({ code: status.INVALID_ARGUMENT });
    good.report({ ...report, connections: 7n });
    await heardOf(7n);
    expect(running.plane.stats().nodes).toBe(1);
  });

  test("bytes that are no message end its session, and are no fault of the control plane's", async () => {
    const client = new Client(running.address, credentials.createInsecure());
    const { path, responseDeserialize } = FleetServiceService.session;
    const call = client.makeBidiStreamRequest(path, (bytes: Buffer) => bytes, responseDeserialize, new Metadata(), {});
    const failures: unknown[] = [];
    call.on("error", (error) => failures.push(error));
    call.on("data", () => undefined);
    call.write(Buffer.from([0x0a, 0xff, 0xff, 0xff]));
    const failure = await waitFor("the end", () => failures[0]);
    expect(failure).toMatchObject({ code: status.INVALID_ARGUMENT });
    client.close();
  });

  test("too much at once ends its session, and nobody else's", async () => {
    const good = await open().hello("good").welcomed();
    const bad = await open().hello("bad").welcomed();
    for (let said = 0; said < 10_000; said += 1) bad.report(report);
    expect(await bad.ended()).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    good.report({ ...report, connections: 7n });
    await heardOf(7n);
    expect(await getNode("bad")).toMatchObject({ connected: false });
  });
});
