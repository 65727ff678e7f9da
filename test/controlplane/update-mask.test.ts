import { afterEach, beforeEach, expect, test } from "vitest";
import type { DeepPartial } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import type { Route } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { refusalOf, refusalText } from "./refusal-of.ts";
import { RunningControlPlane, wire } from "./running-control-plane.ts";

const shop = "listeners/edge/routes/shop";
const stored = {
  name: shop,
  match: { serverNames: ["shop.test"], alpnProtocols: ["h2"], sourceNetworks: ["10.0.0.0/8"] },
  action: { farm: "farms/web" },
};

let running: RunningControlPlane;
beforeEach(async () => {
  running = await RunningControlPlane.start();
  const resources = [
    { farm: { name: "farms/web" } },
    { farm: { name: "farms/other" } },
    { listener: { name: "listeners/edge", addresses: ["127.0.0.1:443"] } },
    { server: { name: "farms/web/servers/a", address: "10.0.0.1:443" } },
    { route: stored },
  ];
  await running.config.apply({ resources: resources.map(wire) });
});
afterEach(() => running.close());

const asked: DeepPartial<Route> = {
  name: shop,
  match: { serverNames: ["new.test"], noServerName: true },
  action: { kind: { $case: "farm", value: "farms/other" } },
};

const cases: readonly (readonly [what: string, paths: readonly string[], expected: object])[] = [
  ["one field inside another", ["match.server_names"], { serverNames: ["new.test"], alpnProtocols: ["h2"] }],
  [
    "a field that the request leaves out is unset",
    ["match.alpn_protocols"],
    { alpnProtocols: [], noServerName: false },
  ],
  [
    "a whole message",
    ["match"],
    { serverNames: ["new.test"], noServerName: true, alpnProtocols: [], sourceNetworks: [] },
  ],
  ["several fields", ["match.server_names", "match.no_server_name"], { serverNames: ["new.test"], noServerName: true }],
];
test.each(cases)("a mask takes %s", async (_what, paths, expected) => {
  const { route } = await running.config.updateRoute({ route: asked, updateMask: [...paths] });
  expect(route?.match).toMatchObject(expected);
  expect(route?.action?.kind).toEqual({ $case: "farm", value: "farms/web" });
});

test.each([
  ["an empty mask", []],
  ["`*`", ["*"]],
])("%s takes all fields", async (_what, paths) => {
  const { route } = await running.config.updateRoute({ route: asked, updateMask: paths });
  expect(route).toMatchObject({
    match: { serverNames: ["new.test"], noServerName: true, alpnProtocols: [], sourceNetworks: [] },
    action: { kind: { $case: "farm", value: "farms/other" } },
  });
});

const unknownPaths = [
  "nonsense",
  "match.nonsense",
  "mat",
  "match.",
  "",
  "name",
  "etag",
  "action.farm",
  "match.serverNames",
];
test.each(unknownPaths)("the path %j names no field, and is refused by its place", async (path) => {
  const update = (): Promise<unknown> =>
    running.config.updateRoute({ route: asked, updateMask: ["match.server_names", path] });
  expect(await refusalText(update())).toBe("INVALID_ARGUMENT INVALID_FIELD | update_mask.paths[1]: UNKNOWN_FIELD");
  expect((await refusalOf(update())).message).toContain(JSON.stringify(path));
  expect(running.plane.position.revision).toBe(1);
});

test("a path of a megabyte is refused in few words", async () => {
  const { message } = await refusalOf(running.config.updateRoute({ route: asked, updateMask: ["x".repeat(1 << 20)] }));
  expect(message.length).toBeLessThan(500);
});

test("what the mask leaves out is not looked at", async () => {
  const bad: DeepPartial<Route> = { ...asked, match: { serverNames: ["no name"] } };
  const { route } = await running.config.updateRoute({ route: bad, updateMask: ["action"] });
  expect(route?.action?.kind).toEqual({ $case: "farm", value: "farms/other" });
  expect(await refusalText(running.config.updateRoute({ route: bad, updateMask: ["match"] }))).toBe(
    "INVALID_ARGUMENT INVALID_FIELD | route.match.server_names[0]: MALFORMED",
  );
});

test("a part of a farm's policy is taken whole, its fields filled in, and nothing else with it", async () => {
  const name = "farms/web";
  const affinity = { fallback: 2 as const, sourcePrefixV6: 64 };
  const check = { kind: { $case: "tcp" as const, value: {} }, rise: 5 };
  const asked = { name, affinity, healthCheck: check, balance: 8 as const };
  const both = await running.config.updateFarm({ farm: asked, updateMask: ["affinity", "health_check"] });
  expect(both.farm).toMatchObject({
    balance: 1,
    affinity: { fallback: 2, sourcePrefixV6: 64, sourcePrefixV4: 32, sessionIdsMax: 30_000 },
    healthCheck: { rise: 5, fall: 3 },
  });
  const { farm } = await running.config.updateFarm({ farm: { name }, updateMask: ["health_check", "panic_threshold"] });
  expect(farm).toMatchObject({ healthCheck: undefined, panicThreshold: 1, affinity: { sourcePrefixV6: 64 } });
  expect(await refusalText(running.config.updateFarm({ farm: asked, updateMask: ["affinity.fallback"] }))).toBe(
    "INVALID_ARGUMENT INVALID_FIELD | update_mask.paths[0]: UNKNOWN_FIELD",
  );
});

test("an etag holds for an update with a mask too", async () => {
  const { route } = await running.config.getRoute({ name: shop });
  const update = (etag: string): Promise<unknown> =>
    running.config.updateRoute({ route: { ...asked, etag }, updateMask: ["match.server_names"] });
  await update(route?.etag ?? "");
  expect(await refusalText(update(route?.etag ?? ""))).toBe("ABORTED ETAG_MISMATCH | route.etag: CONFLICT");
});

test("a merge is made again where another replica was faster: no field is lost", async () => {
  const replica = await running.replica();
  try {
    const name = "farms/web/servers/a";
    for (let round = 2; round <= 26; round += 1) {
      const region = `r${round}`;
      await Promise.all([
        running.config.updateServer({ server: { name, weight: round }, updateMask: ["weight"] }),
        replica.config.updateServer({ server: { name, region }, updateMask: ["region"] }),
      ]);
      expect((await running.config.getServer({ name })).server).toMatchObject({ weight: round, region });
    }
    expect(running.plane.position.revision).toBe(51);
  } finally {
    await replica.close();
  }
});
