import { describe, expect, test } from "vitest";
import { origin } from "../../model/commit.ts";
import { Configuration } from "../../model/configuration.ts";
import type { Resource } from "../../model/resource.ts";
import { written } from "../../test/support/arbitrary-resource.ts";
import { explainFarm } from "./explain-farm.ts";

const farm = (fields: object = {}): Resource => written({ farm: { name: "farms/web", ...fields } });
const server = (id: string, fields: object = {}): Resource =>
  written({ server: { name: `farms/web/servers/${id}`, address: `${id}.internal:443`, ...fields } });

/** Servers as `a: ready 0.25`; one that may not be chosen has no share. */
function explained(resources: readonly Resource[], ...failing: readonly string[]) {
  const configuration = Configuration.restore(origin, resources);
  const names = new Set(failing.map((id) => `farms/web/servers/${id}`));
  const { servers, steps } = explainFarm("farms/web", configuration, names);
  const lines = servers.map(
    ({ server: name, eligible, reason, share }) => `${name.slice(-1)}: ${reason}${eligible ? ` ${share}` : ""}`,
  );
  return { servers: lines, steps };
}

const four = [server("a"), server("b", { weight: 3 }), server("c", { backup: true }), server("d", { weight: 0 })];

describe("who may be chosen, and for how much", () => {
  const cases: readonly (readonly [
    what: string,
    resources: readonly Resource[],
    failing: string,
    ...servers: string[],
  ])[] = [
    ["by weight", [farm(), ...four], "", "a: ready 0.25", "b: ready 0.75", "c: backup", "d: weight_zero"],
    [
      "by weight in a farm that looks at connections",
      [farm({ balance: "BALANCE_LEAST_CONNECTIONS" }), ...four],
      "",
      "a: ready 0.25",
      "b: ready 0.75",
      "c: backup",
      "d: weight_zero",
    ],
    [
      "the first takes all",
      [farm({ balance: "BALANCE_FIRST" }), ...four],
      "",
      "a: ready 1",
      "b: ready 0",
      "c: backup",
      "d: weight_zero",
    ],
    [
      "the first that answers",
      [farm({ balance: "BALANCE_FIRST" }), ...four],
      "a",
      "a: failing",
      "b: ready 1",
      "c: backup",
      "d: weight_zero",
    ],
    ["a backup in their place", [farm(), ...four], "ab", "a: failing", "b: failing", "c: ready 1", "d: weight_zero"],
    [
      "all, where none answers",
      [farm(), ...four],
      "abc",
      "a: failing 0.25",
      "b: failing 0.75",
      "c: backup",
      "d: weight_zero",
    ],
    [
      "none, where the farm would rather refuse",
      [farm({ panicThreshold: 0 }), ...four],
      "abc",
      "a: failing",
      "b: failing",
      "c: backup",
      "d: weight_zero",
    ],
    [
      "all, where too few answer",
      [farm({ panicThreshold: 70 }), ...four],
      "a",
      "a: failing 0.25",
      "b: ready 0.75",
      "c: backup",
      "d: weight_zero",
    ],
    [
      "those that answer, where enough do",
      [farm({ panicThreshold: 66 }), ...four],
      "a",
      "a: failing",
      "b: ready 1",
      "c: backup",
      "d: weight_zero",
    ],
    [
      "those that answer, where just enough do",
      [farm({ panicThreshold: 50 }), server("a"), server("b")],
      "a",
      "a: failing",
      "b: ready 1",
    ],
    ["nobody of nobody", [farm()], ""],
  ];
  test.each(cases)("%s", (_what, resources, failing, ...servers) => {
    expect(explained(resources as readonly Resource[], ...Array.from(failing as string)).servers).toEqual(servers);
  });
});

describe("what depends on the node is said", () => {
  const says = (fields: object, ...servers: readonly Resource[]): string =>
    explained([farm(fields), ...(servers.length > 0 ? servers : [server("a")])]).steps.join(" ");
  const ignore = { tlsSessions: "TLS_SESSIONS_IGNORE" };
  test("which nothing is where nothing does", () => {
    expect(says({ affinity: ignore })).toBe("farms/web balances by round_robin over 1 of 1 servers.");
  });
  const cases: readonly (readonly [what: string, fields: object, server: object, text: string])[] = [
    ["sessions", {}, {}, "a server that can resume it, one in DRAIN too"],
    ["sessions that leave", { affinity: { drain: "DRAIN_AFFINITY_LEAVE" } }, {}, "resume it, none in DRAIN"],
    ["a fallback", { affinity: { fallback: "AFFINITY_FALLBACK_SOURCE" } }, {}, "the client's address decides"],
    ["a hash of names", { balance: "BALANCE_MAGLEV_SERVER_NAME" }, {}, "the server name decides"],
    ["regions", { locality: { regions: ["us"] } }, {}, "its own region, then us, then all others, while at least 70%"],
    ["room", {}, { connectionsMax: 1 }, "up to 1000 clients wait for room, 5 s at most"],
    ["room without a queue", { queue: { lengthMax: 0 } }, { connectionsMax: 1 }, "connections are refused"],
  ];
  test.each(cases)("%s", (_what, fields, more, text) => {
    const said = says(fields, server("a", more));
    expect(said).toContain(text);
    expect(said).toMatch(/switchyard nodes explain\.$/);
  });
});
