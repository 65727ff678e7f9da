import fc from "fast-check";
import { expect, it } from "vitest";
import { Configuration } from "../../../model/configuration.ts";
import { origin } from "../../../model/commit.ts";
import { chooseRoute } from "../../../model/match-route.ts";
import type { Resource } from "../../../model/resource.ts";
import type { ServerName } from "../../../model/server-name.ts";
import { wholeFleet } from "../../../model/rollout-policy.ts";
import { written } from "../../../test/support/arbitrary-resource.ts";
import { CandidateRoutes } from "./candidate-routes.ts";
import { planRollout, type PlanInput } from "./plan-rollout.ts";
import type { SampledHello } from "./sampled-hello.ts";

// The run's seed, which the test runner prints.
fc.configureGlobal({ seed: Number(process.env["SWITCHYARD_TEST_SEED"] ?? 1) });

const edge = written({ listener: { name: "listeners/edge", addresses: ["127.0.0.1:1"] } });
const farm = (id: string, more: object = {}): Resource => written({ farm: { name: `farms/${id}`, ...more } });
const server = (id: string, more: object = {}): Resource =>
  written({ server: { name: `farms/web/servers/${id}`, address: "10.0.0.1:443", ...more } });
const route = (id: string, farmId: string, match: object): Resource =>
  written({ route: { name: `listeners/edge/routes/${id}`, match, action: { farm: `farms/${farmId}` } } });
const at = (...resources: Resource[]): Configuration => Configuration.restore(origin, resources);
const hello = (serverName: string | null, count = 1, alpnProtocols: readonly string[] = []): SampledHello => ({
  listener: "listeners/edge",
  serverName: serverName as ServerName | null,
  alpnProtocols,
  count,
});
const none: Omit<PlanInput, "base" | "target"> = {
  waves: [wholeFleet],
  nodes: [],
  connections: new Map(),
  hellos: [],
  refusal: null,
};

it.each([
  ["a removed server of a farm that closes", farm("web", { onServerRemoved: "ON_SERVER_REMOVED_CLOSE" }), [], true],
  ["a removed server of a farm that does not", farm("web"), [], false],
  ["a server with another address", farm("web"), [server("a", { address: "10.0.0.2:443" })], false],
])("connections of %s", (_, web, after, closed) => {
  const connections = new Map([["farms/web/servers/a", 7]]);
  const plan = planRollout({ ...none, base: at(web, server("a")), target: at(web, ...after), connections });
  expect(plan.touched).toMatchObject([{ name: "farms/web/servers/a", connections: 7, closed }]);
  expect([plan.changes.length, plan.unchangedCount]).toEqual([1, 1]);
});

it("hellos that go elsewhere are told with both ways, the most frequent first; another route to the same place is none", () => {
  const farms = [farm("web"), farm("new"), edge];
  const base = at(
    ...farms,
    route("shop", "web", { serverNames: ["shop.test"] }),
    route("all", "web", { serverNames: ["*"] }),
  );
  const target = at(
    ...farms,
    route("shop", "new", { serverNames: ["shop.test"] }),
    route("any", "web", { serverNames: ["*"] }),
  );
  const hellos = [hello(null, 5), hello("shop.test", 2), hello("x.test", 3)];
  const plan = planRollout({ ...none, base, target, hellos });
  expect([plan.hellosChanged, plan.hellosSampled]).toEqual([2, 10]);
  expect(plan.hellos).toMatchObject([
    { before: "listeners/edge/routes/shop -> farms/web", after: "listeners/edge/routes/shop -> farms/new" },
  ]);
});

it("each node is in the first wave that takes it, sorted, and the unreachable are counted", () => {
  const node = (id: string, region: string, reachable: boolean) => ({
    identity: { id, region, labels: {} },
    reachable,
  });
  const waves = [{ ...wholeFleet, regions: ["eu"] }, wholeFleet];
  const nodes = [node("c", "us", true), node("b", "eu", false), node("a", "eu", true)];
  expect(planRollout({ ...none, base: at(), target: at(), waves, nodes }).waves).toMatchObject([
    { title: "wave 1", nodes: ["a", "b"], nodeCount: 2, unreachableCount: 1 },
    { title: "wave 2", nodes: ["c"], nodeCount: 1, unreachableCount: 0 },
  ]);
});

const names = ["a.test", "b.a.test", "c.b.a.test", "test"];
const patterns = ["*", "*.test", "*.a.test", "*.b.a.test", ...names];
const protocols = ["h2", "http/1.1", "spdy/3"];
const arbitraryRoute = fc.record({
  serverNames: fc.uniqueArray(fc.constantFrom(...patterns), { minLength: 1, maxLength: 3 }),
  noServerName: fc.boolean(),
  alpnProtocols: fc.uniqueArray(fc.constantFrom(...protocols), { maxLength: 2 }),
  sourceNetworks: fc.constantFrom([], [], ["10.0.0.0/8"]),
});

it("the routes that keys lead to give the answers that all routes give", () => {
  const arbitraryHello = fc.tuple(fc.constantFrom(null, ...names), fc.uniqueArray(fc.constantFrom(...protocols)));
  fc.assert(
    fc.property(fc.array(arbitraryRoute, { maxLength: 12 }), fc.array(arbitraryHello), (matches, told) => {
      const routes = [...at(...matches.map((match, index) => route(`r${index}`, "web", match))).routes.values()];
      const hellos = told.map(([name, offered]) => hello(name, 1, offered));
      const candidates = new CandidateRoutes(routes, hellos);
      for (const each of hellos) {
        const announced = { serverName: each.serverName, alpnProtocols: each.alpnProtocols, source: null };
        expect(chooseRoute(candidates.of(each), announced)).toEqual(chooseRoute(routes, announced));
      }
    }),
  );
});
