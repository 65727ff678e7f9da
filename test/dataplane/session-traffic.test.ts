import { setImmediate } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type {
  Directive,
  DirectiveResult,
  SessionRequest,
  TrafficDelta,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { waitFor } from "../support/wait-for.ts";
import type { Session } from "./fake-control-plane.ts";
import { SessionRig, welcome } from "./session-rig.ts";

let rig: SessionRig;

beforeEach(() => {
  rig = new SessionRig();
});

afterEach(async () => {
  await rig.close();
});

function readsDeltas(call: Session, into: TrafficDelta[]): void {
  call.on("data", ({ message }: SessionRequest) => {
    if (message?.$case === "traffic") into.push(message.value);
  });
}

/** Connections of a route in all deltas. */
function connectionsOf(deltas: readonly TrafficDelta[], route: string): number {
  const told = deltas.flatMap(({ routes }) => routes).filter((each) => each.route === route);
  return told.reduce((sum, each) => sum + Number(each.traffic?.connections), 0);
}

const ended = {
  reason: "done" as const,
  bytesFromClient: 1,
  bytesFromServer: 2,
  answer: "server_hello" as const,
  resumption: "accepted" as const,
};

describe("traffic", () => {
  it("is told as what came since the last time, and of what has news only", async () => {
    const deltas: TrafficDelta[] = [];
    await rig.hold((call) => {
      readsDeltas(call, deltas);
      welcome(call, 0n, 1);
    });
    for (const round of [1, 2]) {
      for (let each = 0; each < 3; each += 1) rig.node.traffic.closed("r", "s", ended);
      await waitFor("the delta", () => connectionsOf(deltas, "r") === 3 * round);
    }
    const three = { connections: 3n, bytesFromClients: 3n, bytesFromServers: 6n };
    const counts = {
      ...three,
      ended: { done: 3n },
      handshakes: { server_hello: 3n },
      resumptions: { offered: 3n, accepted: 3n },
    };
    expect(deltas.at(-1)).toEqual({
      routes: [{ route: "r", traffic: counts }],
      servers: [{ server: "s", traffic: counts }],
      unrouted: undefined,
    });
  });

  it("is added up while the control plane does not read, and not one connection is lost or doubled", async () => {
    rig.node.reportBytes = 1024 * 1024;
    const deltas: TrafficDelta[] = [];
    const plane = await rig.hold((call) => welcome(call, 0n, 1));
    await waitFor("a report that is stuck", () => plane.sessions.length === 1 && rig.node.asked === 1);
    for (let round = 0; round < 200; round += 1) {
      rig.node.traffic.closed("r", null, ended);
      rig.session.reportSoon();
      await setImmediate();
    }
    rig.node.reportBytes = 0;
    readsDeltas(plane.sessions[0] as Session, deltas);
    await waitFor("everything", () => connectionsOf(deltas, "r") >= 200);
    expect([deltas.length, connectionsOf(deltas, "r")]).toEqual([1, 200]);
  });

  it("that did not leave before the session was lost is told in the next one", async () => {
    const deltas: TrafficDelta[] = [];
    let reads = false;
    const plane = await rig.hold((call) => {
      welcome(call, 0n, 1);
      if (reads) readsDeltas(call, deltas);
    });
    const [long, { traffic }] = ["x".repeat(1000), rig.node];
    for (let each = 0; each < 2000; each += 1) traffic.closed(`${long}${each}`, null, ended);
    await waitFor("a delta that is stuck", () => traffic.empty && plane.sessions.length === 1);
    traffic.closed("r", null, ended);
    reads = true;
    plane.sessions[0]?.emit("error", { code: status.UNAVAILABLE, details: "gone" });
    const told = (): number => deltas.flatMap(({ routes }) => routes).length;
    await waitFor("all of it", () => told() >= 2001);
    expect([told(), connectionsOf(deltas, "r"), connectionsOf(deltas, `${long}7`)]).toEqual([2001, 1, 1]);
  });

  it("of many routes comes in deltas that a control plane takes", async () => {
    const deltas: TrafficDelta[] = [];
    for (let each = 0; each < 2500; each += 1) rig.node.traffic.closed(`r${each}`, null, ended);
    await rig.hold((call) => {
      readsDeltas(call, deltas);
      welcome(call, 0n, 1);
    });
    await waitFor("all of them", () => deltas.flatMap(({ routes }) => routes).length === 2500);
    expect(deltas.map(({ routes }) => routes.length)).toEqual([2000, 500]);
  });
});

/** Sends a directive to the node and waits for its result. */
async function directed(action: Directive["action"]): Promise<DirectiveResult> {
  const results: DirectiveResult[] = [];
  await rig.hold((call) => {
    call.on("data", ({ message }: SessionRequest) => {
      if (message?.$case === "directiveResult") results.push(message.value);
    });
    call.write({ message: { $case: "directive", value: { id: "d-1", action } } });
  });
  return waitFor("the result", () => results[0]);
}

describe("a directive", () => {
  const dump = { listener: "listeners/a", prefix: "a", limit: 0 };
  const explain = { listener: "listeners/a", serverName: "A.test", alpnProtocols: [], source: "" };
  it.each<[string, Directive["action"], readonly string[], string | RegExp]>([
    ["drain", { $case: "drain", value: {} }, ["drain"], ""],
    ["undrain, which fails", { $case: "undrain", value: {} }, [], "the node failed at it: no"],
    ["resync", { $case: "resync", value: {} }, ["resync"], ""],
    ["a log level", { $case: "setLogLevel", value: { level: "debug" } }, ["debug"], ""],
    ["a log level that is none", { $case: "setLogLevel", value: { level: "loud" } }, [], /^"loud" is no log level/],
    ["a dump", { $case: "dumpTable", value: dump }, ["table listeners/a a 1000"], ""],
    ["a dump without end", { $case: "dumpTable", value: { ...dump, limit: 10_001 } }, [], /^the limit is 1 to 10000/],
    ["explain", { $case: "explain", value: explain }, [], "nothing is known of a.test on listeners/a"],
    ["explain, of no name", { $case: "explain", value: { ...explain, serverName: "a..test" } }, [], /is refused/],
    ["explain, from nowhere", { $case: "explain", value: { ...explain, source: "x" } }, [], '"x" is no IP address'],
    ["one of a newer control plane", undefined, [], /does not know the directive/],
  ])("is carried out or refused in a sentence: %s", async (_what, action, expected, refused) => {
    const result = await directed(action);
    expect(result.id).toBe("d-1");
    expect(result.refused).toMatch(refused === "" ? /^$/ : refused);
    expect(rig.node.told).toEqual(expected);
    if (expected[0]?.startsWith("table") === true)
      expect(result.table).toMatchObject({ revision: 4n, truncated: true, entries: [{ serverName: "a.test" }] });
  });
});
