import { setImmediate } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Backoff } from "../../dataplane/feed/backoff.ts";
import { FleetSession } from "../../dataplane/telemetry/fleet-session.ts";
import { FeedState, type NodeReport, type SessionRequest } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
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
const surroundings: FakeControlPlane[] = [];

beforeEach(() => {
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

function holdTo(address: string): void {
  const report = (): NodeReport => {
    asked += 1;
    const detail = "x".repeat(reportBytes);
    const degraded = [{ name: "log", reason: "forked", detail, revision: 1n }];
    const state = { feed: FeedState.FEED_STATE_FOLLOWING, draining: false, ready: true };
    const digest = new Uint8Array(32);
    return { epoch: 1n, revision: 1n, digest, connections: BigInt(asked), degraded, serverHealth: [], ...state };
  };
  const backoff = new Backoff(1, 20, () => 0.5);
  session = new FleetSession({ address, hello, report, backoff, onLost: (why) => lost.push(why) });
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
    await waitFor("the first report", () => words.length >= 2);
    await waitFor("room for the next report", () => {
      session.reportSoon();
      return asked === 2;
    });
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
