import { setImmediate } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Backoff } from "../../dataplane/feed/backoff.ts";
import { PassiveHealth } from "../../dataplane/health/passive-health.ts";
import { FleetSession } from "../../dataplane/telemetry/fleet-session.ts";
import type { SessionHost } from "../../dataplane/telemetry/node-session.ts";
import { PendingTraffic } from "../../dataplane/telemetry/pending-traffic.ts";
import type {
  Directive,
  DirectiveResult,
  SessionRequest,
  TrafficDelta,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { leftOver, type OpenResources, openResources } from "../support/open-resources.ts";
import { waitFor } from "../support/wait-for.ts";
import { FakeControlPlane, type Session } from "./fake-control-plane.ts";

const hello = {
  nodeId: "n1",
  region: "eu",
  labels: {},
  bootId: "b",
  softwareVersion: "t",
  engine: "portable",
  lastKnownGoodRevision: 0n,
  lastKnownGoodDigest: new Uint8Array(0),
};

let before: OpenResources;
let stop: AbortController;
let holding: Promise<void> | undefined;
let session: FleetSession;
let lost: string[];
/** How often the node was asked for its state, which is that number. */
let asked: number;
/** Bytes of a report. */
let reportBytes: number;
let traffic: PendingTraffic;
/** What the node was told to do. */
let told: string[];
const surroundings: FakeControlPlane[] = [];

/** A node that says how often it was asked for its state, and remembers what it is told to do. */
const host: SessionHost = {
  state: () => {
    asked += 1;
    const position = { epoch: 1, revision: 1, hash: new Uint8Array(32) };
    const stalled = { reason: "forked" as const, detail: "x".repeat(reportBytes) };
    const follower = { position, digest: new Uint8Array(32), loaded: true, feed: "following" as const, stalled };
    const nothing = { kept: undefined, diskFault: undefined, unbound: [], health: new PassiveHealth() };
    return { follower, ...nothing, connections: asked, draining: false, ready: true, monotonicMs: 0, wallMs: 0 };
  },
  get traffic() {
    return traffic;
  },
  drain: async () => void told.push("drain"),
  undrain: () => Promise.reject(new Error("no")),
  resync: () => void told.push("resync"),
  setLogLevel: (level) => void told.push(level),
  table: async (listener, prefix, entriesMax) => {
    told.push(`table ${listener} ${prefix} ${entriesMax}`);
    const entries = [{ listener: "listeners/a", serverName: "a.test", route: "listeners/a/routes/a" }];
    return { position: { epoch: 1, revision: 4, hash: new Uint8Array(32) }, entries, truncated: true };
  },
  explain: (listener, { serverName }) => `nothing is known of ${serverName} on ${listener}`,
};

beforeEach(() => {
  traffic = new PendingTraffic();
  told = [];
  before = openResources();
  stop = new AbortController();
  holding = undefined;
  lost = [];
  asked = 0;
  reportBytes = 0;
});

afterEach(async () => {
  stop.abort();
  await holding;
  for (const plane of surroundings.splice(0)) await plane.close();
  await waitFor("everything to be closed", () => leftOver(before, openResources()) === "", 10_000);
});

async function hold(onSession: (call: Session) => void): Promise<FakeControlPlane> {
  const plane = await FakeControlPlane.listen(undefined, onSession);
  surroundings.push(plane);
  holdTo(plane.address);
  return plane;
}

function holdTo(...addresses: readonly string[]): void {
  const backoff = new Backoff(1, 20, () => 0.5);
  const onLost = (_address: string, why: string): number => lost.push(why);
  session = new FleetSession({ addresses: [...addresses], hello, host, backoff, random: () => 0, onLost });
  holding = session.hold(stop.signal);
}

/** Reads what a session brings: `hello n1`, or the number of a report. */
function heard(call: Session, into: string[]): void {
  call.on("data", ({ message }: SessionRequest) => {
    if (message?.$case === "hello") into.push(`hello ${message.value.nodeId}`);
    if (message?.$case === "report") into.push(String(message.value.connections));
  });
}

function welcome(call: Session, seconds: bigint, nanos: number): void {
  const value = { softwareVersion: "t", replica: "cp-1", reportInterval: { seconds, nanos } };
  call.write({ message: { $case: "welcome", value } });
}

describe("a session", () => {
  it("begins with who the node is and how it is", async () => {
    const words: string[] = [];
    await hold((call) => heard(call, words));
    await waitFor("two messages", () => words.length >= 2);
    expect(words.slice(0, 2)).toEqual(["hello n1", "1"]);
  });

  it("reports when something has changed, and again and again at the interval that it is asked for", async () => {
    const words: string[] = [];
    await hold((call) => {
      heard(call, words);
      welcome(call, 3600n, 0);
    });
    await waitFor("the first report", () => words.length >= 2);
    session.reportSoon();
    await waitFor("the change", () => words.length >= 3);
    const other = words.length;
    await surroundings[0]?.close();
    surroundings.length = 0;
    stop.abort();
    await holding;
    stop = new AbortController();
    await hold((call) => {
      heard(call, words);
      welcome(call, 0n, 1);
    });
    await waitFor("many reports that nothing had caused", () => words.length >= other + 6);
  });

  it("leaves reports out while one is on its way, and then tells the present state", async () => {
    reportBytes = 1024 * 1024;
    const words: string[] = [];
    const plane = await hold(() => undefined);
    await waitFor("the session", () => plane.sessions.length === 1);
    for (let turn = 0; turn < 300; turn += 1) {
      session.reportSoon();
      await setImmediate();
    }
    expect(asked).toBe(1);
    reportBytes = 0;
    heard(plane.sessions[0] as Session, words);
    await waitFor("the next report", () => words.length >= 3);
    expect(words.slice(0, 3)).toEqual(["hello n1", "1", "2"]);
  });

  it.each([
    ["ended", (call: Session) => call.end(), "the control plane ended the session"],
    [
      "refused",
      (call: Session) => call.emit("error", { code: status.INVALID_ARGUMENT, details: "no" }),
      "3 INVALID_ARGUMENT: no",
    ],
  ])("that is %s is made anew, with a hello of its own", async (_what, end, why) => {
    const words: string[] = [];
    await hold((call) => {
      heard(call, words);
      call.once("data", () => end(call));
    });
    await waitFor("a third session", () => words.filter((word) => word === "hello n1").length >= 3);
    expect(lost[0]).toBe(why);
  });

  it("that nobody answers is tried again, and ends when it is told to", async () => {
    const plane = await FakeControlPlane.listen();
    await plane.close();
    holdTo(plane.address);
    await waitFor("several attempts", () => lost.length >= 3);
    expect(() => session.reportSoon()).not.toThrow();
    stop.abort();
    await holding;
    const attempts = lost.length;
    session.reportSoon();
    expect(lost.length).toBe(attempts);
  });
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

const ended = { reason: "done" as const, bytesFromClient: 1, bytesFromServer: 2, answer: "server_hello" as const };

describe("reports", () => {
  it("are put together where changes follow each other fast, and the last one is told", async () => {
    const words: string[] = [];
    await hold((call) => heard(call, words));
    await waitFor("the first report", () => words.length >= 2);
    for (let change = 0; change < 200; change += 1) {
      session.reportSoon();
      await setImmediate();
    }
    const askedUntilNow = asked;
    expect(askedUntilNow).toBeLessThan(50);
    await waitFor("a report of the last change", () => words.includes(String(askedUntilNow + 1)));
  });
});

describe("traffic", () => {
  it("is told as what came since the last time, and of what has news only", async () => {
    const deltas: TrafficDelta[] = [];
    await hold((call) => {
      readsDeltas(call, deltas);
      welcome(call, 0n, 1);
    });
    for (const round of [1, 2]) {
      for (let each = 0; each < 3; each += 1) traffic.closed("r", "s", ended);
      await waitFor("the delta", () => connectionsOf(deltas, "r") === 3 * round);
    }
    const three = { connections: 3n, bytesFromClients: 3n, bytesFromServers: 6n };
    const counts = { ...three, ended: { done: 3n }, handshakes: { server_hello: 3n } };
    expect(deltas.at(-1)).toEqual({
      routes: [{ route: "r", traffic: counts }],
      servers: [{ server: "s", traffic: counts }],
      unrouted: undefined,
    });
  });

  it("is added up while the control plane does not read, and not one connection is lost or doubled", async () => {
    reportBytes = 1024 * 1024;
    const deltas: TrafficDelta[] = [];
    const plane = await hold((call) => welcome(call, 0n, 1));
    await waitFor("a report that is stuck", () => plane.sessions.length === 1 && asked === 1);
    for (let round = 0; round < 200; round += 1) {
      traffic.closed("r", null, ended);
      session.reportSoon();
      await setImmediate();
    }
    reportBytes = 0;
    readsDeltas(plane.sessions[0] as Session, deltas);
    await waitFor("everything", () => connectionsOf(deltas, "r") >= 200);
    expect([deltas.length, connectionsOf(deltas, "r")]).toEqual([1, 200]);
  });

  it("that did not leave before the session was lost is told in the next one", async () => {
    reportBytes = 1024 * 1024;
    const deltas: TrafficDelta[] = [];
    const plane = await hold((call) => {
      welcome(call, 0n, 1);
      if (surroundings[0] !== undefined && (plane?.sessions.length ?? 0) > 1) readsDeltas(call, deltas);
    });
    await waitFor("a report that is stuck", () => plane.sessions.length === 1 && asked === 1);
    traffic.closed("r", null, ended);
    reportBytes = 0;
    plane.sessions[0]?.emit("error", { code: status.UNAVAILABLE, details: "gone" });
    await waitFor("the count", () => connectionsOf(deltas, "r") > 0);
    expect(connectionsOf(deltas, "r")).toBe(1);
  });

  it("of many routes comes in deltas that a control plane takes", async () => {
    const deltas: TrafficDelta[] = [];
    for (let each = 0; each < 2500; each += 1) traffic.closed(`r${each}`, null, ended);
    await hold((call) => {
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
  await hold((call) => {
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
    expect(told).toEqual(expected);
    if (expected[0]?.startsWith("table") === true)
      expect(result.table).toMatchObject({ revision: 4n, truncated: true, entries: [{ serverName: "a.test" }] });
  });
});

describe("several control planes", () => {
  it("are asked in turn until one answers, and again when that one is lost", async () => {
    const words: string[] = [];
    const [first, second] = [
      await FakeControlPlane.listen(),
      await FakeControlPlane.listen(undefined, (call) => heard(call, words)),
    ];
    await first.close();
    surroundings.push(second);
    holdTo(first.address, second.address);
    await waitFor("the second", () => words.includes("hello n1"));
    const third = await FakeControlPlane.listen();
    surroundings.push(third);
    expect(lost.length).toBeGreaterThanOrEqual(1);
  });
});
