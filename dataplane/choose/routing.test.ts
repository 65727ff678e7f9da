import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ipBytes, parseIpAddress } from "../../model/address.ts";
import { type Commit, origin, type Position } from "../../model/commit.ts";
import { type Change, Configuration } from "../../model/configuration.ts";
import type { ConfigEvent } from "../../model/event.ts";
import { chooseRoute } from "../../model/match-route.ts";
import type { Announcement, Resource } from "../../model/resource.ts";
import { farmOf, isRouteName, listenerOf } from "../../model/resource-name.ts";
import type { ServerName } from "../../model/server-name.ts";
import { arbitraryResource, written } from "../../test/support/arbitrary-resource.ts";
import { runSeed } from "../../test/support/seeded-random.ts";
import { netChanges } from "../feed/net-changes.ts";
import { atOnce } from "../../model/steps.ts";
import { chooseServer } from "./choose-server.ts";
import { type Choice, Routing } from "./routing.ts";
import type { ServerConditions } from "./server-conditions.ts";

function ask(
  routing: Routing,
  listener: string,
  { serverName, alpnProtocols, source }: Announcement,
): Choice | undefined {
  const nameBytes = new TextEncoder().encode(serverName ?? "");
  const narrowing = {
    alpnIndex: (protocol: string) => alpnProtocols.indexOf(protocol),
    source: source === null ? null : (ipBytes(source) ?? null),
  };
  return routing.choose(listener, { nameBytes, nameLength: nameBytes.length }, narrowing);
}

function announced(name: string | null, alpn: readonly string[] = [], source: string | null = null): Announcement {
  const address = source === null ? null : (parseIpAddress(source) ?? null);
  return { serverName: name as ServerName | null, alpnProtocols: alpn, source: address };
}

function created(...resources: readonly Resource[]): Change[] {
  return resources.map((after) => ({ before: null, after }));
}

function deleted(...resources: readonly Resource[]): Change[] {
  return resources.map((before) => ({ before, after: null }));
}

const edge = written({ listener: { name: "listeners/edge", addresses: ["127.0.0.1:1"] } });
const other = written({ listener: { name: "listeners/other", addresses: ["127.0.0.1:2"] } });
const web = written({ farm: { name: "farms/web" } });
const one = written({ server: { name: "farms/web/servers/one", address: "127.0.0.1:11" } });
const two = written({ server: { name: "farms/web/servers/two", address: "127.0.0.1:12" } });

function route(on: string, id: string, ...serverNames: readonly string[]): Resource {
  const name = `listeners/${on}/routes/${id}`;
  return written({ route: { name, match: { serverNames }, action: { farm: "farms/web" } } });
}

const wellAndIdle: ServerConditions = {
  isHealthy: () => true,
  isReachable: () => true,
  share: () => 1,
  connections: () => 0,
};

/** Whose turn it is in the farm `web`. */
function nextServer(routing: Routing): string | undefined {
  const farm = routing.farm("farms/web");
  if (farm === undefined) return undefined;
  const nameBytes = new Uint8Array(0);
  const request = { tried: new Set<never>(), preferred: [], source: null, nameBytes, region: "", random: () => 0 };
  const choice = chooseServer(farm, request, wellAndIdle);
  return "server" in choice ? choice.server.name : undefined;
}

const shop = route("edge", "shop", "shop.test");

function permutations<Value>(values: readonly Value[]): Value[][] {
  if (values.length < 2) return [[...values]];
  return values.flatMap((value, at) =>
    permutations(values.toSpliced(at, 1)).map((rest) => [value, ...rest] satisfies Value[]),
  );
}

