import fc from "fast-check";
import type { Duration } from "../../proto/gen/google/protobuf/duration.ts";
import type { Balance, ProxyTlv, Resource as WireResource } from "../../proto/gen/switchyard/config/v1/resources.ts";
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
const duration = (min: number, max: number): fc.Arbitrary<Duration> =>
  fc.integer({ min, max }).map((value) => ({ seconds: BigInt(value), nanos: 500_000_000 * (value % 2) }));
const seconds = duration(1, 60);
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });
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
  proxyNetworks: fc.uniqueArray(fc.constantFrom("10.0.0.0/8", "2001:db8::/32", "192.0.2.1")),
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
const affinity = fc.record({
  tlsSessions: fc.constantFrom(0 as const, 1 as const, 2 as const),
  fallback: fc.constantFrom(0 as const, 1 as const, 2 as const),
  sessionIdsMax: fc.constantFrom(0, 1, 1_000_000),
  sessionIdLifetime: optional(seconds),
  ticketNameLifetime: optional(duration(60, 7 * 24 * 3600)),
  drain: fc.constantFrom(0 as const, 1 as const, 2 as const),
  sourcePrefixV4: fc.constantFrom(0, 24, 32),
  sourcePrefixV6: fc.constantFrom(0, 48, 56, 128),
});
const tlsCheck = fc
  .record({
    serverName: fc.constantFrom("", "Shop.test", "shop.test."),
    alpnProtocols: fc.uniqueArray(fc.constantFrom("h2", "http/1.1")),
    // Each with all that may go with it.
    versions: fc.constantFrom([0, 0] as const, [2, 0] as const, [0, 3] as const, [2, 2] as const, [3, 3] as const),
    trust: fc.constantFrom(
      { verify: false, caCertificates: "" },
      { verify: true, caCertificates: "" },
      { verify: true, caCertificates: "-----BEGIN CERTIFICATE-----\nMIIBAA==\n-----END CERTIFICATE-----\n" },
    ),
  })
  .map(({ versions: [minVersion, maxVersion], trust, ...rest }) => ({ ...rest, ...trust, minVersion, maxVersion }));
const httpsCheck = fc.record({
  tls: optional(tlsCheck.map((tls) => ({ ...tls, alpnProtocols: tls.alpnProtocols.filter((each) => each !== "h2") }))),
  method: fc.constantFrom("", "GET", "HEAD"),
  path: fc.constantFrom("", "/", "/health?deep=1"),
  host: fc.constantFrom("", "shop.test", "[::1]:8443"),
  expectedStatuses: fc.uniqueArray(fc.constantFrom("200", "200-399", "503")),
});
const healthCheck = fc.record({
  kind: fc.oneof(
    fc.constant({ $case: "tcp" as const, value: {} }),
    tlsCheck.map((value) => ({ $case: "tls" as const, value })),
    httpsCheck.map((value) => ({ $case: "https" as const, value })),
  ),
  interval: optional(seconds),
  fastInterval: optional(seconds),
  jitter: optional(fc.integer({ min: 0, max: 50 })),
  timeout: optional(duration(1, 59)),
  rise: fc.integer({ min: 0, max: 100 }),
  fall: fc.integer({ min: 0, max: 100 }),
  port: fc.constantFrom(0, 1, 65_535),
});
const proxyProtocol = fc.oneof(
  fc.record({ version: fc.constant(1 as const), tlvs: fc.constant<ProxyTlv[]>([]) }),
  fc.record({
    version: fc.constantFrom(0 as const, 2 as const),
    tlvs: fc.uniqueArray(fc.constantFrom(1 as const, 2 as const, 3 as const, 5 as const)),
  }),
);
const farm = fc
  .record({
    name: id.map((value) => `farms/${value}`),
    balance: fc.integer({ min: 0, max: 8 }).map((value) => value as Balance),
    affinity: optional(affinity),
    healthCheck: optional(healthCheck),
    passiveHealth: optional(
      fc.record({
        failures: fc.integer({ min: 0, max: 100 }),
        ejectionMin: optional(duration(1, 30)),
        ejectionMax: optional(duration(30, 3600)),
        ejectedMax: optional(fc.integer({ min: 0, max: 100 })),
      }),
    ),
    slowStart: optional(duration(0, 3599)),
    onMarkedDown: fc.constantFrom(0 as const, 1 as const, 2 as const),
    panicThreshold: optional(fc.integer({ min: 0, max: 100 })),
    locality: optional(
      fc.record({
        regions: fc.uniqueArray(fc.constantFrom("eu", "us", "ap-1")),
        spillBelow: fc.integer({ min: 0, max: 100 }),
      }),
    ),
    queue: optional(
      fc.record({ lengthMax: optional(fc.integer({ min: 0, max: 100_000 })), timeout: optional(duration(1, 59)) }),
    ),
    proxyProtocol: optional(proxyProtocol),
    sourceTransparent: fc.boolean(),
    onServerRemoved: fc.constantFrom(0 as const, 1 as const, 2 as const),
    connectTimeout: fc.option(seconds, { nil: undefined }),
    connectAttemptsMax: fc.integer({ min: 0, max: 10 }),
    serverIdleTimeout: fc.option(seconds, { nil: undefined }),
    halfCloseTimeout: fc.option(seconds, { nil: undefined }),
    etag: fc.constant(""),
  })
  .chain((value) =>
    (value.balance >= 4 && value.balance <= 6) || value.affinity?.fallback === 2
      ? fc.constantFrom(0, 101, 1000).map((hashBalanceFactor) => ({ ...value, hashBalanceFactor }))
      : fc.constant({ ...value, hashBalanceFactor: 0 }),
  );
