import { describe, expect, it } from "vitest";
import type { Farm, Server } from "../../model/resource.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";
import { written } from "../../test/support/arbitrary-resource.ts";
import { chooseServer } from "./choose-server.ts";
import { RoundRobin } from "./round-robin.ts";
import type { FarmRouting } from "./routing.ts";

/** `a`, with marks behind it: `!` failing, `+` backup, `0` weight zero, `d` drain, `m` maintenance, `x` tried. */
type ServerText = string;

interface Situation {
  readonly farm: FarmRouting;
  readonly tried: ReadonlySet<ServerResourceName>;
  readonly isFailing: (server: Server) => boolean;
}

function situation(texts: readonly ServerText[]): Situation {
  const servers = new Map<ServerResourceName, Server>();
  const tried = new Set<ServerResourceName>();
  const failing = new Set<ServerResourceName>();
  for (const text of texts) {
    const marks = new Set(text.slice(1));
    const name: ServerResourceName = `farms/f/servers/${text.slice(0, 1)}`;
    const state = marks.has("d") ? "DRAIN" : marks.has("m") ? "MAINTENANCE" : "READY";
    const weight = marks.has("0") ? 0 : 1;
    const backup = marks.has("+");
    const server = { name, address: "127.0.0.1:1", weight, backup, state: `SERVER_STATE_${state}` };
    servers.set(name, written({ server }) as Server);
    if (marks.has("x")) tried.add(name);
    if (marks.has("!")) failing.add(name);
  }
  const farm = { farm: written({ farm: { name: "farms/f" } }) as Farm, servers, roundRobin: new RoundRobin() };
  return { farm, tried, isFailing: ({ name }) => failing.has(name) };
}

const cases: readonly (readonly [law: string, servers: readonly ServerText[], chosen: string])[] = [
  ["servers that are ready share the connections", ["a", "b", "c"], "abc"],
  ["a server in drain is not chosen", ["ad", "b"], "b"],
  ["a server in maintenance is not chosen", ["am", "b"], "b"],
  ["a server of weight 0 is not chosen", ["a0", "b"], "b"],
  ["a server that was tried is not chosen again", ["ax", "b"], "b"],
  ["a failing server is passed over", ["a!", "b"], "b"],
  ["a backup is not chosen while a primary is left", ["a", "b+"], "a"],
  ["a backup is chosen where every primary is in drain, in maintenance or of weight 0", ["ad", "bm", "c0", "d+"], "d"],
  ["a backup is chosen where every primary is failing", ["a!", "b!", "c+"], "c"],
  ["a backup is chosen where every primary was tried", ["ax", "b+"], "b"],
  ["a failing backup does not stand in for a failing primary", ["a!", "b!+"], "a"],
  ["where all are failing they are tried all the same, primaries first", ["a!", "b!", "c!+"], "ab"],
  ["where all are failing, those in drain or maintenance still are not", ["ad!", "bm!", "c!"], "c"],
  ["where all that fail were tried, failing backups are left", ["a!x", "b!+"], "b"],
  ["backups share the connections too", ["ad", "b+", "c+"], "bc"],
  ["a backup in drain is no backup", ["ad", "b+d"], ""],
  ["where all were tried there is none", ["ax", "bx", "c+x"], ""],
  ["of servers that are all in drain, in maintenance or of weight 0 there is none", ["ad", "bm", "c0"], ""],
  ["of no servers there is none", [], ""],
];

describe("of a farm's servers", () => {
  it.each(cases)("%s: %j", (_law, servers, expected) => {
    const { farm, tried, isFailing } = situation(servers);
    const chosen = Array.from({ length: 12 }, () => chooseServer(farm, tried, isFailing));
    const ids = new Set(chosen.map((server) => server?.name.at(-1) ?? ""));
    expect([...ids].sort().join("")).toBe(expected);
  });

  it("those that answer keep their turns while others fail", () => {
    const { farm, tried } = situation(["a", "b", "c"]);
    const failing = (server: Server): boolean => server.name === "farms/f/servers/b";
    const chosen = Array.from({ length: 6 }, () => chooseServer(farm, tried, failing)?.name.at(-1));
    expect(chosen.join("")).toBe("acacac");
  });
});
