import { describe, expect, test } from "vitest";
import type { DeepPartial, Farm as WireFarm } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { Resource as WireResource } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { written } from "../../test/support/arbitrary-resource.ts";
import { farmPolicyDefaults } from "../farm-policy.ts";
import type { Farm } from "../resource.ts";
import type { Violation } from "../violation.ts";
import { parseResource } from "./parse-resource.ts";

const name = "farms/web";
const farm = (fields: object): Farm => written({ farm: { name, ...fields } }) as Farm;
const der = "MIIBAA==";
const pem = (label: string, content = der): string => `-----BEGIN ${label}-----\n${content}\n-----END ${label}-----\n`;
const certificate = pem("CERTIFICATE");

test("a farm of which nothing is said has the defaults that the proto names", () => {
  expect(farm({})).toMatchObject({ balance: "round_robin", ...farmPolicyDefaults });
});

test("parts that are given without their fields have their defaults", () => {
  expect(
    farm({ affinity: {}, passiveHealth: {}, locality: {}, queue: {}, proxyProtocol: {}, healthCheck: { tls: {} } }),
  ).toMatchObject({
    ...farmPolicyDefaults,
    locality: { regions: [], spillBelowPercent: 70 },
    proxyProtocol: { version: 2, tlvs: [] },
    healthCheck: {
      probe: {
        type: "tls",
        tls: {
          serverName: "",
          alpnProtocols: [],
          minVersion: "TLSv1.2",
          maxVersion: "TLSv1.3",
          verify: false,
          caCertificates: "",
        },
      },
      intervalMs: 2000,
      fastIntervalMs: 2000,
      jitterPercent: 10,
      timeoutMs: 2000,
      rise: 2,
      fall: 3,
      port: null,
    },
  });
  expect(farm({ healthCheck: { https: {} } }).healthCheck?.probe).toMatchObject({
    http: { method: "GET", path: "/", host: "", expectedStatuses: [{ first: 200, last: 399 }] },
  });
});

test("a zero that means something is not taken for a field that was left out", () => {
  const queue = { lengthMax: 0 };
  const passiveHealth = { ejectedMax: 0 };
  const healthCheck = { tcp: {}, jitter: 0 };
  expect(farm({ panicThreshold: 0, queue, passiveHealth, healthCheck })).toMatchObject({
    panicThreshold: 0,
    queue: { lengthMax: 0 },
    passiveHealth: { ejectedMaxPercent: 0 },
    healthCheck: { jitterPercent: 0 },
  });
});

test("what depends on another field's default follows it", () => {
  expect(farm({ healthCheck: { tcp: {}, interval: { seconds: 30 } } }).healthCheck?.fastIntervalMs).toBe(30_000);
  expect(farm({ passiveHealth: { ejectionMin: { seconds: 60 } } }).passiveHealth.ejectionMaxMs).toBe(60_000);
});

test("names are normalised, and the values of the PROXY header stand in the order in which they are written", () => {
  const { healthCheck, proxyProtocol } = farm({
    healthCheck: { tls: { serverName: "Shop.Test." } },
    proxyProtocol: { tlvs: ["PROXY_TLV_UNIQUE_ID", "PROXY_TLV_ALPN"] },
  });
  expect(healthCheck?.probe).toMatchObject({ tls: { serverName: "shop.test" } });
  expect(proxyProtocol?.tlvs).toEqual(["alpn", "unique_id"]);
});

test("text around certificates is allowed, as bundles have it", () => {
  const caCertificates = `# A root (Főtanúsítvány)\n${certificate}\r\n# Another\n${certificate}`;
  expect(farm({ healthCheck: { tls: { verify: true, caCertificates } } }).healthCheck).not.toBeNull();
});

const tls = (fields: object): object => ({ healthCheck: { tls: fields } });
const https = (fields: object): object => ({ healthCheck: { https: fields } });
const trust = (caCertificates: string): object => tls({ verify: true, caCertificates });
const hour = { seconds: 3600 };

