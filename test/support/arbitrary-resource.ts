import fc from "fast-check";
import type { Resource as WireResource } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { Resource as Wire } from "../../proto/gen/switchyard/config/v1/resources.ts";
import type { Resource } from "../../model/resource.ts";
import type { Violation } from "../../model/violation.ts";
import { parseResource } from "../../model/wire/parse-resource.ts";

/** A resource from the API's JSON form, as an operator would write it; throws where it is refused. */
export function written(json: object): Resource {
  const violations: Violation[] = [];
  const resource = parseResource(Wire.fromJSON(json), "", violations);
  if (resource === undefined) throw new Error(JSON.stringify(violations));
  return resource;
}

const id = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
const seconds = fc
  .integer({ min: 1, max: 60 })
  .map((value) => ({ seconds: BigInt(value), nanos: 500_000_000 * (value % 2) }));
const action = fc.oneof(
  id.map((farm) => ({ kind: { $case: "farm" as const, value: `farms/${farm}` } })),
  fc
    .tuple(id, id)
    .map(([farm, server]) => ({ kind: { $case: "server" as const, value: `farms/${farm}/servers/${server}` } })),
  fc
    .constantFrom(0 as const, 40 as const, 112 as const)
    .map((alert) => ({ kind: { $case: "reject" as const, value: { alert } } })),
);
const names = fc.uniqueArray(fc.constantFrom("A.test", "b.test.", "*.c.test", "*", "d_1.test", "10.0.0.1"), {
  minLength: 1,
});

const listener = fc.record({
  name: id.map((value) => `listeners/${value}`),
  addresses: fc.uniqueArray(fc.constantFrom("127.0.0.1:443", "[::1]:443", "10.0.0.1:8443"), { minLength: 1 }),
  helloBytesMax: fc.constantFrom(0, 512, 65_536),
  helloDeadline: fc.option(seconds, { nil: undefined }),
  clientIdleTimeout: fc.option(seconds, { nil: undefined }),
  connectionsMax: fc.integer({ min: 0, max: 1000 }),
  defaultAction: fc.option(action, { nil: undefined }),
  nonTlsFarm: fc.constantFrom("", "farms/plain"),
  etag: fc.constant(""),
});
const route = fc.record({
  name: fc.tuple(id, id).map(([on, value]) => `listeners/${on}/routes/${value}`),
  match: fc.record({
    serverNames: names,
    noServerName: fc.boolean(),
    alpnProtocols: fc.uniqueArray(fc.constantFrom("h2", "http/1.1", "acme-tls/1")),
    sourceNetworks: fc.uniqueArray(fc.constantFrom("10.0.0.0/8", "2001:db8::/32", "192.0.2.1")),
  }),
  action,
  etag: fc.constant(""),
});
const farm = fc.record({
  name: id.map((value) => `farms/${value}`),
  balance: fc.constantFrom(0 as const, 1 as const),
  connectTimeout: fc.option(seconds, { nil: undefined }),
  connectAttemptsMax: fc.integer({ min: 0, max: 10 }),
  serverIdleTimeout: fc.option(seconds, { nil: undefined }),
  halfCloseTimeout: fc.option(seconds, { nil: undefined }),
  etag: fc.constant(""),
});
const server = fc.record({
  name: fc.tuple(id, id).map(([of, value]) => `farms/${of}/servers/${value}`),
  address: fc.constantFrom("10.0.0.1:443", "[2001:DB8::1]:8443"),
  weight: fc.option(fc.integer({ min: 0, max: 256 }), { nil: undefined }),
  region: fc.constantFrom("", "eu"),
  backup: fc.boolean(),
  state: fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const),
  etag: fc.constant(""),
});

/** Any resource that the API takes, in the API's form. */
export const arbitraryWire: fc.Arbitrary<WireResource> = fc.oneof(
  listener.map((value) => ({ kind: { $case: "listener" as const, value } })),
  route.map((value) => ({ kind: { $case: "route" as const, value } })),
  farm.map((value) => ({ kind: { $case: "farm" as const, value } })),
  server.map((value) => ({ kind: { $case: "server" as const, value } })),
);

/** Any resource. */
export const arbitraryResource: fc.Arbitrary<Resource> = arbitraryWire.map((message) => {
  const violations: Violation[] = [];
  const resource = parseResource(message, "", violations);
  if (resource === undefined) throw new Error(JSON.stringify(violations));
  return resource;
});
