import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Commit as WireCommit } from "../../proto/gen/switchyard/config/v1/commits.ts";
import { Resource as WireResource, Server as WireServer } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { type Commit, origin, type SealedCommit } from "../commit.ts";
import { Configuration } from "../configuration.ts";
import { eventSchemaVersion } from "../event.ts";
import { resourceFields } from "../resource-fields.ts";
import { resourceKinds } from "../resource.ts";
import { arbitraryResource, written } from "../../test/support/arbitrary-resource.ts";
import type { Violation } from "../violation.ts";
import { openCommit, opening, openNextCommit, sealCommit } from "./commit.ts";
import { parseResource } from "./parse-resource.ts";
import { resourceToWire } from "./resource-to-wire.ts";
import { decodeSnapshot, encodeSnapshotParts, SnapshotInvalid } from "./snapshot.ts";

const hashOf = (body: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(body).digest());

test("a resource comes back from the wire as it was", () => {
  fc.assert(
    fc.property(arbitraryResource, (resource) => {
      const bytes = WireResource.encode(resourceToWire(resource)).finish();
      const violations: Violation[] = [];
      expect(parseResource(WireResource.decode(bytes), "", violations)).toEqual(resource);
      expect(violations).toEqual([]);
    }),
  );
});

describe("digests, plans and masks see every field that the proto has", () => {
  const image = readFileSync(new URL("../../proto/gen/image.binpb", import.meta.url));
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, image));
  test.each(resourceKinds)("%s", (kind) => {
    const message = `${kind[0]?.toUpperCase()}${kind.slice(1)}`;
    const fields = registry.getMessage(`switchyard.config.v1.${message}`)?.fields ?? [];
    const paths = fields.flatMap((field) =>
      field.name === "match" && field.message
        ? field.message.fields.map((inner) => `match.${inner.name}`)
        : [field.name],
    );
    expect(resourceFields[kind].map((field) => field.path).sort()).toEqual(
      paths.filter((path) => path !== "name" && path !== "etag").sort(),
    );
  });
});

