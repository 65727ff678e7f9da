import { setImmediate } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { FakeControlPlane, type Session } from "./fake-control-plane.ts";
import { heard, SessionRig, welcome } from "./session-rig.ts";

let rig: SessionRig;

beforeEach(() => {
  rig = new SessionRig();
});

afterEach(async () => {
  await rig.close();
});

describe("a session", () => {
  it("begins with who the node is and how it is", async () => {
    const words: string[] = [];
    await rig.hold((call) => heard(call, words));
    await waitFor("two messages", () => words.length >= 2);
    expect(words.slice(0, 2)).toEqual(["hello n1", "1"]);
  });

  it("reports when something has changed, and again and again at the interval that it is asked for", async () => {
    const words: string[] = [];
    await rig.hold((call) => {
      heard(call, words);
      welcome(call, 3600n, 0);
    });
    await waitFor("the first report", () => words.length >= 2);
    rig.session.reportSoon();
    await waitFor("the change", () => words.length >= 3);
    const other = words.length;
    await rig.end();
    await rig.hold((call) => {
      heard(call, words);
      welcome(call, 0n, 1);
    });
    await waitFor("many reports that nothing had caused", () => words.length >= other + 6);
  });

  it("leaves reports out while one is on its way, and then tells the present state", async () => {
    rig.node.reportBytes = 1024 * 1024;
    const words: string[] = [];
    const plane = await rig.hold(() => undefined);
    await waitFor("the session", () => plane.sessions.length === 1);
    for (let turn = 0; turn < 300; turn += 1) {
      rig.session.reportSoon();
      await setImmediate();
    }
    expect(rig.node.asked).toBe(1);
    rig.node.reportBytes = 0;
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
    await rig.hold((call) => {
      heard(call, words);
      call.once("data", () => end(call));
    });
    await waitFor("a third session", () => words.filter((word) => word === "hello n1").length >= 3);
    expect(rig.lost[0]).toBe(why);
  });

  it("that nobody answers is tried again, and ends when it is told to", async () => {
    const plane = await FakeControlPlane.listen();
    await plane.close();
    rig.holdTo(plane.address);
    await waitFor("several attempts", () => rig.lost.length >= 3);
    expect(() => rig.session.reportSoon()).not.toThrow();
    await rig.end();
    const attempts = rig.lost.length;
    rig.session.reportSoon();
    expect(rig.lost.length).toBe(attempts);
  });
});

describe("reports", () => {
  it("are put together where changes follow each other fast, and the last one is told", async () => {
    const words: string[] = [];
    await rig.hold((call) => heard(call, words));
    await waitFor("the first report", () => words.length >= 2);
    for (let change = 0; change < 200; change += 1) {
      rig.session.reportSoon();
      await setImmediate();
    }
    const askedUntilNow = rig.node.asked;
    expect(askedUntilNow).toBeLessThan(50);
    await waitFor("a report of the last change", () => words.includes(String(askedUntilNow + 1)));
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
    rig.keep(second);
    rig.holdTo(first.address, second.address);
    await waitFor("the second", () => words.includes("hello n1"));
    expect(rig.lost.length).toBeGreaterThanOrEqual(1);
  });
});
