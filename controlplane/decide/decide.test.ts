import { describe, expect, test } from "vitest";
import { origin } from "../../model/commit.ts";
import { Configuration } from "../../model/configuration.ts";
import { etagOf } from "../../model/digest.ts";
import type { ConfigEvent } from "../../model/event.ts";
import type { Resource } from "../../model/resource.ts";
import type { Violation } from "../../model/violation.ts";
import { parseResource } from "../../model/wire/parse-resource.ts";
import { Resource as WireResource } from "../../proto/gen/switchyard/config/v1/resources.ts";
import type { Command, Wish } from "./command.ts";
import { ConfigurationIndex } from "./configuration-index.ts";
import { decide, eventsOf } from "./decide.ts";

/** A resource as an operator would write it. */
function written(json: object): Resource {
  const violations: Violation[] = [];
  const resource = parseResource(WireResource.fromJSON(json), "", violations);
  if (resource === undefined) throw new Error(JSON.stringify(violations));
  return resource;
}

const farm = (id: string): Resource => written({ farm: { name: `farms/${id}` } });
const server = (farmId: string, id: string, weight = 1): Resource =>
  written({ server: { name: `farms/${farmId}/servers/${id}`, address: "10.0.0.1:443", weight } });
const listener = (id: string, ...addresses: string[]): Resource =>
  written({ listener: { name: `listeners/${id}`, addresses } });
const route = (id: string, farmId: string, match: object, on = "edge"): Resource =>
  written({ route: { name: `listeners/${on}/routes/${id}`, match, action: { farm: `farms/${farmId}` } } });
const wish = (resource: Resource, etag = ""): Wish => ({ resource, path: resource.kind, etag });
const apply = (...resources: Resource[]): Command => ({
  type: "apply",
  wishes: resources.map((resource, index) => ({ resource, path: `resources[${index}].${resource.kind}`, etag: "" })),
  prune: false,
});

/** The specification's three steps: what is so, what is asked, what comes of it (`then` would make a thenable). */
function given(...resources: Resource[]) {
  const configuration = new Configuration();
  const events = resources.map((resource): ConfigEvent => ({ type: "created", resource }));
  const commit = { epoch: 1, revision: 1, parentHash: origin.hash, requestId: "", requestDigest: origin.hash };
  const position = { epoch: 1, revision: 1, hash: new Uint8Array(32) };
  configuration.apply({ ...commit, author: "", reason: "", timeMs: 0, events }, position);
  const state = { configuration, index: ConfigurationIndex.of(configuration) };
  return {
    when: (command: Command) => {
      const decision = decide(state, command);
      return {
        expectFacts: (...expected: string[]) => {
          if ("refused" in decision) throw new Error(JSON.stringify(decision));
          const lines = eventsOf(decision.changes).map((event) =>
            event.type === "deleted" ? `deleted ${event.name}` : `${event.type} ${event.resource.name}`,
          );
          expect(lines).toEqual(expected);
        },
        expectRefusal: (reason: string, ...fields: string[]) => {
          if (!("refused" in decision)) throw new Error("it was accepted");
          expect(decision.refused).toBe(reason);
          expect(decision.violations.map((each) => `${each.field}: ${each.reason}`)).toEqual(fields);
        },
      };
    },
  };
}

const edge = listener("edge", "127.0.0.1:443");

describe("create", () => {
  test("records one fact", () => {
    given()
      .when({ type: "create", wish: wish(farm("web")) })
      .expectFacts("created farms/web");
  });
  test("is refused for what exists", () => {
    given(farm("web"))
      .when({ type: "create", wish: wish(farm("web")) })
      .expectRefusal("ALREADY_EXISTS", "farm.name: conflict");
  });
  test("of a server needs its farm", () => {
    const command: Command = { type: "create", wish: wish(server("web", "a")) };
    given(farm("web")).when(command).expectFacts("created farms/web/servers/a");
    given().when(command).expectRefusal("CONFIGURATION_CONFLICT", "server.name: unknown_reference");
  });
  test("of a route needs its listener and what its action names", () => {
    const command: Command = { type: "create", wish: wish(route("shop", "web", { serverNames: ["shop.test"] })) };
    given(edge, farm("web")).when(command).expectFacts("created listeners/edge/routes/shop");
    given(edge).when(command).expectRefusal("CONFIGURATION_CONFLICT", "route.action.farm: unknown_reference");
    given(farm("web")).when(command).expectRefusal("CONFIGURATION_CONFLICT", "route.name: unknown_reference");
  });
});

