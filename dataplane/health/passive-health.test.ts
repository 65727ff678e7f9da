import { describe, expect, it } from "vitest";
import type { ServerResourceName } from "../../model/resource-name.ts";
import { boardOf, names, other, passive, refused, seen, server } from "../../test/health/health-board.ts";
import { testFarm, testServer } from "../../test/health/health-resources.ts";

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
