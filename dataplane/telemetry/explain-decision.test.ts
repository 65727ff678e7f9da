import { describe, expect, it } from "vitest";
import { Configuration } from "../../model/configuration.ts";
import { parseIpAddress } from "../../model/address.ts";
import { atOnce } from "../../model/steps.ts";
import type { Farm, Server } from "../../model/resource.ts";
import type { ServerName } from "../../model/server-name.ts";
import { written } from "../../test/support/arbitrary-resource.ts";
import { Routing } from "../choose/routing.ts";
import type { ServerConditions } from "../choose/server-conditions.ts";
import { ChoosingFarm, type Condition } from "../../test/support/choosing-farm.ts";
import { explainDecision } from "./explain-decision.ts";
import { extractTable } from "./extract-table.ts";
import type { Explanation } from "./node-session.ts";

const resources = [
  { farm: { name: "farms/web" } },
  { server: { name: "farms/web/servers/a", address: "127.0.0.1:1", weight: 3 } },
  { server: { name: "farms/web/servers/b", address: "127.0.0.1:2", weight: 1 } },
  { server: { name: "farms/web/servers/c", address: "127.0.0.1:3", backup: true } },
  { server: { name: "farms/web/servers/d", address: "127.0.0.1:4", state: "SERVER_STATE_DRAIN" } },
  { server: { name: "farms/web/servers/m", address: "127.0.0.1:5", state: "SERVER_STATE_MAINTENANCE" } },
  { listener: { name: "listeners/edge", addresses: ["127.0.0.1:443"] } },
  route("web", { serverNames: ["web.test", "*.web.test"] }, { farm: "farms/web" }),
  route("h2", { serverNames: ["web.test"], alpnProtocols: ["h2"] }, { reject: {} }),
  route("near", { serverNames: ["web.test"], sourceNetworks: ["10.0.0.0/8"] }, { server: "farms/web/servers/d" }),
  route("gone", { serverNames: ["gone.test"] }, { server: "farms/web/servers/m" }),
  route("none", { noServerName: true }, { farm: "farms/none" }),
].map(written);
type Row = readonly [id: string, fields: Partial<Server>, condition?: Condition];
const full = { connectionsMax: 3 };
const three = { connections: 3 };
const ill = { healthy: false };
const spilt = `a ready ${1 - 50 / 70}, b failing 0, c ready ${50 / 70}`;
const east = { region: "east" };
const west = { region: "west" };
const near = { locality: { regions: [], spillBelowPercent: 70 } };
const listener = written({ listener: { name: "listeners/edge", addresses: ["127.0.0.1:443"] } });
const toFarm = written(route("f", { serverNames: ["f.test"] }, { farm: "farms/f" }));
const toServer = written(route("s", { serverNames: ["s.test"] }, { server: "farms/f/servers/a" }));
const configuration = Configuration.restore({ epoch: 1, revision: 9, hash: new Uint8Array(32) }, resources);

function route(id: string, match: object, action: object): object {
  return { route: { name: `listeners/edge/routes/${id}`, match, action } };
}

const wellAndIdle: ServerConditions = {
  isHealthy: () => true,
  isReachable: () => true,
  share: () => 1,
  connections: () => 0,
};

function explained(
  name: string | null,
  alpn: readonly string[],
  source: string | null,
  failing: readonly string[] = [],
) {
  const routing = new Routing(1);
  routing.apply(resources.map((after) => ({ before: null, after })));
  const conditions = { ...wellAndIdle, isHealthy: (server: string) => !failing.includes(server) };
  const announcement = {
    serverName: name as ServerName | null,
    alpnProtocols: alpn,
    source: source === null ? null : (parseIpAddress(source) ?? null),
  };
  const answer = explainDecision({ routing, revision: 9, conditions, region: "" }, "listeners/edge", announcement);
  if (typeof answer === "string") throw new Error(answer);
  return answer;
}

const shares = ({ servers }: Explanation): string =>
  servers.map(({ server, reason, share }) => `${server.slice(-1)} ${reason} ${share}`).join(", ");

