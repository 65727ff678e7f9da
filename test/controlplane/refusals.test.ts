import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Resource, Route } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { refusalOf, refusalText } from "./refusal-of.ts";
import { RunningControlPlane, timeMs, wire } from "./running-control-plane.ts";

let running: RunningControlPlane;
beforeEach(async () => {
  running = await RunningControlPlane.start();
  const resources = [
    { farm: { name: "farms/web" } },
    { listener: { name: "listeners/edge", addresses: ["127.0.0.1:443"] } },
    route("shop", ["shop.test"]),
  ];
  await running.config.apply({ resources: resources.map(wire) });
});
afterEach(() => running.close());

function route(id: string, serverNames: readonly string[], farm = "farms/web", more: object = {}): object {
  return { route: { name: `listeners/edge/routes/${id}`, match: { serverNames, ...more }, action: { farm } } };
}
function routeOf({ kind }: Resource): Route {
  if (kind?.$case !== "route") throw new Error("it is no route");
  return kind.value;
}

describe("every violation is named by its path in the request", () => {
  const good = route("good", ["good.test"]);
  const cases: readonly (readonly [what: string, resources: readonly object[], expected: string])[] = [
    [
      "a bad name deep inside",
      [good, good, good, route("bad", ["a b.test"])],
      "INVALID_ARGUMENT INVALID_FIELD | resources[3].route.match.server_names[0]: MALFORMED",
    ],
    [
      "several in several",
      [
        { farm: { name: "farms/Web", connectAttemptsMax: 11 } },
        { listener: { name: "listeners/x", addresses: ["127.0.0.1:1", "nowhere"], helloBytesMax: 1 } },
        {},
      ],
      [
        "INVALID_ARGUMENT INVALID_FIELD",
        "resources[0].farm.name: MALFORMED",
        "resources[0].farm.connect_attempts_max: OUT_OF_RANGE",
        "resources[1].listener.addresses[1]: MALFORMED",
        "resources[1].listener.hello_bytes_max: OUT_OF_RANGE",
        "resources[2]: REQUIRED",
      ].join(" | "),
    ],
    ["the same resource twice", [good, good], "INVALID_ARGUMENT INVALID_FIELD | resources[1].route.name: DUPLICATE"],
    [
      "an unknown farm",
      [good, route("lost", ["lost.test"], "farms/none")],
      "FAILED_PRECONDITION CONFIGURATION_CONFLICT | resources[1].route.action.farm: UNKNOWN_REFERENCE",
    ],
    [
      "an unknown server",
      [
        {
          listener: {
            name: "listeners/x",
            addresses: ["127.0.0.1:1"],
            defaultAction: { server: "farms/web/servers/none" },
            nonTlsFarm: "farms/none",
          },
        },
      ],
      [
        "FAILED_PRECONDITION CONFIGURATION_CONFLICT",
        "resources[0].listener.default_action.server: UNKNOWN_REFERENCE",
        "resources[0].listener.non_tls_farm: UNKNOWN_REFERENCE",
      ].join(" | "),
    ],
    [
      "two new routes that tie",
      [good, route("too", ["GOOD.test."])],
      "FAILED_PRECONDITION CONFIGURATION_CONFLICT | resources[1].route.match: CONFLICT",
    ],
    [
      "a route that ties with a stored one",
      [route("too", ["x.test", "Shop.Test"])],
      "FAILED_PRECONDITION CONFIGURATION_CONFLICT | resources[0].route.match: CONFLICT",
    ],
    [
      "an address that is taken",
      [{ listener: { name: "listeners/x", addresses: ["127.0.0.1:444", "0.0.0.0:443"] } }],
      "FAILED_PRECONDITION CONFIGURATION_CONFLICT | resources[0].listener.addresses[1]: CONFLICT",
    ],
    [
      "a stale etag",
      [good, { farm: { name: "farms/web", connectAttemptsMax: 9, etag: "0123456789abcdef" } }],
      "ABORTED ETAG_MISMATCH | resources[1].farm.etag: CONFLICT",
    ],
    [
      "an etag of what is not there",
      [{ farm: { name: "farms/new", etag: "0123456789abcdef" } }],
      "ABORTED ETAG_MISMATCH | resources[0].farm.etag: CONFLICT",
    ],
  ];
  test.each(cases)(
    "%s: Apply, live and validated alike, and nothing is written",
    async (_what, resources, expected) => {
      for (const validateOnly of [true, false])
        expect(
          await refusalText(running.config.apply({ resources: resources.map(wire), write: { validateOnly } })),
        ).toBe(expected);
      expect((await running.log.head()).revision).toBe(1);
      expect(running.plane.stats().resources).toBe(3);
    },
  );

  test("Create and Update name the field below the resource", async () => {
    const bad = routeOf(wire(route("bad", ["ok.test", "a..test"])));
    const expected = "INVALID_ARGUMENT INVALID_FIELD | route.match.server_names[1]: MALFORMED";
    expect(await refusalText(running.config.createRoute({ route: bad }))).toBe(expected);
    const known = routeOf(wire(route("shop", ["ok.test", "a..test"])));
    expect(await refusalText(running.config.updateRoute({ route: known }))).toBe(expected);
    const lost = routeOf(wire(route("lost", ["lost.test"], "farms/none")));
    expect(await refusalText(running.config.createRoute({ route: lost }))).toBe(
      "FAILED_PRECONDITION CONFIGURATION_CONFLICT | route.action.farm: UNKNOWN_REFERENCE",
    );
  });
});