const server = fc.record({
  name: fc.tuple(id, id).map(([of, value]) => `farms/${of}/servers/${value}`),
  address: fc.constantFrom("10.0.0.1:443", "[2001:DB8::1]:8443", "App.internal.:443"),
  weight: fc.option(fc.integer({ min: 0, max: 256 }), { nil: undefined }),
  region: fc.constantFrom("", "eu"),
  backup: fc.boolean(),
  state: fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const),
  connectionsMax: fc.constantFrom(0, 1, 1_000_000),
  checkAddress: fc.constantFrom("", "10.0.0.1:8080", "check.internal:80"),
  etag: fc.constant(""),
});

const ratioGate = fc.record({
  sampleMin: fc.constantFrom(0, 10, 1_000_000),
  significancePpm: fc.constantFrom(0, 1, 100_000),
  marginBasisPoints: optional(fc.integer({ min: 0, max: 10_000 })),
  off: fc.boolean(),
});
const rolloutPolicy = fc.record({
  name: fc.constantFrom("rolloutPolicies/default", "rolloutPolicies/slow"),
  staged: optional(
    fc.record({
      // None takes what is left for a later one.
      waves: fc.uniqueArray(
        fc.record({
          title: fc.constantFrom("", "canary", "the réest"),
          regions: fc.uniqueArray(fc.constantFrom("eu", "us", "ap-1"), { minLength: 1, maxLength: 2 }),
          labels: fc.dictionary(fc.constantFrom("tier", "rack", "7"), fc.constantFrom("", "a", "b c")),
          percent: fc.integer({ min: 1, max: 100 }),
          bakeTime: optional(duration(0, 3600)),
        }),
        { minLength: 1, maxLength: 1 },
      ),
      gates: optional(
        fc.record({
          applyDeadline: optional(seconds),
          appliedMin: fc.integer({ min: 0, max: 100 }),
          refusedMax: fc.integer({ min: 0, max: 100_000 }),
          lostMax: optional(fc.integer({ min: 0, max: 100 })),
          connectFailures: optional(ratioGate),
          handshakeFailures: optional(ratioGate),
          healthyServersMin: optional(fc.integer({ min: 0, max: 100 })),
        }),
      ),
      onFailure: fc.constantFrom(0 as const, 1 as const, 2 as const),
      startAutomatically: fc.boolean(),
    }),
  ),
  etag: fc.constant(""),
});

/** Any resource that the API takes, in the API's form. */
export const arbitraryWire: fc.Arbitrary<WireResource> = fc.oneof(
  listener.map((value) => ({ kind: { $case: "listener" as const, value } })),
  route.map((value) => ({ kind: { $case: "route" as const, value } })),
  farm.map((value) => ({ kind: { $case: "farm" as const, value } })),
  server.map((value) => ({ kind: { $case: "server" as const, value } })),
  rolloutPolicy.map((value) => ({ kind: { $case: "rolloutPolicy" as const, value } })),
);

/** Any resource. */
export const arbitraryResource: fc.Arbitrary<Resource> = arbitraryWire.map((message) => {
  const violations: Violation[] = [];
  const resource = parseResource(message, "", violations);
  if (resource === undefined) throw new Error(JSON.stringify(violations));
  return resource;
});