describe("update", () => {
  const stored = server("web", "a", 1);
  test("records the whole resource, and nothing where nothing changes", () => {
    given(farm("web"), stored)
      .when({ type: "update", wish: wish(server("web", "a", 9)) })
      .expectFacts("updated farms/web/servers/a");
    given(farm("web"), stored)
      .when({ type: "update", wish: wish(stored) })
      .expectFacts();
  });
  test("is refused for what is not there", () => {
    given(farm("web"))
      .when({ type: "update", wish: wish(stored) })
      .expectRefusal("NOT_FOUND", "server.name: unknown_reference");
  });
  test("holds only for the resource that the client saw", () => {
    const changed = server("web", "a", 9);
    given(farm("web"), stored)
      .when({ type: "update", wish: wish(changed, etagOf(stored)) })
      .expectFacts("updated farms/web/servers/a");
    given(farm("web"), stored)
      .when({ type: "update", wish: wish(changed, etagOf(changed)) })
      .expectRefusal("ETAG_MISMATCH", "server.etag: conflict");
  });
});

describe("delete", () => {
  const shop = route("shop", "web", { serverNames: ["shop.test"] });
  test("is refused while something names the resource, and while something is inside it", () => {
    given(farm("web"), edge, shop)
      .when({ type: "delete", name: "farms/web", etag: "", force: true })
      .expectRefusal("CONFIGURATION_CONFLICT", "name: in_use");
    given(farm("web"), server("web", "a"))
      .when({ type: "delete", name: "farms/web", etag: "", force: false })
      .expectRefusal("CONFIGURATION_CONFLICT", "name: in_use");
  });
  test("by force takes what is inside first", () => {
    given(farm("web"), server("web", "a"))
      .when({ type: "delete", name: "farms/web", etag: "", force: true })
      .expectFacts("deleted farms/web/servers/a", "deleted farms/web");
    given(farm("web"), edge, shop)
      .when({ type: "delete", name: "listeners/edge", etag: "", force: true })
      .expectFacts("deleted listeners/edge/routes/shop", "deleted listeners/edge");
  });
  test("holds only for the resource that the client saw", () => {
    given(farm("web"))
      .when({ type: "delete", name: "farms/web", etag: "0000000000000000", force: false })
      .expectRefusal("ETAG_MISMATCH", "etag: conflict");
  });
});

describe("apply", () => {
  test("orders facts so that what is named comes before what names it", () => {
    given()
      .when(apply(route("shop", "web", { serverNames: ["shop.test"] }), edge, server("web", "a"), farm("web")))
      .expectFacts(
        "created farms/web",
        "created farms/web/servers/a",
        "created listeners/edge",
        "created listeners/edge/routes/shop",
      );
  });
  test("leaves alone what is already so, and with prune deletes what is not wished for", () => {
    given(farm("web"), farm("old"))
      .when(apply(farm("web")))
      .expectFacts();
    given(farm("web"), farm("old"))
      .when({ type: "apply", wishes: [wish(farm("web"))], prune: true })
      .expectFacts("deleted farms/old");
  });
  test("names every violation, and refuses the same name twice", () => {
    given()
      .when(apply(server("web", "a"), route("shop", "none", { serverNames: ["shop.test"] })))
      .expectRefusal(
        "CONFIGURATION_CONFLICT",
        "resources[0].server.name: unknown_reference",
        "resources[1].route.name: unknown_reference",
        "resources[1].route.action.farm: unknown_reference",
      );
    given()
      .when(apply(farm("web"), farm("web")))
      .expectRefusal("INVALID_FIELD", "resources[1].farm.name: duplicate");
  });
});

describe("two routes that would tie", () => {
  const shop = { serverNames: ["shop.test"] };
  const h2 = { ...shop, alpnProtocols: ["h2"] };
  const cases: readonly (readonly [what: string, first: object, second: object, ties: boolean])[] = [
    ["the same name", shop, shop, true],
    ["the same name in other letters", shop, { serverNames: ["SHOP.test."] }, true],
    ["the same wildcard", { serverNames: ["*.test"] }, { serverNames: ["*.test"] }, true],
    ["one of several names", { serverNames: ["a.test", "shop.test"] }, shop, true],
    ["both without a name", { noServerName: true }, { noServerName: true }, true],
    ["the same protocol", h2, { ...shop, alpnProtocols: ["h2", "http/1.1"] }, true],
    [
      "the same network",
      { ...shop, sourceNetworks: ["10.0.0.0/8"] },
      { ...shop, sourceNetworks: ["10.0.0.0/8"] },
      true,
    ],
    ["a wildcard beside an exact name", shop, { serverNames: ["*.test"] }, false],
    ["a protocol beside none", shop, h2, false],
    ["other protocols", h2, { ...shop, alpnProtocols: ["http/1.1"] }, false],
    [
      "a network inside another",
      { ...shop, sourceNetworks: ["10.0.0.0/8"] },
      { ...shop, sourceNetworks: ["10.1.0.0/16"] },
      false,
    ],
    ["any name beside no name", { serverNames: ["*"] }, { noServerName: true }, false],
  ];
  test.each(cases)("%s", (_what, first, second, ties) => {
    const [one, other] = [route("one", "web", first), route("other", "web", second)];
    const stored = given(farm("web"), edge, one).when({ type: "create", wish: wish(other) });
    const together = given(farm("web"), edge).when(apply(one, other));
    if (ties) {
      stored.expectRefusal("CONFIGURATION_CONFLICT", "route.match: conflict");
      together.expectRefusal("CONFIGURATION_CONFLICT", "resources[1].route.match: conflict");
    } else {
      stored.expectFacts("created listeners/edge/routes/other");
      together.expectFacts("created listeners/edge/routes/one", "created listeners/edge/routes/other");
    }
  });
  test("may swap their names in one commit", () => {
    const [one, other] = [route("one", "web", shop), route("other", "web", { serverNames: ["other.test"] })];
    const [oneNow, otherNow] = [route("one", "web", { serverNames: ["other.test"] }), route("other", "web", shop)];
    given(farm("web"), edge, one, other)
      .when(apply(oneNow, otherNow))
      .expectFacts("updated listeners/edge/routes/one", "updated listeners/edge/routes/other");
  });
  test("on different listeners never tie", () => {
    given(farm("web"), edge, listener("inner", "127.0.0.1:444"), route("one", "web", shop))
      .when({ type: "create", wish: wish(route("one", "web", shop, "inner")) })
      .expectFacts("created listeners/inner/routes/one");
  });
});

