import { type CheckResult, checkFailed } from "../../dataplane/health/check-result.ts";
import { ServerHealthBoard, type ServerHealthSeen } from "../../dataplane/health/server-health.ts";
import { type PassiveHealthPolicy, passiveHealthDefaults } from "../../model/farm-policy.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";
import type { Farm } from "../../model/resource.ts";
import { created, testFarm, testServer } from "./health-resources.ts";

export const server: ServerResourceName = "farms/f/servers/a";
export const other: ServerResourceName = "farms/f/servers/b";
export const passed: CheckResult = { passed: true, certificateExpiryMs: null };
export const failed = checkFailed("tls_alert", "handshake_failure");

/** A board with a farm of servers a, b, c ... */
export function boardOf(farm: Farm = testFarm(), serverCount = 2): ServerHealthBoard {
  const board = new ServerHealthBoard();
  board.apply(created(farm, ...names(serverCount).map((name) => testServer(name))), 0);
  return board;
}

export function names(count: number): ServerResourceName[] {
  return Array.from({ length: count }, (_, index) => `farms/f/servers/${String.fromCharCode(97 + index)}` as const);
}

export function passive(policy: Partial<PassiveHealthPolicy>): Partial<Farm> {
  return { passiveHealth: { ...passiveHealthDefaults, ...policy } };
}

/** Fails at once, as a refused connection does. */
export function refused(board: ServerHealthBoard, nowMs: number, name = server): void {
  board.failed(name, "refused", nowMs, nowMs);
}

export function seen(board: ServerHealthBoard, nowMs: number, name = server): ServerHealthSeen | undefined {
  return [...board.states(nowMs)].find((each) => each.server === name);
}

/** `from>to` of each transition. */
export function heard(board: ServerHealthBoard): string[] {
  const all: string[] = [];
  board.onTransition(({ from, to, reason }) => all.push(`${from}>${to} ${reason ?? "-"}`));
  return all;
}
