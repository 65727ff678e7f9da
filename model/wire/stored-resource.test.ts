import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Commit as WireCommit } from "../../proto/gen/switchyard/config/v1/commits.ts";
import { Resource as WireResource } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { arbitraryResource, written } from "../../test/support/arbitrary-resource.ts";
import { type Commit, origin } from "../commit.ts";
import { Configuration } from "../configuration.ts";
import { etagOf } from "../digest.ts";
import { type ConfigEvent, schemaVersionOf } from "../event.ts";
import { canonicalText } from "../resource-fields.ts";
import type { Resource } from "../resource.ts";
import type { Violation } from "../violation.ts";
import { openCommit, sealCommit } from "./commit.ts";
import { parseResource } from "./parse-resource.ts";
import { encodeSnapshotParts, restoreSnapshot, snapshotHeader, SnapshotInvalid } from "./snapshot.ts";
import { storedResource } from "./stored-resource.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const web = { name: "farms/web" };
const edge = { name: "listeners/edge", addresses: ["127.0.0.1:443", "[::1]:443"], nonTlsFarm: web.name };
const server = { name: "farms/web/servers/a", address: "10.0.0.1:443" };

describe("what does not use a field of schema version 2 is as version 1 had it, to the byte", () => {
  // Everything that version 1 had. The figures come from the last commit before version 2 (b49867f).
  const resources = [
    { farm: web },
    {
      farm: {
        name: "farms/api",
        connectTimeout: { seconds: 1, nanos: 500_000_000 },
        connectAttemptsMax: 2,
        serverIdleTimeout: { seconds: 3600 },
      },
    },
    { server },
    {
      server: {
        name: "farms/web/servers/b",
        address: "[2001:db8::7]:8443",
        weight: 0,
        region: "eu",
        backup: true,
        state: "SERVER_STATE_DRAIN",
      },
    },
    { listener: edge },
    {
      route: {
        name: "listeners/edge/routes/shop",
        match: {
          serverNames: ["shop.test", "*.shop.test"],
          alpnProtocols: ["h2"],
          sourceNetworks: ["10.0.0.0/8"],
        },
        action: { farm: web.name },
      },
    },
    {
      route: {
        name: "listeners/edge/routes/none",
        match: { noServerName: true },
        action: { reject: { alert: "ALERT_ACCESS_DENIED" } },
      },
    },
  ].map(written);
  const events: readonly ConfigEvent[] = [
    ...resources.map((resource): ConfigEvent => ({ type: "created", resource })),
    { type: "updated", resource: resources[0] as Resource },
    { type: "deleted", name: "farms/api" },
  ];
  const commit: Commit = {
    epoch: 1,
    revision: 1,
    parentHash: origin.hash,
    requestId: "golden",
    requestDigest: new Uint8Array(32).fill(7),
    author: "ann",
    reason: "golden",
    timeMs: 1_795_000_000_123,
    events,
  };
  const sealed = sealCommit(commit);
  const configuration = new Configuration();
  configuration.apply(commit, { epoch: 1, revision: 1, hash: sealed.hash });

  test("its commits", () => {
    expect([sealed.body.length, hex(sealed.hash)]).toEqual([
      546,
      "05e14ea119af570d07cd2f00254441115447cd616a302ec1a0ab42fe98c83648",
    ]);
    expect(WireCommit.decode(sealed.body).events.map(({ schemaVersion }) => schemaVersion)).toEqual(
      events.map(() => 1),
    );
    expect(openCommit(sealed)).toMatchObject({ commit: { events } });
  });
  test("its digest", () => {
    expect(hex(configuration.digest)).toBe("70a00d70b2234c90ca5fff5f13a5aebb69bc5461bc3dea368a5970e2ba7eed22");
  });
  test("its snapshot", () => {
    const snapshot = Buffer.concat([...encodeSnapshotParts(configuration, 3)]);
    expect([snapshot.length, sha256(snapshot)]).toEqual([
      415,
      "8c349aecdcaf9908065204f5cbd7fcb77cd05cfb872941c408492ebab5147b7f",
    ]);
  });
  test("its etags", () => {
    expect(resources.map(etagOf)).toEqual([
      "1f2620f359d8e683",
      "133d52ed88441c97",
      "65fafbfaaee6a0f2",
      "22810f9ec5e45ab7",
      "67e94e6bebdcca99",
      "75defffc8b6ad3da",
      "ee36937b6c38cbed",
    ]);
  });
});

describe("an event is of schema version 2, and the digest another, where it uses", () => {
  const cases: readonly (readonly [what: string, plain: object, used: object])[] = [
    ["proxy_networks", { listener: edge }, { listener: { ...edge, proxyNetworks: ["10.0.0.0/8"] } }],
    ["connections_max", { server }, { server: { ...server, connectionsMax: 1 } }],
    ["check_address", { server }, { server: { ...server, checkAddress: "10.0.0.2:443" } }],
    ["a name for an address", { server }, { server: { ...server, address: "app.internal:443" } }],
    ...[
      { balance: "BALANCE_RANDOM" },
      { balance: "BALANCE_MAGLEV_SOURCE", hashBalanceFactor: 150 },
      { affinity: { sourcePrefixV6: 64 } },
      { healthCheck: { tcp: {} } },
      { passiveHealth: { failures: 2 } },
      { slowStart: { seconds: 1 } },
      { onMarkedDown: "ON_MARKED_DOWN_CLOSE" },
      { panicThreshold: 0 },
      { locality: {} },
      { queue: { lengthMax: 0 } },
      { proxyProtocol: {} },
      { sourceTransparent: true },
    ].map((fields) => [Object.keys(fields).join(", "), { farm: web }, { farm: { ...web, ...fields } }] as const),
  ];
  test.each(cases)("%s", (_what, plain, used) => {
    for (const type of ["created", "updated"] as const) {
      expect(schemaVersionOf({ type, resource: written(plain) })).toBe(1);
      expect(schemaVersionOf({ type, resource: written(used) })).toBe(2);
    }
    expect(canonicalText(written(used))).not.toBe(canonicalText(written(plain)));
  });
  test("and of version 1 where the default is written out", () => {
    const resource = written({ farm: { ...web, panicThreshold: 1, affinity: { sessionIdsMax: 30_000 }, queue: {} } });
    expect(schemaVersionOf({ type: "updated", resource })).toBe(1);
    expect(canonicalText(resource)).toBe(canonicalText(written({ farm: web })));
  });
});

test("what is stored comes back as it was, with every default", () => {
  fc.assert(
    fc.property(arbitraryResource, (resource) => {
      const bytes = WireResource.encode(storedResource(resource)).finish();
      const violations: Violation[] = [];
      expect(parseResource(WireResource.decode(bytes), "", violations)).toEqual(resource);
      expect(violations).toEqual([]);
    }),
  );
});

test("a snapshot that an older version reads, without the fields that it does not know, is refused by its digest", () => {
  const used = written({ farm: { ...web, healthCheck: { tcp: {} } } });
  const configuration = Configuration.restore({ epoch: 1, revision: 1, hash: new Uint8Array(32) }, [used]);
  expect(restoreSnapshot(snapshotHeader(configuration), [storedResource(used)]).digest).toEqual(configuration.digest);
  const asOlderReads = WireResource.fromJSON({ farm: web });
  expect(() => restoreSnapshot(snapshotHeader(configuration), [asOlderReads])).toThrow(SnapshotInvalid);
});