describe("two listeners", () => {
  const cases: readonly (readonly [first: string, second: string, clash: boolean])[] = [
    ["127.0.0.1:443", "127.0.0.1:443", true],
    ["0.0.0.0:443", "127.0.0.1:443", true],
    ["[::]:443", "[::1]:443", true],
    ["127.0.0.1:443", "127.0.0.1:444", false],
    ["127.0.0.1:443", "127.0.0.2:443", false],
    ["0.0.0.0:443", "[::]:443", false],
  ];
  test.each(cases)("on %s and %s", (first, second, clash) => {
    const asked = given(listener("one", first)).when({ type: "create", wish: wish(listener("two", second)) });
    if (clash) asked.expectRefusal("CONFIGURATION_CONFLICT", "listener.addresses[0]: conflict");
    else asked.expectFacts("created listeners/two");
  });
});

describe("a farm that connects from its clients' addresses", () => {
  const transparent = written({ farm: { name: "farms/web", sourceTransparent: true } });
  const at = (id: string, address: string): Resource =>
    written({ server: { name: `farms/web/servers/${id}`, address } });
  const [four, six, named] = [at("four", "10.0.0.1:443"), at("six", "[::1]:443"), at("named", "app.test:443")];
  test("has servers of one family, whichever comes last", () => {
    given(transparent, four)
      .when({ type: "create", wish: wish(six) })
      .expectRefusal("CONFIGURATION_CONFLICT", "server.address: conflict");
    given(farm("web"), four, six)
      .when({ type: "update", wish: wish(transparent) })
      .expectRefusal("CONFIGURATION_CONFLICT", "farm.source_transparent: conflict");
    given()
      .when(apply(transparent, six, four))
      .expectRefusal("CONFIGURATION_CONFLICT", "resources[2].server.address: conflict");
    given(transparent, four, six)
      .when({ type: "update", wish: wish(at("four", "10.0.0.2:443")) })
      .expectRefusal("CONFIGURATION_CONFLICT", "server.address: conflict");
  });
  test("may change from one to the other at once, and have names beside either", () => {
    given(transparent, four)
      .when(apply(at("four", "[::4]:443"), six))
      .expectFacts("updated farms/web/servers/four", "created farms/web/servers/six");
    given(transparent, six, named)
      .when({ type: "update", wish: wish(at("six", "[::7]:443")) })
      .expectFacts("updated farms/web/servers/six");
    given(farm("web"), four)
      .when({ type: "create", wish: wish(six) })
      .expectFacts("created farms/web/servers/six");
  });
  test("may have a server of the other family once the first is deleted", () => {
    given(transparent, four)
      .when({ type: "apply", wishes: [wish(transparent), wish(six)], prune: true })
      .expectFacts("created farms/web/servers/six", "deleted farms/web/servers/four");
  });
});

describe("revert", () => {
  test("makes everything what it was, whatever that takes", () => {
    const target = new Configuration();
    const before = [farm("web"), server("web", "a", 1)];
    const events = before.map((resource): ConfigEvent => ({ type: "created", resource }));
    const commit = { epoch: 1, revision: 1, parentHash: origin.hash, requestId: "", requestDigest: origin.hash };
    target.apply({ ...commit, author: "", reason: "", timeMs: 0, events }, { ...origin, revision: 1 });
    given(farm("web"), server("web", "a", 9), server("web", "b"), farm("new"))
      .when({ type: "revert", target })
      .expectFacts("updated farms/web/servers/a", "deleted farms/web/servers/b", "deleted farms/new");
  });
});
