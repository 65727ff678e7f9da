import { describe, expect, it } from "vitest";
import type { Server } from "../../model/resource.ts";
import { boardOf, failed, heard, other, passed, refused, seen, server } from "../../test/health/health-board.ts";
import { testCheck, testFarm, testServer } from "../../test/health/health-resources.ts";
import { type CheckResult, checkFailed } from "./check-result.ts";
import { type HealthTransition, type ServerHealthBoard } from "./server-health.ts";

describe("by its checks, a server", () => {
  const checked = testFarm({ healthCheck: testCheck({ rise: 2, fall: 3 }) });

  it.each([
    { results: "", state: "up" },
    // The first result decides at once.
    { results: "-", state: "down" },
    { results: "+", state: "up" },
    { results: "+--", state: "up" },
    { results: "+---", state: "down" },
    { results: "+--+--", state: "up" },
    { results: "-+", state: "down" },
    { results: "-+-+", state: "down" },
    { results: "-++", state: "up" },
    { results: "-++--", state: "up" },
    { results: "-++---", state: "down" },
    // Nothing that is known of the server.
    { results: "+-0-0-", state: "down" },
    { results: "0", state: "up" },
  ])("whose checks were `$results` is $state", ({ results, state }) => {
    const board = boardOf(checked);
    const meanings: Record<string, CheckResult> = { "+": passed, "-": failed, "0": checkFailed("local_limit", "") };
    for (const [index, result] of results.split("").entries()) board.checked(server, meanings[result]!, index);
    expect(board.isHealthy(server, 100)).toBe(state === "up");
    expect(seen(board, 100)?.state ?? "up").toBe(state);
  });

  it("is changing while some checks went the other way, and not enough of them", () => {
    const board = boardOf(checked);
    const changing = [passed, failed, failed, failed, failed, passed, passed, passed].map((result, index) =>
      board.checked(server, result, index),
    );
    expect(changing).toEqual([false, true, true, false, false, true, false, false]);
  });

  it("is down whatever connections show, and back without what they had shown", () => {
    const board = boardOf(checked);
    refused(board, 0);
    board.checked(server, failed, 1);
    board.succeeded(server, 2);
    expect(board.isHealthy(server, 3)).toBe(false);
    refused(board, 4);
    board.checked(server, passed, 5);
    board.checked(server, passed, 6);
    expect(board.isHealthy(server, 6)).toBe(true);
  });

  it("stays ejected when a check passes that had not been down: checks and connections see different things", () => {
    const board = boardOf(checked);
    refused(board, 0);
    board.checked(server, passed, 1);
    expect(board.isHealthy(server, 2)).toBe(false);
  });

  it("that is down leaves the room to others of which a share may be ejected", () => {
    const board = boardOf(checked);
    refused(board, 0);
    board.checked(server, failed, 1);
    refused(board, 2, other);
    expect(board.isHealthy(other, 2)).toBe(false);
  });

  it("is reported with the reason, the detail, since when, when it was checked and its certificate", () => {
    const board = boardOf(checked);
    board.checked(server, { passed: true, certificateExpiryMs: 99 }, 1);
    for (const nowMs of [2, 3, 4, 5]) board.checked(server, failed, nowMs);
    expect(seen(board, 6)).toEqual({
      server,
      state: "down",
      reason: "tls_alert",
      detail: "handshake_failure",
      sinceMs: 4,
      certificateExpiryMs: 99,
      lastCheckMs: 5,
    });
  });

  it("that is up is reported only for its certificate, after those that are not up", () => {
    const board = boardOf(checked);
    board.checked(server, { passed: true, certificateExpiryMs: 99 }, 1);
    board.checked(other, passed, 1);
    expect([...board.states(2)].map(({ server, state, reason }) => [server, state, reason])).toEqual([
      [server, "up", null],
    ]);
    board.checked("farms/f/servers/c", failed, 3);
    expect([...board.states(3)].map(({ state }) => state)).toEqual(["down", "up"]);
  });

  it.each<[string, (board: ServerHealthBoard) => void]>([
    ["is elsewhere now", (board) => change(board, testServer(server, "127.0.0.1:444"))],
    ["is checked elsewhere now", (board) => change(board, testServer(server, undefined, { checkAddress: address }))],
    ["is in MAINTENANCE", (board) => change(board, testServer(server, undefined, { state: "maintenance" }))],
    ["is of a farm without checks now", (board) => board.apply([{ before: checked, after: testFarm() }], 2)],
    ["is no more", (board) => board.apply([{ before: testServer(server), after: null }], 2)],
    ["is of a farm that is no more", (board) => board.apply([{ before: checked, after: null }], 2)],
  ])("that was down and %s begins anew", (_, apply) => {
    const board = boardOf(checked);
    board.checked(server, failed, 1);
    apply(board);
    expect(board.isHealthy(server, 2)).toBe(true);
    expect([...board.states(2)]).toEqual([]);
  });

  it("keeps its verdict when weight, region or the intervals change", () => {
    const board = boardOf(checked);
    board.checked(server, failed, 1);
    change(board, testServer(server, undefined, { weight: 7, region: "r" }));
    board.apply([{ before: checked, after: testFarm({ healthCheck: testCheck({ intervalMs: 100 }) }) }], 2);
    expect(board.isHealthy(server, 2)).toBe(false);
  });
});

