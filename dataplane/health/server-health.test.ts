import { describe, expect, it } from "vitest";
import type { PassiveHealthPolicy } from "../../model/farm-policy.ts";
import { passiveHealthDefaults } from "../../model/farm-policy.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";
import type { Farm, Server } from "../../model/resource.ts";
import { created, testCheck, testFarm, testServer } from "../../test/health/health-resources.ts";
import { type CheckResult, checkFailed } from "./check-result.ts";
import { type HealthTransition, ServerHealthBoard, type ServerHealthSeen } from "./server-health.ts";

const server: ServerResourceName = "farms/f/servers/a";
const other: ServerResourceName = "farms/f/servers/b";
const passed: CheckResult = { passed: true, certificateExpiryMs: null };
const failed = checkFailed("tls_alert", "handshake_failure");

/** A board with a farm of servers a, b, c ... */
function boardOf(farm: Farm = testFarm(), serverCount = 2): ServerHealthBoard {
  const board = new ServerHealthBoard();
  board.apply(created(farm, ...names(serverCount).map((name) => testServer(name))), 0);
  return board;
}

function names(count: number): ServerResourceName[] {
  return Array.from({ length: count }, (_, index) => `farms/f/servers/${String.fromCharCode(97 + index)}` as const);
}

function passive(policy: Partial<PassiveHealthPolicy>): Partial<Farm> {
  return { passiveHealth: { ...passiveHealthDefaults, ...policy } };
}

/** Fails at once, as a refused connection does. */
function refused(board: ServerHealthBoard, nowMs: number, name = server): void {
  board.failed(name, "refused", nowMs, nowMs);
}

function seen(board: ServerHealthBoard, nowMs: number, name = server): ServerHealthSeen | undefined {
  return [...board.states(nowMs)].find((each) => each.server === name);
}

/** `from>to` of each transition. */
function heard(board: ServerHealthBoard): string[] {
  const all: string[] = [];
  board.onTransition(({ from, to, reason }) => all.push(`${from}>${to} ${reason ?? "-"}`));
  return all;
}

