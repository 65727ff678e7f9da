import { expect, it } from "vitest";
import { written } from "../test/support/arbitrary-resource.ts";
import type { Server } from "./resource.ts";
import { serverAvailability } from "./server-availability.ts";

it.each<[state: string, weight: number, failing: boolean, expected: string]>([
  ["READY", 1, false, "ready"],
  ["READY", 256, true, "failing"],
  ["READY", 0, false, "weight_zero"],
  ["READY", 0, true, "weight_zero"],
  ["DRAIN", 1, false, "drain"],
  ["DRAIN", 0, true, "drain"],
  ["MAINTENANCE", 1, false, "maintenance"],
  ["MAINTENANCE", 0, true, "maintenance"],
])("a server in %s of weight %d, failing %s, is %s", (state, weight, failing, expected) => {
  const server = written({
    server: { name: "farms/f/servers/a", address: "127.0.0.1:1", state: `SERVER_STATE_${state}`, weight },
  }) as Server;
  expect(serverAvailability(server, failing)).toBe(expected);
});