const address = testServer(server, "127.0.0.1:9").address;

function change(board: ServerHealthBoard, after: Server): void {
  board.apply([{ before: testServer(server), after }], 2);
}

describe("a server that is back", () => {
  const slow = testFarm({ slowStartMs: 1000, healthCheck: testCheck({ rise: 1, fall: 1 }) });

  it.each([
    [
      "from down",
      (board: ServerHealthBoard) => (board.checked(server, failed, 0), board.checked(server, passed, 5000)),
    ],
    [
      "from an ejection that lasted",
      (board: ServerHealthBoard) => {
        refused(board, 0);
        board.chosen(server, 2000);
        board.succeeded(server, 5000);
      },
    ],
    [
      "from MAINTENANCE",
      (board: ServerHealthBoard) => {
        const away = testServer(server, undefined, { state: "maintenance" });
        board.apply([{ before: testServer(server), after: away }], 1);
        board.apply([{ before: away, after: testServer(server) }], 5000);
      },
    ],
  ])("%s takes a tenth of its share at first, all of it after the slow start", (_, comesBack) => {
    const board = boardOf(slow);
    comesBack(board);
    expect(seen(board, 5000)?.state).toBe("slow_start");
    expect(board.isHealthy(server, 5000)).toBe(true);
    const shares = [5000, 5500, 5999, 6000].map((nowMs) => board.share(server, nowMs));
    expect(shares[0]).toBeCloseTo(0.1);
    expect(shares[1]).toBeCloseTo(0.55);
    expect(shares[2]).toBeLessThan(1);
    expect(shares[3]).toBe(1);
    expect([...board.states(6000)].filter(({ state }) => state !== "up")).toEqual([]);
  });

  it("starts slowly no server that was only checked for the first time, nor one that failed a moment", () => {
    const board = boardOf(slow);
    board.checked(server, passed, 0);
    refused(board, 1, other);
    board.succeeded(other, 2);
    expect([board.share(server, 2), board.share(other, 2)]).toEqual([1, 1]);
  });

  it("has its whole share at once where the farm has no slow start", () => {
    const board = boardOf(testFarm({ healthCheck: testCheck({ rise: 1 }) }));
    board.checked(server, failed, 0);
    board.checked(server, passed, 1);
    expect(board.share(server, 1)).toBe(1);
  });
});

describe("a transition", () => {
  it("is told once, with its reason; the way back says what is over", () => {
    const board = boardOf(testFarm({ slowStartMs: 1000, healthCheck: testCheck({ rise: 1, fall: 1 }) }));
    const all = heard(board);
    refused(board, 0);
    board.failed(server, "timeout", 1, 2);
    board.checked(server, failed, 3);
    board.checked(server, failed, 4);
    board.checked(server, passed, 5);
    board.share(server, 1005);
    expect(all).toEqual([
      "up>ejected connect_refused",
      "ejected>down tls_alert",
      "down>slow_start tls_alert",
      "slow_start>up tls_alert",
    ]);
  });

  it("tells of an ejection that a probe withstood, when it is looked at", () => {
    const board = boardOf();
    const all: HealthTransition[] = [];
    board.onTransition((transition) => all.push(transition));
    refused(board, 0);
    board.chosen(server, 1000);
    expect([...board.states(7000)]).toEqual([]);
    expect(all.at(-1)).toMatchObject({ server, from: "ejected", to: "up", reason: "connect_refused", atMs: 7000 });
  });

  it("tells of a name that has no address, and has one again", () => {
    const board = boardOf();
    const all = heard(board);
    board.resolved(server, true, 1);
    board.resolved(server, false, 2);
    expect(board.isHealthy(server, 2)).toBe(false);
    expect(seen(board, 2)).toMatchObject({ state: "unresolved", reason: "unresolved", sinceMs: 2 });
    board.resolved(server, true, 3);
    expect(board.isHealthy(server, 3)).toBe(true);
    expect(all).toEqual(["up>unresolved unresolved", "unresolved>up unresolved"]);
  });

  it("is not told of servers that are no more", () => {
    const board = boardOf(testFarm({ healthCheck: testCheck() }));
    board.checked(server, failed, 0);
    const all = heard(board);
    board.apply([{ before: testServer(server), after: null }], 1);
    expect(all).toEqual([]);
  });
});
