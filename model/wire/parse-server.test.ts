import { describe, expect, test } from "vitest";
import { Resource as WireResource } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { written } from "../../test/support/arbitrary-resource.ts";
import type { Violation } from "../violation.ts";
import { parseResource } from "./parse-resource.ts";

const listener = { name: "listeners/edge", addresses: ["127.0.0.1:443"] };
const server = { name: "farms/web/servers/a", address: "10.0.0.1:443" };

describe("a server's address, and a balancer's network, are refused for", () => {
  const cases: readonly (readonly [what: string, json: object, violation: string])[] = [
    ["a number in place of a name", { server: { ...server, address: "app.0x7f:443" } }, "r.server.address: malformed"],
    ["a name without a port", { server: { ...server, address: "web.test" } }, "r.server.address: malformed"],
    ["a name with a star", { server: { ...server, address: "*.web.test:443" } }, "r.server.address: malformed"],
    ["an address that lacks a part", { server: { ...server, address: "10.0.1:443" } }, "r.server.address: malformed"],
    [
      "half an address to check",
      { server: { ...server, checkAddress: "10.0.0.1" } },
      "r.server.check_address: malformed",
    ],
    [
      "1000001 connections",
      { server: { ...server, connectionsMax: 1_000_001 } },
      "r.server.connections_max: out_of_range",
    ],
    [
      "host bits in a balancer's network",
      { listener: { ...listener, proxyNetworks: ["10.0.0.0/8", "10.0.0.1/8"] } },
      "r.listener.proxy_networks[1]: malformed",
    ],
    [
      "257 networks of balancers",
      { listener: { ...listener, proxyNetworks: Array.from({ length: 257 }, (_, index) => `10.0.${index}.0/24`) } },
      "r.listener.proxy_networks: too_many",
    ],
  ];
  test.each(cases)("%s", (_what, json, violation) => {
    const violations: Violation[] = [];
    expect(parseResource(WireResource.fromJSON(json), "r", violations)).toBeUndefined();
    expect(violations.map((each) => `${each.field}: ${each.reason}`)).toEqual([violation]);
  });
});

test.each([
  ["App.Internal.:443", "app.internal:443"],
  ["localhost:8443", "localhost:8443"],
  ["_tls.app.internal:443", "_tls.app.internal:443"],
  ["[2001:DB8:0::7]:443", "[2001:db8::7]:443"],
])("the address %s is stored as %s", (address, stored) => {
  expect(written({ server: { ...server, address, checkAddress: address } })).toMatchObject({
    address: stored,
    checkAddress: stored,
  });
});