describe("an explanation", () => {
  it.each<[string | null, readonly string[], string | null, string, string]>([
    ["web.test", [], null, "web", "farm"],
    ["a.web.test", ["h2"], null, "web", "farm"],
    ["web.test", ["h2"], null, "h2", "reject"],
    ["web.test", [], "10.1.2.3", "near", "server"],
    [null, [], null, "none", "farm"],
  ])("for %s, ALPN %j, from %s is what the table answers: %s", (name, alpn, source, id, outcome) => {
    const answer = explained(name, alpn, source);
    expect(answer).toMatchObject({ route: `listeners/edge/routes/${id}`, outcome, revision: 9 });
    expect(answer.steps.join(" ")).not.toContain("at fault");
  });

  it("says that the default is taken where no route matches", () => {
    expect(explained("x.test", [], null)).toMatchObject({ route: null, outcome: "reject", alert: "unrecognized_name" });
  });

  it.each<[string, readonly string[], string]>([
    ["all answer", [], "a ready 0.75, b ready 0.25, c backup 0, d drain 0, m maintenance 0"],
    ["one fails", ["a"], "a failing 0, b ready 1, c backup 0, d drain 0, m maintenance 0"],
    ["only a backup is left", ["a", "b"], "a failing 0, b failing 0, c ready 1, d drain 0, m maintenance 0"],
    ["all fail", ["a", "b", "c"], "a failing 0.75, b failing 0.25, c failing 0, d drain 0, m maintenance 0"],
  ])("shares a farm as this node does while %s", (_what, failing, expected) => {
    const names = failing.map((id) => `farms/web/servers/${id}`);
    expect(shares(explained("web.test", [], null, names))).toBe(expected);
  });

  it.each([
    ["web.test", "10.0.0.1", "d drain 1"],
    ["gone.test", null, "m maintenance 0"],
  ])("of a named server says whether it takes connections: %s", (name, source, expected) => {
    expect(shares(explained(name, [], source))).toBe(expected);
  });

  it.each<[string, Partial<Farm>, readonly Row[], region: string, shown: string, says: string]>([
    [
      "limits",
      {},
      [
        ["a", full, three],
        ["b", {}],
      ],
      "",
      "a full 0, b ready 1",
      "over 1 of 2 servers.",
    ],
    [
      "every limit",
      {},
      [
        ["a", full, three],
        ["b", full, three],
      ],
      "",
      "a full 0, b full 0",
      "waits for a server",
    ],
    [
      "slow starts",
      {},
      [
        ["a", {}, { share: 0.25 }],
        ["b", {}],
      ],
      "",
      "a ready 0.2, b ready 0.8",
      "over 2 of 2",
    ],
    [
      "names",
      {},
      [
        ["a", {}, { reachable: false }],
        ["b", {}],
      ],
      "",
      "a unresolved 0, b ready 1",
      "over 1 of 2",
    ],
    [
      "regions",
      near,
      [
        ["a", east],
        ["b", west],
        ["c", {}],
      ],
      "west",
      "a other_region 0, b ready 1, c other_region 0",
      "1 of 3",
    ],
    [
      "full regions",
      near,
      [
        ["a", east],
        ["b", { ...west, ...full }, three],
      ],
      "west",
      "a ready 1, b full 0",
      "1 of 2",
    ],
    [
      "ill regions",
      near,
      [
        ["a", east],
        ["b", west, ill],
        ["c", west],
      ],
      "west",
      spilt,
      "2 of 3",
    ],
    [
      "first",
      { balance: "first" },
      [
        ["a", full, three],
        ["b", {}],
        ["c", {}],
      ],
      "",
      "a full 0, b ready 1, c ready 0",
      "1 of 3",
    ],
    [
      "panic",
      { panicThreshold: 60 },
      [
        ["a", {}],
        ["b", {}, ill],
      ],
      "",
      "a ready 0.5, b failing 0.5",
      "too few are healthy",
    ],
    ["no panic", { panicThreshold: 0 }, [["a", {}, ill]], "", "a failing 0", "no server that may be chosen"],
    [
      "a hash",
      { balance: "source_hash" },
      [["a", {}]],
      "",
      "a ready 1",
      "By its address it goes to farms/f/servers/a.",
    ],
    ["a table", { balance: "maglev_server_name" }, [["a", {}]], "", "a ready 1", "By its server name it goes to"],
  ])("of a farm with %s is what its connections find", (_what, policy, rows, region, shown, says) => {
    const farm = new ChoosingFarm(policy);
    for (const [id, fields, condition] of rows) farm.put(id, fields, condition);
    farm.routing.apply([listener, toFarm].map((after) => ({ before: null, after })));
    const parts = { routing: farm.routing, revision: 1, conditions: farm, region };
    const source = parseIpAddress("10.0.0.1") ?? null;
    const announcement = { serverName: "f.test" as ServerName, alpnProtocols: [], source };
    const answer = explainDecision(parts, "listeners/edge", announcement) as Explanation;
    expect(shares(answer)).toBe(shown);
    expect(answer.steps.at(-1)).toContain(says);
  });

  it.each<[string, Condition, Partial<Server>, string, string]>([
    ["is well", {}, {}, "a ready 1", "no other server"],
    ["is failing", { healthy: false }, {}, "a failing 1", "no other server"],
    ["has no address", { reachable: false }, {}, "a unresolved 0", "internal_error"],
    ["is full", { connections: 3 }, full, "a full 0", "waits"],
  ])("of a named server that %s", (_what, condition, fields, shown, says) => {
    const farm = new ChoosingFarm({}).put("a", fields, condition);
    farm.routing.apply([listener, toServer].map((after) => ({ before: null, after })));
    const parts = { routing: farm.routing, revision: 1, conditions: farm, region: "" };
    const announcement = { serverName: "s.test" as ServerName, alpnProtocols: [], source: null };
    const answer = explainDecision(parts, "listeners/edge", announcement) as Explanation;
    expect(shares(answer)).toBe(shown);
    expect(answer.steps.at(-1)).toContain(says);
  });

  it("of a listener that the node has not is a sentence", () => {
    const announcement = { serverName: null, alpnProtocols: [], source: null };
    const parts = { routing: new Routing(1), revision: 1, conditions: wellAndIdle, region: "" };
    expect(explainDecision(parts, "listeners/x", announcement)).toBe('this node has no "listeners/x"');
  });
});

describe("an extract of the table", () => {
  const names = (listener: string, prefix: string, max: number): string[] => {
    const { entries, truncated } = atOnce(extractTable(() => configuration, listener, prefix, max));
    return [
      ...entries.map(({ serverName, route: name }) => `${serverName}>${name.slice(22)}`),
      ...(truncated ? ["..."] : []),
    ];
  };

  it.each<[string, string, number, readonly string[]]>([
    ["", "", 9, ["web.test>web", "*.web.test>web", "web.test>h2", "web.test>near", "gone.test>gone", ">none"]],
    ["listeners/edge", "gone", 9, ["gone.test>gone"]],
    ["listeners/edge", "", 2, ["web.test>web", "*.web.test>web", "..."]],
    ["", "", 6, ["web.test>web", "*.web.test>web", "web.test>h2", "web.test>near", "gone.test>gone", ">none"]],
    ["listeners/x", "", 9, []],
  ])("of %j with prefix %j and at most %d", (listener, prefix, max, expected) => {
    expect(names(listener, prefix, max)).toEqual(expected);
  });
});