describe("the changes of a commit", () => {
  it("come in any order, and make the same routing", () => {
    for (const order of permutations(created(edge, shop, web, one, two))) {
      const routing = new Routing(1);
      routing.apply(order);
      expect(ask(routing, "listeners/edge", announced("shop.test"))?.route).toBe(shop);
      expect([...(routing.farm("farms/web")?.servers.keys() ?? [])].sort()).toEqual([one.name, two.name]);
      expect(routing.server("farms/web/servers/two")).toBe(two);
    }
  });

  it("take away in any order, and leave nothing", () => {
    for (const order of permutations(deleted(edge, shop, web, one, two))) {
      const routing = new Routing(1);
      routing.apply(created(edge, shop, web, one, two));
      routing.apply(order);
      expect(ask(routing, "listeners/edge", announced("shop.test"))).toBeUndefined();
      expect(routing.farm("farms/web")).toBeUndefined();
      expect(routing.server("farms/web/servers/one")).toBeUndefined();
      expect(routing.size()).toEqual({ names: 0, bytes: 0 });
    }
  });

  it("move a name from one route to another, whichever comes first", () => {
    const late = route("edge", "a-late", "shop.test");
    for (const order of permutations([...deleted(shop), ...created(late)])) {
      const routing = new Routing(1);
      routing.apply(created(edge, shop, web));
      routing.apply(order);
      expect(ask(routing, "listeners/edge", announced("shop.test"))?.route).toBe(late);
    }
  });

  it("move a route to another listener", () => {
    const moved = route("other", "shop", "shop.test");
    const routing = new Routing(1);
    routing.apply(created(edge, other, shop, web));
    routing.apply([...created(moved), ...deleted(shop)]);
    expect(ask(routing, "listeners/edge", announced("shop.test"))?.route).toBeNull();
    expect(ask(routing, "listeners/other", announced("shop.test"))?.route).toBe(moved);
  });

  it("delete a farm and create it anew without losing the servers that stay", () => {
    const anew = written({ farm: { name: "farms/web", connectAttemptsMax: 7 } });
    const routing = new Routing(1);
    routing.apply(created(edge, shop, web, one, two));
    routing.apply(atOnce(netChanges([...deleted(one, web), ...created(anew, one)])));
    expect(routing.farm("farms/web")?.farm).toBe(anew);
    expect(routing.farm("farms/web")?.servers.size).toBe(2);
  });

  it("delete a listener and create it anew without losing the routes that stay", () => {
    const anew = written({ listener: { name: "listeners/edge", addresses: ["127.0.0.1:3"] } });
    const routing = new Routing(1);
    routing.apply(created(edge, shop));
    routing.apply(atOnce(netChanges([...deleted(edge), ...created(anew)])));
    expect(routing.listener("listeners/edge")).toBe(anew);
    expect(ask(routing, "listeners/edge", announced("shop.test"))?.route).toBe(shop);
  });

  it("leave the turns of servers that they do not touch", () => {
    const routing = new Routing(1);
    routing.apply(created(web, one, two));
    expect(nextServer(routing)).toBe(one.name);
    routing.apply([{ before: web, after: written({ farm: { name: "farms/web", connectAttemptsMax: 9 } }) }]);
    expect(nextServer(routing)).toBe(two.name);
  });
});

describe("a server that was deleted and comes back", () => {
  it("has no turns from before", () => {
    const zero = written({ server: { name: "farms/web/servers/zero", address: "127.0.0.1:13" } });
    const routing = new Routing(1);
    routing.apply(created(web, one, two, zero));
    expect([nextServer(routing), nextServer(routing)]).toEqual([one.name, two.name]);
    routing.apply(deleted(two));
    routing.apply(created(two));
    // Had it kept that it has just had its turn, `one` would come before it.
    expect([nextServer(routing), nextServer(routing)]).toEqual([zero.name, two.name]);
  });
});

describe("a listener", () => {
  it("that has gone chooses nothing for a hello that was on its way", () => {
    const routing = new Routing(1);
    routing.apply(created(edge, shop));
    routing.apply(deleted(shop, edge));
    expect(ask(routing, "listeners/edge", announced("shop.test"))).toBeUndefined();
    expect(routing.listener("listeners/edge")).toBeUndefined();
  });

  it("takes its default where no route matches, and keeps its routes when it is changed", () => {
    const changed = written({
      listener: { name: "listeners/edge", addresses: ["127.0.0.1:9"], defaultAction: { farm: "farms/web" } },
    });
    const routing = new Routing(1);
    routing.apply(created(edge, shop));
    const reject = { to: "reject", alert: "unrecognized_name" };
    expect(ask(routing, "listeners/edge", announced("x.test"))).toEqual({ route: null, action: reject });
    routing.apply([{ before: edge, after: changed }]);
    const farm = { to: "farm", farm: "farms/web" };
    expect(ask(routing, "listeners/edge", announced(null))).toEqual({ route: null, action: farm });
    expect(ask(routing, "listeners/edge", announced("shop.test"))?.route).toBe(shop);
  });
});

const announcement: fc.Arbitrary<Announcement> = fc
  .tuple(
    fc.option(fc.constantFrom("a.test", "b.test", "x.c.test", "y.x.c.test", "d_1.test", "10.0.0.1", "nowhere"), {
      freq: 5,
    }),
    fc.subarray(["h2", "http/1.1", "acme-tls/1"]),
    fc.option(fc.constantFrom("10.9.8.7", "192.0.2.1", "192.0.2.2", "2001:db8::1")),
  )
  .map(([name, alpn, source]) => announced(name, alpn, source));