test("two routes that conflict are both named, and what they would both match", async () => {
  const { message } = await refusalOf(
    running.config.createRoute({ route: routeOf(wire(route("too", ["shop.test"]))) }),
  );
  expect(message).toContain("listeners/edge/routes/shop");
  expect(message).toContain("listeners/edge/routes/too");
  expect(message).toContain("shop.test");
});

test("of very many violations the first are sent, and all are counted", async () => {
  const resources = Array.from({ length: 10_000 }, (_, index) =>
    wire({ farm: { name: `farms/${"X".repeat(70)}${index}` } }),
  );
  const { fields, message } = await refusalOf(running.config.apply({ resources }));
  expect(fields[0]).toBe("resources[0].farm.name: MALFORMED");
  expect(fields.length).toBeGreaterThan(5);
  expect(fields.length).toBeLessThanOrEqual(50);
  expect(message).toContain("(and 9999 more)");
});

describe("a change says who and why, within limits", () => {
  const limits = [
    ["requestId", "request_id", 128],
    ["author", "author", 256],
    ["reason", "reason", 4096],
  ] as const;
  test.each(limits)("%s: as %s, at most %i characters", async (key, field, max) => {
    const create = (length: number): Promise<unknown> =>
      running.config.createFarm({ farm: { name: "farms/new" }, write: { [key]: "ä".repeat(length) } });
    expect(await refusalText(create(max + 1))).toBe(`INVALID_ARGUMENT INVALID_FIELD | write.${field}: OUT_OF_RANGE`);
    await create(max);
    const { commit } = await running.config.getCommit({ revision: 2n });
    expect(commit?.[key]).toBe("ä".repeat(max));
  });

  test("a commit carries author, reason, request id and time; an author who says nothing is anonymous", async () => {
    const write = { author: "ann", reason: "because", requestId: "r-2" };
    await running.config.createFarm({ farm: { name: "farms/new" }, write });
    await running.config.createFarm({ farm: { name: "farms/newer" } });
    const { commit } = await running.config.getCommit({ revision: 2n });
    const time = { seconds: BigInt(timeMs / 1000), nanos: 0 };
    expect(commit).toMatchObject({ author: "ann", reason: "because", requestId: "r-2", epoch: 1n, revision: 2n, time });
    const { commit: next } = await running.config.getCommit({ revision: 3n });
    expect(next).toMatchObject({ author: "anonymous", reason: "" });
    expect(next?.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });
});
