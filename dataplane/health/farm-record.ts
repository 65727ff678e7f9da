import { farmPolicyDefaults, type PassiveHealthPolicy } from "../../model/farm-policy.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";
import type { Farm } from "../../model/resource.ts";
import type { ServerRecord } from "./server-record.ts";

const connectTimeoutDefaultMs = 5000;

/** A farm's policy, and those of its servers that something is known of. */
export class FarmRecord {
  farm: Farm | null = null;
  /** Servers that are not in MAINTENANCE. */
  servers = 0;
  readonly records = new Map<ServerResourceName, ServerRecord>();

  get passive(): PassiveHealthPolicy {
    return this.farm?.passiveHealth ?? farmPolicyDefaults.passiveHealth;
  }

  get slowStartMs(): number {
    return this.farm?.slowStartMs ?? farmPolicyDefaults.slowStartMs;
  }

  get connectTimeoutMs(): number {
    return this.farm?.connectTimeoutMs ?? connectTimeoutDefaultMs;
  }

  /** Whether one more may be passed over. Servers that checks marked down are out for a reason of their own. */
  hasRoomForEjection(nowMs: number): boolean {
    const { ejectedMaxPercent } = this.passive;
    if (ejectedMaxPercent === 0) return false;
    let ejected = 0;
    for (const record of this.records.values())
      if (record.state === "ejected" && record.connections.isPassedOver(nowMs)) ejected += 1;
    return ejected < Math.max(1, Math.floor((this.servers * ejectedMaxPercent) / 100));
  }
}