describe("a resource is refused, by field, for", () => {
  const listener = { name: "listeners/edge", addresses: ["127.0.0.1:443"] };
  const route = {
    name: "listeners/edge/routes/shop",
    match: { serverNames: ["shop.test"] },
    action: { farm: "farms/web" },
  };
  const server = { name: "farms/web/servers/a", address: "10.0.0.1:443" };
  const longLabel = "a".repeat(64);
  const cases: readonly (readonly [what: string, json: object, ...violations: string[]])[] = [
    ["no kind", {}, "r: required"],
    ["a name of another kind", { farm: { name: "listeners/edge" } }, "r.farm.name: malformed"],
    ["no name", { farm: {} }, "r.farm.name: required"],
    ["capitals in an id", { farm: { name: "farms/Web" } }, "r.farm.name: malformed"],
    ["an id of 64", { farm: { name: `farms/${longLabel}` } }, "r.farm.name: malformed"],
    ["an id that ends in a hyphen", { farm: { name: "farms/web-" } }, "r.farm.name: malformed"],
    ["a listener without an address", { listener: { name: "listeners/edge" } }, "r.listener.addresses: required"],
    ["an address without a port", { server: { ...server, address: "10.0.0.1" } }, "r.server.address: malformed"],
    ["port 0", { server: { ...server, address: "10.0.0.1:0" } }, "r.server.address: malformed"],
    ["port 65536", { server: { ...server, address: "10.0.0.1:65536" } }, "r.server.address: malformed"],
    ["an IPv6 address without brackets", { server: { ...server, address: "::1:443" } }, "r.server.address: malformed"],
    ["an octal-looking address", { server: { ...server, address: "10.0.0.01:443" } }, "r.server.address: malformed"],
    ["a weight of 257", { server: { ...server, weight: 257 } }, "r.server.weight: out_of_range"],
    ["a blank in the region", { server: { ...server, region: "e u" } }, "r.server.region: malformed"],
    [
      "a deadline of 1 ms",
      { listener: { ...listener, helloDeadline: { nanos: 1_000_000 } } },
      "r.listener.hello_deadline: out_of_range",
    ],
    [
      "a negative deadline",
      { listener: { ...listener, helloDeadline: { seconds: -1 } } },
      "r.listener.hello_deadline: out_of_range",
    ],
    [
      "part of a millisecond",
      { farm: { name: "farms/web", connectTimeout: { seconds: 1, nanos: 1 } } },
      "r.farm.connect_timeout: malformed",
    ],
    [
      "a hello of 70000 bytes",
      { listener: { ...listener, helloBytesMax: 70_000 } },
      "r.listener.hello_bytes_max: out_of_range",
    ],
    [
      "the same address twice",
      { listener: { ...listener, addresses: ["[::1]:443", "[0::1]:443"] } },
      "r.listener.addresses[1]: duplicate",
    ],
    [
      "an action without a kind",
      { listener: { ...listener, defaultAction: {} } },
      "r.listener.default_action: required",
    ],
    ["a farm that is none", { listener: { ...listener, nonTlsFarm: "web" } }, "r.listener.non_tls_farm: malformed"],
    ["a route without a match", { route: { ...route, match: undefined } }, "r.route.match: required"],
    ["a route without an action", { route: { ...route, action: undefined } }, "r.route.action: required"],
    [
      "a farm in the place of a server",
      { route: { ...route, action: { server: "farms/web" } } },
      "r.route.action.server: malformed",
    ],
    [
      "an empty server name",
      { route: { ...route, match: { serverNames: [""] } } },
      "r.route.match.server_names[0]: malformed",
    ],
    [
      "a star inside a name",
      { route: { ...route, match: { serverNames: ["a.*.test"] } } },
      "r.route.match.server_names[0]: malformed",
    ],
    [
      "a star in a label",
      { route: { ...route, match: { serverNames: ["a*.test"] } } },
      "r.route.match.server_names[0]: malformed",
    ],
    [
      "a label of 64",
      { route: { ...route, match: { serverNames: [`${longLabel}.test`] } } },
      "r.route.match.server_names[0]: malformed",
    ],
    [
      "a name beyond ASCII",
      { route: { ...route, match: { serverNames: ["bücher.test"] } } },
      "r.route.match.server_names[0]: malformed",
    ],
    [
      "a name twice after folding",
      { route: { ...route, match: { serverNames: ["a.test", "A.test."] } } },
      "r.route.match.server_names[1]: duplicate",
    ],
    [
      "an empty protocol",
      { route: { ...route, match: { serverNames: ["a.test"], alpnProtocols: [""] } } },
      "r.route.match.alpn_protocols[0]: malformed",
    ],
    [
      "host bits in a network",
      { route: { ...route, match: { serverNames: ["a.test"], sourceNetworks: ["10.0.0.1/8"] } } },
      "r.route.match.source_networks[0]: malformed",
    ],
    [
      "a prefix of 33",
      { route: { ...route, match: { serverNames: ["a.test"], sourceNetworks: ["10.0.0.0/33"] } } },
      "r.route.match.source_networks[0]: malformed",
    ],
    [
      "1001 names",
      { route: { ...route, match: { serverNames: Array.from({ length: 1001 }, (_, index) => `n${index}.test`) } } },
      "r.route.match.server_names: too_many",
    ],
    [
      "everything that is wrong with it",
      { server: { name: "x", address: "y", weight: 999 } },
      "r.server.name: malformed",
      "r.server.address: malformed",
      "r.server.weight: out_of_range",
    ],
  ];
  test.each(cases)("%s", (_what, json, ...expected) => {
    const violations: Violation[] = [];
    expect(parseResource(WireResource.fromJSON(json), "r", violations)).toBeUndefined();
    expect(violations.map((each) => `${each.field}: ${each.reason}`)).toEqual(expected);
    for (const { description } of violations) expect(description).not.toBe("");
  });
  test("an enum value that it does not know", () => {
    const violations: Violation[] = [];
    const state = 99 as never;
    const value = WireServer.fromPartial({ ...server, state });
    expect(parseResource({ kind: { $case: "server", value } }, "", violations)).toBeUndefined();
    expect(violations.map((each) => each.field)).toEqual(["server.state"]);
  });
});

