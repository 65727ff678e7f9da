import { describe, expect, it } from "vitest";
import type { ServerResourceName } from "../../model/resource-name.ts";
import { PassiveHealth } from "./passive-health.ts";

const server: ServerResourceName = "farms/f/servers/a";
const other: ServerResourceName = "farms/f/servers/b";
const connectTimeoutMs = 5000;

/** Fails at once, as a refused connection does. */
function refused(health: PassiveHealth, nowMs: number): void {
  health.failed(server, "refused", nowMs, nowMs);
}

describe("a server", () => {
  it("that never failed is not failing", () => {
    const health = new PassiveHealth();
    health.chosen(server, 0, connectTimeoutMs);
    health.succeeded(server, 1);
    expect(health.isFailing(server, 2)).toBe(false);
    expect(health.failing(2).size).toBe(0);
  });

  it("that failed is passed over for a second, and the others are not", () => {
    const health = new PassiveHealth();
    refused(health, 100);
    expect(health.isFailing(server, 100)).toBe(true);
    expect(health.isFailing(server, 1099)).toBe(true);
    expect(health.isFailing(server, 1100)).toBe(false);
    expect(health.isFailing(other, 100)).toBe(false);
  });

  it("that goes on failing is left alone twice as long each time, up to 30 s", () => {
    const health = new PassiveHealth();
    let nowMs = 0;
    const waits: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      refused(health, nowMs);
      const untilMs = health.failing(nowMs).get(server)?.untilMs ?? Number.NaN;
      waits.push(untilMs - nowMs);
      expect(health.isFailing(server, untilMs - 1)).toBe(true);
      expect(health.isFailing(server, untilMs)).toBe(false);
      nowMs = untilMs;
      health.chosen(server, nowMs, connectTimeoutMs);
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  it("whose time is up is probed by one connection; the others pass it over meanwhile", () => {
    const health = new PassiveHealth();
    refused(health, 0);
    expect(health.isFailing(server, 1000)).toBe(false);
    health.chosen(server, 1000, connectTimeoutMs);
    expect(health.isFailing(server, 1000)).toBe(true);
    expect(health.isFailing(server, 6999)).toBe(true);
  });

  it("has recovered when its probe has not failed by its time", () => {
    const health = new PassiveHealth();
    refused(health, 0);
    health.chosen(server, 1000, connectTimeoutMs);
    expect(health.isFailing(server, 7000)).toBe(false);
    expect(health.failing(7000).size).toBe(0);
    refused(health, 8000);
    expect(health.failing(8000).get(server)).toMatchObject({ failures: 1, sinceMs: 8000, untilMs: 9000 });
  });

  it("has recovered at once when a connection that began after the failure was made", () => {
    const health = new PassiveHealth();
    refused(health, 0);
    health.chosen(server, 1000, connectTimeoutMs);
    health.succeeded(server, 1001);
    expect(health.isFailing(server, 1002)).toBe(false);
  });

  it("has not recovered when an old connection ends, which was made before the failure", () => {
    const health = new PassiveHealth();
    refused(health, 500);
    health.succeeded(server, 400);
    expect(health.isFailing(server, 600)).toBe(true);
  });

  it("is failing since its first failure, for the reason of the last", () => {
    const health = new PassiveHealth();
    refused(health, 10);
    health.failed(server, "timeout", 2000, 7000);
    expect(health.failing(7000).get(server)).toMatchObject({
      reason: "timeout",
      sinceMs: 10,
      lastMs: 7000,
      failures: 2,
    });
  });

  it("that fails many attempts which were on their way has failed once", () => {
    const health = new PassiveHealth();
    for (let attempt = 0; attempt < 50; attempt += 1) health.failed(server, "timeout", attempt, 5000 + attempt);
    expect(health.failing(5050).get(server)).toMatchObject({ failures: 1, untilMs: 6000 });
  });

  it("is not failing for want of descriptors or ports on this side", () => {
    const health = new PassiveHealth();
    health.failed(server, "local_limit", 0, 0);
    expect(health.isFailing(server, 0)).toBe(false);
  });

  it("begins anew once it is forgotten", () => {
    const health = new PassiveHealth();
    refused(health, 0);
    health.chosen(server, 1000, connectTimeoutMs);
    refused(health, 1000);
    health.forget(server);
    expect(health.isFailing(server, 1001)).toBe(false);
    refused(health, 2000);
    expect(health.failing(2000).get(server)).toMatchObject({ failures: 1, untilMs: 3000 });
  });
});
