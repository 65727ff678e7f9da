import { describe, expect, it } from "vitest";
import { Configuration } from "../../model/configuration.ts";
import { parseIpAddress } from "../../model/address.ts";
import { atOnce } from "../../model/steps.ts";
import type { ServerName } from "../../model/server-name.ts";
import { written } from "../../test/support/arbitrary-resource.ts";
import { Routing } from "../choose/routing.ts";
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
const configuration = Configuration.restore({ epoch: 1, revision: 9, hash: new Uint8Array(32) }, resources);

function route(id: string, match: object, action: object): object {
  return { route: { name: `listeners/edge/routes/${id}`, match, action } };
}

function explained(
  name: string | null,
  alpn: readonly string[],
  source: string | null,
  failing: readonly string[] = [],
) {
  const routing = new Routing(1);
  routing.apply(resources.map((after) => ({ before: null, after })));
  const isFailing = (server: string): boolean => failing.includes(server);
  const announcement = {
    serverName: name as ServerName | null,
    alpnProtocols: alpn,
    source: source === null ? null : (parseIpAddress(source) ?? null),
  };
  const answer = explainDecision({ routing, revision: 9, isFailing }, "listeners/edge", announcement);
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

  it("of a listener that the node has not is a sentence", () => {
    const announcement = { serverName: null, alpnProtocols: [], source: null };
    const parts = { routing: new Routing(1), revision: 1, isFailing: () => false };
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