describe("a sealed commit", () => {
  const farm = written({ farm: { name: "farms/web" } });
  const commit: Commit = {
    epoch: 1,
    revision: 1,
    parentHash: origin.hash,
    requestId: "r-1",
    requestDigest: new Uint8Array(32).fill(7),
    author: "ann",
    reason: "why not",
    timeMs: 1_795_000_000_123,
    events: [
      { type: "created", resource: farm },
      { type: "updated", resource: farm },
      { type: "deleted", name: farm.name },
    ],
  };
  const sealed = sealCommit(commit);
  const reseal = (change: (message: WireCommit) => void): SealedCommit => {
    const message = WireCommit.decode(sealed.body);
    change(message);
    const body = WireCommit.encode(message).finish();
    return { body, hash: hashOf(body) };
  };

  test("opens as what was sealed", () => {
    expect(openCommit(sealed)).toEqual({ commit, position: { epoch: 1, revision: 1, hash: sealed.hash } });
    expect(openNextCommit(origin, sealed)).toEqual(openCommit(sealed));
  });
  test("with any bit flipped does not open", () => {
    fc.assert(
      fc.property(fc.nat(sealed.body.length * 8 - 1), (bit) => {
        const body = Uint8Array.from(sealed.body);
        body[bit >> 3] = (body[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(openCommit({ body, hash: sealed.hash })).toMatchObject({ fault: "hash_mismatch" });
      }),
    );
  });
  test("is followed only where it continues the position", () => {
    const next = sealCommit({ ...commit, revision: 2, parentHash: sealed.hash });
    const position = { epoch: 1, revision: 1, hash: sealed.hash };
    expect(openNextCommit(position, next)).not.toHaveProperty("fault");
    expect(openNextCommit(origin, next)).toMatchObject({ fault: "broken_chain" });
    expect(openNextCommit({ ...position, epoch: 2 }, next)).toMatchObject({ fault: "broken_chain" });
    expect(openNextCommit({ ...position, hash: new Uint8Array(32) }, next)).toMatchObject({ fault: "broken_chain" });
  });
  test("of many events is opened, and folded, in steps between which others may run", () => {
    const events = Array.from({ length: 1000 }, (_, index) => {
      return { type: "created" as const, resource: written({ farm: { name: `farms/f${index}` } }) };
    });
    const steps = opening(sealCommit({ ...commit, events }));
    let pauses = 0;
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) pauses += 1;
    expect(pauses).toBeGreaterThanOrEqual(9);
    expect(step.value).toMatchObject({ commit: { events } });
    const configuration = new Configuration();
    const folding = configuration.applying({ ...commit, events }, { epoch: 1, revision: 1, hash: sealed.hash });
    for (pauses = 0; folding.next().done !== true; ) {
      pauses += 1;
      expect(configuration.position).toBe(origin);
    }
    expect(pauses).toBeGreaterThanOrEqual(9);
    expect(configuration.size).toBe(1000);
  });
  test("from newer software is told apart from a damaged one", () => {
    const newer = reseal((message) => {
      (message.events[0] as { schemaVersion: number }).schemaVersion = eventSchemaVersion + 1;
    });
    expect(openCommit(newer)).toMatchObject({ fault: "future_schema" });
    const unknownFact = reseal((message) => {
      (message.events[0] as { fact: undefined }).fact = undefined;
    });
    expect(openCommit(unknownFact)).toMatchObject({ fault: "future_schema" });
    const nameless = reseal((message) => {
      message.events = [{ schemaVersion: 1, fact: { $case: "deleted", value: { name: "nonsense" } } }];
    });
    expect(openCommit(nameless)).toMatchObject({ fault: "malformed" });
    const noise = new Uint8Array([0xff, 0xff, 0xff]);
    expect(openCommit({ body: noise, hash: hashOf(noise) })).toMatchObject({ fault: "malformed" });
  });
});

describe("a snapshot", () => {
  const position = { epoch: 1, revision: 7, hash: new Uint8Array(32).fill(7) };
  test("restores the configuration, in whatever parts it was encoded", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(arbitraryResource, { selector: (resource) => resource.name }),
        fc.integer({ min: 1, max: 5 }),
        (resources, perPart) => {
          const configuration = Configuration.restore(position, resources);
          const restored = decodeSnapshot(Buffer.concat([...encodeSnapshotParts(configuration, perPart)]));
          expect(restored.digest).toEqual(configuration.digest);
          expect(restored.position).toEqual(position);
        },
      ),
    );
  });
  test("that lost a resource is refused", () => {
    const two = [written({ farm: { name: "farms/a" } }), written({ farm: { name: "farms/b" } })];
    const parts = [...encodeSnapshotParts(Configuration.restore(position, two), 1)];
    expect(() => decodeSnapshot(Buffer.concat(parts.slice(0, -1)))).toThrow(SnapshotInvalid);
    expect(() => decodeSnapshot(new Uint8Array([0xff]))).toThrow(SnapshotInvalid);
  });
});
