import { parseServerAddress } from "../../model/address.ts";
import type { Change } from "../../model/configuration.ts";
import { farmPolicyDefaults, type HealthCheck } from "../../model/farm-policy.ts";
import type { FarmName, ServerResourceName } from "../../model/resource-name.ts";
import type { Farm, Resource, Server } from "../../model/resource.ts";

/** A farm with every default, but for what the test is about. */
export function testFarm(policy: Partial<Farm> = {}, name: FarmName = "farms/f"): Farm {
  return {
    kind: "farm",
    name,
    balance: "round_robin",
    connectTimeoutMs: 5000,
    connectAttemptsMax: 3,
    serverIdleTimeoutMs: 600_000,
    halfCloseTimeoutMs: 30_000,
    ...farmPolicyDefaults,
    ...policy,
  };
}

/** A READY server of weight 1. */
export function testServer(name: ServerResourceName, address = "127.0.0.1:443", more: Partial<Server> = {}): Server {
  const parsed = parseServerAddress(address);
  if (parsed === undefined) throw new Error(`${address} is no address`);
  return {
    kind: "server",
    name,
    address: parsed,
    weight: 1,
    region: "",
    backup: false,
    state: "ready",
    connectionsMax: 0,
    checkAddress: null,
    ...more,
  };
}

/** A TCP check every two seconds, but for what the test is about. */
export function testCheck(check: Partial<HealthCheck> = {}): HealthCheck {
  return {
    probe: { type: "tcp" },
    intervalMs: 2000,
    fastIntervalMs: 2000,
    jitterPercent: 0,
    timeoutMs: 2000,
    rise: 2,
    fall: 3,
    port: null,
    ...check,
  };
}

export function created(...resources: readonly Resource[]): Change[] {
  return resources.map((after) => ({ before: null, after }));
}