describe("by its connections, a server", () => {
  it("that never failed is healthy, and nothing is remembered of it", () => {
    const board = boardOf();
    board.chosen(server, 0);
    board.succeeded(server, 1);
    expect(board.isHealthy(server, 2)).toBe(true);
    expect(board.share(server, 2)).toBe(1);
    expect([...board.states(2)]).toEqual([]);
  });

  it("that failed is passed over for a second, and the others are not", () => {
    const board = boardOf();
    refused(board, 100);
    expect(board.isHealthy(server, 100)).toBe(false);
    expect(board.isHealthy(server, 1099)).toBe(false);
    expect(board.isHealthy(server, 1100)).toBe(true);
    expect(board.isHealthy(other, 100)).toBe(true);
  });

  it.each([
    { min: 1000, max: 30_000, waits: [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000] },
    { min: 100, max: 250, waits: [100, 200, 250, 250] },
  ])("that goes on failing is left alone twice as long each time, from $min up to $max ms", ({ min, max, waits }) => {
    const board = boardOf(testFarm(passive({ ejectionMinMs: min, ejectionMaxMs: max })));
    let nowMs = 0;
    for (const wait of waits) {
      refused(board, nowMs);
      expect(board.isHealthy(server, nowMs + wait - 1)).toBe(false);
      expect(board.isHealthy(server, nowMs + wait)).toBe(true);
      nowMs += wait;
      board.chosen(server, nowMs);
    }
  });

  it("whose time is up is probed by one connection; the others pass it over meanwhile", () => {
    const board = boardOf();
    refused(board, 0);
    expect(board.isHealthy(server, 1000)).toBe(true);
    board.chosen(server, 1000);
    expect(board.isHealthy(server, 1000)).toBe(false);
    expect(board.isHealthy(server, 6999)).toBe(false);
  });

  it("has recovered when its probe has not failed by the farm's connect timeout and a second", () => {
    const board = boardOf(testFarm({ connectTimeoutMs: 500 }));
    refused(board, 0);
    board.chosen(server, 1000);
    expect(board.isHealthy(server, 2499)).toBe(false);
    expect(board.isHealthy(server, 2500)).toBe(true);
    expect([...board.states(2500)]).toEqual([]);
    refused(board, 8000);
    expect(board.isHealthy(server, 8999)).toBe(false);
    expect(board.isHealthy(server, 9000)).toBe(true);
  });

  it("has recovered at once when a connection that began after the failure was made", () => {
    const board = boardOf();
    refused(board, 0);
    board.chosen(server, 1000);
    board.succeeded(server, 1001);
    expect(board.isHealthy(server, 1002)).toBe(true);
    expect([...board.states(1002)]).toEqual([]);
  });

  it("has not recovered when an old connection ends, which was made before the failure", () => {
    const board = boardOf();
    refused(board, 500);
    board.succeeded(server, 400);
    expect(board.isHealthy(server, 600)).toBe(false);
  });

  it("is ejected since its first failure, for the reason of the last", () => {
    const board = boardOf();
    refused(board, 10);
    board.failed(server, "timeout", 2000, 7000);
    expect(seen(board, 7000)).toMatchObject({ state: "ejected", reason: "connect_timeout", sinceMs: 10 });
  });

  it("that fails many attempts which were on their way has failed once", () => {
    const board = boardOf();
    for (let attempt = 0; attempt < 50; attempt += 1) board.failed(server, "timeout", attempt, 5000 + attempt);
    expect(board.isHealthy(server, 5999)).toBe(false);
    expect(board.isHealthy(server, 6000)).toBe(true);
  });

  it("is not failing for want of descriptors or ports on this side", () => {
    const board = boardOf();
    board.failed(server, "local_limit", 0, 0);
    expect(board.isHealthy(server, 0)).toBe(true);
  });

  it("is ejected for resets before its first byte, too", () => {
    const board = boardOf();
    board.failed(server, "reset_before_reply", 0, 5);
    expect(seen(board, 5)).toMatchObject({ state: "ejected", reason: "reset_before_reply" });
  });

  it("is ejected after as many failures in a row as the farm says, and an answer begins the count anew", () => {
    const board = boardOf(testFarm(passive({ failures: 3 })));
    refused(board, 1);
    refused(board, 2);
    board.succeeded(server, 3);
    refused(board, 4);
    refused(board, 5);
    expect(board.isHealthy(server, 5)).toBe(true);
    refused(board, 6);
    expect(board.isHealthy(server, 6)).toBe(false);
    expect(seen(board, 6)?.detail).toBe("3 connections in a row failed");
  });

  it.each([
    { percent: 0, servers: 4, ejected: 0 },
    { percent: 1, servers: 4, ejected: 1 },
    { percent: 50, servers: 4, ejected: 2 },
    { percent: 50, servers: 5, ejected: 2 },
    { percent: 50, servers: 1, ejected: 1 },
    { percent: 100, servers: 4, ejected: 4 },
  ])("is ejected only while at most $percent percent of $servers are: $ejected", ({ percent, servers, ejected }) => {
    const board = boardOf(testFarm(passive({ ejectedMaxPercent: percent })), servers);
    for (const name of names(servers)) refused(board, 10, name);
    expect(names(servers).filter((name) => !board.isHealthy(name, 10))).toHaveLength(ejected);
  });

  it("is ejected at its next failure once there is room for it", () => {
    const board = boardOf();
    refused(board, 0);
    refused(board, 0, other);
    expect(board.isHealthy(other, 0)).toBe(true);
    refused(board, 1000, other);
    expect(board.isHealthy(other, 1000)).toBe(false);
  });

  it("in MAINTENANCE does not count among those of which a share may be ejected", () => {
    const board = boardOf(testFarm(), 4);
    const [, , c, d] = names(4) as [string, string, ServerResourceName, ServerResourceName];
    for (const name of [c, d])
      board.apply([{ before: testServer(name), after: testServer(name, undefined, { state: "maintenance" }) }], 1);
    refused(board, 10);
    refused(board, 10, other);
    expect([board.isHealthy(server, 10), board.isHealthy(other, 10)]).toEqual([false, true]);
  });

  it("that connections show as failing again before its probe is told of is ejected on", () => {
    const board = boardOf();
    refused(board, 0);
    board.chosen(server, 1000);
    refused(board, 1001);
    expect(board.isHealthy(server, 3000)).toBe(false);
    expect(board.isHealthy(server, 3001)).toBe(true);
  });
});

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