/** Few names, so that events meet: routes without their listener, farms without servers, and the reverse. */
const fewNames: fc.Arbitrary<Resource> = fc
  .tuple(arbitraryResource, fc.nat(1), fc.nat(2))
  .map(([resource, holder, place]) => {
    const [collection = "", , inner] = resource.name.split("/");
    const name = `${collection}/h${holder}${inner === undefined ? "" : `/${inner}/p${place}`}`;
    return { ...resource, name } as Resource;
  });
const event: fc.Arbitrary<ConfigEvent> = fc.oneof(
  { weight: 3, arbitrary: fewNames.map((resource) => ({ type: "created" as const, resource })) },
  { weight: 2, arbitrary: fewNames.map((resource) => ({ type: "updated" as const, resource })) },
  { weight: 3, arbitrary: fewNames.map(({ name }) => ({ type: "deleted" as const, name })) },
);

/** What the configuration itself says, looking at everything. */
function expectedChoice(configuration: Configuration, listenerName: string, asked: Announcement): Choice | undefined {
  const listener = [...configuration.listeners.values()].find(({ name }) => name === listenerName);
  if (listener === undefined) return undefined;
  const routes = [...configuration.routes.values()].filter(({ name }) => listenerOf(name) === listenerName);
  const best = chooseRoute(routes, asked)?.route ?? null;
  return { route: best, action: best?.action ?? listener.defaultAction };
}

/** The first question that the two answer differently, in words; undefined for none. */
function disagreement(
  routing: Routing,
  configuration: Configuration,
  asked: readonly Announcement[],
): string | undefined {
  for (const name of ["listeners/h0", "listeners/h1", "listeners/none"] as const) {
    if (routing.listener(name) !== configuration.listeners.get(name)) return name;
    for (const each of asked) {
      const [said, expected] = [ask(routing, name, each), expectedChoice(configuration, name, each)];
      if (said?.route !== expected?.route || said?.action !== expected?.action)
        return `${name}: ${JSON.stringify({ asked: each, said, expected })}`;
    }
  }
  for (const name of ["farms/h0", "farms/h1"] as const) {
    const farm = configuration.farms.get(name);
    if (routing.farm(name)?.farm !== farm) return name;
    const servers = [...configuration.servers.values()].filter(
      (each) => farm !== undefined && farmOf(each.name) === name,
    );
    const known = new Set(routing.farm(name)?.servers.values());
    if (known.size !== servers.length || servers.some((server) => !known.has(server))) return `the servers of ${name}`;
  }
  return undefined;
}

describe("routing", () => {
  it("answers as the model does for any log whatever, after each of its commits", () => {
    const commits = fc.array(fc.array(event, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(commits, fc.array(announcement, { minLength: 1, maxLength: 12 }), (log, asked) => {
        const configuration = new Configuration();
        const routing = new Routing(42);
        for (const [index, events] of log.entries()) {
          const position = { ...origin, revision: index + 1 };
          routing.apply(atOnce(netChanges(configuration.apply(commitOf(position, events), position))));
          expect(disagreement(routing, configuration, asked)).toBeUndefined();
        }
        const end = { ...origin, revision: log.length + 1 };
        const names = [...configuration.resources()].map(({ name }) => name);
        const deletions = names.map((name) => ({ type: "deleted" as const, name }));
        routing.apply(configuration.apply(commitOf(end, deletions), end));
        expect(routing.size()).toEqual({ names: 0, bytes: 0 });
      }),
      { seed: runSeed(), numRuns: 30 },
    );
  });

  it("answers the same for a route in the tables of two processes, whose hashes differ", () => {
    for (const seed of [0, 1, 0xffff_ffff]) {
      const routing = new Routing(seed);
      routing.apply(created(edge, shop, route("edge", "wild", "*.test")));
      const { name } = ask(routing, "listeners/edge", announced("x.test"))?.route ?? edge;
      expect(isRouteName(name) && name).toBe("listeners/edge/routes/wild");
    }
  });
});

function commitOf({ epoch, revision }: Position, events: readonly ConfigEvent[]): Commit {
  const none = new Uint8Array(0);
  const by = { requestId: "r", requestDigest: none, author: "a", reason: "", timeMs: 0 };
  return { epoch, revision, parentHash: none, ...by, events };
}
