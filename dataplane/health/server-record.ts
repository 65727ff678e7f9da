import type { HealthReason } from "../../model/health-reason.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";
import { CheckVerdict } from "./check-verdict.ts";
import { ConnectionVerdict } from "./connection-verdict.ts";

/**
 * What a node makes of a server. What comes first, holds: it has no address; checks marked it down; connections failed, and
 * it is passed over for a while; it is back with a part of its share; it is up.
 */
export type ServerHealthState = "unresolved" | "down" | "ejected" | "slow_start" | "up";

/** Share of its weight that a server begins with when it is back. */
const firstShare = 0.1;

/** All that is known of one server's health. */
export class ServerRecord {
  readonly server: ServerResourceName;
  connections = new ConnectionVerdict();
  checks = new CheckVerdict();
  hasAddress = true;
  /** The state that was told last, since when, and why it is not up, or was not before it came back. */
  told: ServerHealthState = "up";
  sinceMs: number;
  reason: HealthReason | null = null;
  detail = "";
  #slowStartFromMs: number | null = null;

  constructor(server: ServerResourceName, nowMs: number) {
    this.server = server;
    this.sinceMs = nowMs;
  }

  get state(): ServerHealthState {
    if (!this.hasAddress) return "unresolved";
    if (this.checks.isDown) return "down";
    if (this.connections.isEjected) return "ejected";
    return this.#slowStartFromMs === null ? "up" : "slow_start";
  }

  /** Why it is in a state that is not up; null where there is nothing to say of it. */
  cause(): { readonly reason: HealthReason; readonly detail: string } | null {
    switch (this.state) {
      case "unresolved":
        return { reason: "unresolved", detail: "its name has no address" };
      case "down":
        return this.checks.failure;
      case "ejected": {
        const { failures, reason } = this.connections;
        return { reason, detail: failures === 1 ? "a connection failed" : `${failures} connections in a row failed` };
      }
      case "slow_start":
      case "up":
        return null;
    }
  }

  /** It is elsewhere now: another machine, of which nothing is known. */
  moved(): void {
    this.connections = new ConnectionVerdict();
    this.checks = new CheckVerdict();
    this.hasAddress = true;
    this.#slowStartFromMs = null;
  }

  /** The server is back. */
  startSlowly(nowMs: number, slowStartMs: number): void {
    this.#slowStartFromMs = slowStartMs > 0 ? nowMs : null;
  }

  /** From a tenth to the whole, linear over the slow start; 1 outside it. Ends it when its time is over. */
  share(nowMs: number, slowStartMs: number): number {
    if (this.#slowStartFromMs === null) return 1;
    const part = (nowMs - this.#slowStartFromMs) / slowStartMs;
    if (part < 1) return firstShare + (1 - firstShare) * Math.max(0, part);
    this.#slowStartFromMs = null;
    return 1;
  }

  /** Whether there is nothing to remember: as a server of which nothing was ever heard. */
  get isPlain(): boolean {
    return this.state === "up" && this.connections.failures === 0 && this.checks.lastMs === null;
  }
}