describe("a farm is refused, by field, for", () => {
  const cases: readonly (readonly [what: string, farm: object, ...violations: string[]])[] = [
    ["a bound on what does not hash", { hashBalanceFactor: 150 }, "hash_balance_factor: malformed"],
    [
      "a bound of 100",
      { balance: "BALANCE_MAGLEV_SOURCE", hashBalanceFactor: 100 },
      "hash_balance_factor: out_of_range",
    ],
    ["a slow start of over an hour", { slowStart: { seconds: 3601 } }, "slow_start: out_of_range"],
    ["a panic threshold of 101", { panicThreshold: 101 }, "panic_threshold: out_of_range"],
    ["session ids without end", { affinity: { sessionIdsMax: 1_000_001 } }, "affinity.session_ids_max: out_of_range"],
    [
      "session ids for two days",
      { affinity: { sessionIdLifetime: { seconds: 172_800 } } },
      "affinity.session_id_lifetime: out_of_range",
    ],
    [
      "ticket names for eight days",
      { affinity: { ticketNameLifetime: { seconds: 691_200 } } },
      "affinity.ticket_name_lifetime: out_of_range",
    ],
    [
      "prefixes that no address has",
      { affinity: { sourcePrefixV4: 33, sourcePrefixV6: 129 } },
      "affinity.source_prefix_v4: out_of_range",
      "affinity.source_prefix_v6: out_of_range",
    ],
    ["a check of no kind", { healthCheck: {} }, "health_check: required"],
    [
      "times of a check",
      { healthCheck: { tcp: {}, interval: { nanos: 99_000_000 }, fastInterval: { seconds: 3601 }, timeout: hour } },
      "health_check.interval: out_of_range",
      "health_check.fast_interval: out_of_range",
      "health_check.timeout: out_of_range",
    ],
    [
      "counts of a check",
      { healthCheck: { tcp: {}, rise: 101, fall: 101, jitter: 51, port: 65_536 } },
      "health_check.jitter: out_of_range",
      "health_check.rise: out_of_range",
      "health_check.fall: out_of_range",
      "health_check.port: out_of_range",
    ],
    ["a check for no name", tls({ serverName: "a..b" }), "health_check.tls.server_name: malformed"],
    ["a check for an address", tls({ serverName: "10.0.0.1" }), "health_check.tls.server_name: malformed"],
    [
      "versions the wrong way round",
      tls({ minVersion: "TLS_VERSION_1_3", maxVersion: "TLS_VERSION_1_2" }),
      "health_check.tls.max_version: out_of_range",
    ],
    [
      "nine protocols",
      tls({ alpnProtocols: Array.from({ length: 9 }, (_, index) => `p${index}`) }),
      "health_check.tls.alpn_protocols: too_many",
    ],
    ["a protocol with a blank", tls({ alpnProtocols: ["h 2"] }), "health_check.tls.alpn_protocols[0]: malformed"],
    [
      "HTTP/2, which the check does not speak",
      https({ tls: { alpnProtocols: ["http/1.1", "h2"] } }),
      "health_check.https.tls.alpn_protocols[1]: malformed",
    ],
    ["trust that nobody asks for", tls({ caCertificates: certificate }), "health_check.tls.ca_certificates: malformed"],
    ["no certificate", trust("certificate"), "health_check.tls.ca_certificates: malformed"],
    ["a certificate that is cut off", trust(certificate.slice(0, -30)), "health_check.tls.ca_certificates: malformed"],
    [
      "a certificate that is no DER",
      trust(pem("CERTIFICATE", "aGVsbG8=")),
      "health_check.tls.ca_certificates: malformed",
    ],
    [
      "a damaged certificate",
      trust(pem("CERTIFICATE", `${der.slice(0, 4)}!`)),
      "health_check.tls.ca_certificates: malformed",
    ],
    [
      "a private key beside a certificate",
      trust(certificate + pem("EC PRIVATE KEY")),
      "health_check.tls.ca_certificates: malformed",
    ],
    ["a list of revoked ones", trust(pem("X509 CRL")), "health_check.tls.ca_certificates: malformed"],
    [
      "more than 256 KiB",
      trust(certificate + "#".repeat(256 * 1024)),
      "health_check.tls.ca_certificates: out_of_range",
    ],
    [
      "more than 256 KiB of letters beyond ASCII",
      trust(certificate + "é".repeat(131_072)),
      "health_check.tls.ca_certificates: out_of_range",
    ],
    ["a method with a blank", https({ method: "GET /" }), "health_check.https.method: malformed"],
    ["a path that begins elsewhere", https({ path: "health" }), "health_check.https.path: malformed"],
    ["a path that smuggles a header", https({ path: "/ HTTP/1.1\r\nHost: x" }), "health_check.https.path: malformed"],
    ["a host that smuggles a header", https({ host: "a\r\nX: y" }), "health_check.https.host: malformed"],
    [
      "statuses that are none",
      https({ expectedStatuses: ["99", "200-199", "2xx", "200", "200"] }),
      "health_check.https.expected_statuses[0]: malformed",
      "health_check.https.expected_statuses[1]: malformed",
      "health_check.https.expected_statuses[2]: malformed",
      "health_check.https.expected_statuses[4]: duplicate",
    ],
    [
      "an ejection that ends before it begins",
      { passiveHealth: { ejectionMin: { seconds: 5 }, ejectionMax: { seconds: 4 } } },
      "passive_health.ejection_max: out_of_range",
    ],
    [
      "numbers of passive health",
      { passiveHealth: { failures: 101, ejectedMax: 101 } },
      "passive_health.failures: out_of_range",
      "passive_health.ejected_max: out_of_range",
    ],
    [
      "regions",
      { locality: { regions: ["eu", "e u", "eu"], spillBelow: 101 } },
      "locality.regions[1]: malformed",
      "locality.regions[2]: duplicate",
      "locality.spill_below: out_of_range",
    ],
    [
      "a queue",
      { queue: { lengthMax: 100_001, timeout: { nanos: 9_000_000 } } },
      "queue.length_max: out_of_range",
      "queue.timeout: out_of_range",
    ],
    [
      "values in a header that has no place for them",
      { proxyProtocol: { version: "PROXY_VERSION_1", tlvs: ["PROXY_TLV_ALPN"] } },
      "proxy_protocol.tlvs: malformed",
    ],
    [
      "values that are none, or stand there twice",
      { proxyProtocol: { tlvs: ["PROXY_TLV_ALPN", 0, "PROXY_TLV_ALPN"] } },
      "proxy_protocol.tlvs[1]: malformed",
      "proxy_protocol.tlvs[2]: duplicate",
    ],
  ];
  test.each(cases)("%s", (_what, fields, ...expected) => {
    const violations: Violation[] = [];
    const message = WireResource.fromJSON({ farm: Object.assign({ name }, fields) });
    expect(parseResource(message, "", violations)).toBeUndefined();
    expect(violations.map(({ field, reason }) => `${field.replace(/^farm[.]/, "")}: ${reason}`)).toEqual(expected);
    for (const { description } of violations) expect(description).not.toBe("");
  });

  const choices: readonly (readonly [field: string, fields: (nonsense: 0) => DeepPartial<WireFarm>])[] = [
    ["balance", (balance) => ({ balance })],
    ["affinity.tls_sessions", (tlsSessions) => ({ affinity: { tlsSessions } })],
    ["affinity.fallback", (fallback) => ({ affinity: { fallback } })],
    ["affinity.drain", (drain) => ({ affinity: { drain } })],
    ["on_marked_down", (onMarkedDown) => ({ onMarkedDown })],
    [
      "health_check.tls.min_version",
      (minVersion) => ({ healthCheck: { kind: { $case: "tls", value: { minVersion } } } }),
    ],
    [
      "health_check.tls.max_version",
      (maxVersion) => ({ healthCheck: { kind: { $case: "tls", value: { maxVersion } } } }),
    ],
    ["proxy_protocol.version", (version) => ({ proxyProtocol: { version } })],
    ["proxy_protocol.tlvs[0]", (tlv) => ({ proxyProtocol: { tlvs: [tlv] } })],
  ];
  test.each(choices)("a value of %s that it does not know, as newer software may have", (field, fields) => {
    const violations: Violation[] = [];
    const kind = { $case: "farm" as const, value: { name, ...fields(99 as 0) } };
    expect(parseResource(WireResource.fromPartial({ kind }), "", violations)).toBeUndefined();
    expect(violations.map((each) => `${each.field}: ${each.reason}`)).toEqual([`farm.${field}: malformed`]);
  });
});
