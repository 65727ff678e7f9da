import { describe, expect, it } from "vitest";
import { affinityDefaults, balanceNames } from "../../model/farm-policy.ts";
import type { Farm } from "../../model/resource.ts";
import { ChoosingFarm, clientAddress, countEach } from "../../test/support/choosing-farm.ts";

/**
 * `a`, with marks behind it: `!` failing, `?` without an address, `+` backup, `0` weight zero, `f` full, `d` drain,
 * `m` maintenance, `x` tried, `*` preferred.
 */
type ServerText = string;

function farmOf(texts: readonly ServerText[], policy: Partial<Farm> = {}): ChoosingFarm {
  const farm = new ChoosingFarm(policy);
  for (const text of texts) {
    const marks = new Set(text.slice(1));
    const state = marks.has("d") ? "drain" : marks.has("m") ? "maintenance" : "ready";
    const fields = { state, weight: marks.has("0") ? 0 : 1, backup: marks.has("+"), connectionsMax: 2 } as const;
    const condition = { healthy: !marks.has("!"), reachable: !marks.has("?"), connections: marks.has("f") ? 2 : 1 };
    farm.put(text.slice(0, 1), fields, condition);
  }
  return farm;
}

const marked = (texts: readonly ServerText[], mark: string): string[] =>
  texts.filter((text) => text.includes(mark)).map((text) => text.slice(0, 1));

/** The ids that come, and by what: `ab balance`; or why none does. */
function chosenOf(farm: ChoosingFarm, texts: readonly ServerText[]): string {
  const request = { tried: marked(texts, "x"), preferred: marked(texts, "*"), source: "192.0.2.1" };
  const answers = Array.from({ length: 12 }, () => farm.explained(request).split(" "));
  const ids = [...new Set(answers.map(([id = ""]) => id))].sort().join("");
  const by = [...new Set(answers.map(([, what = ""]) => what))].join(" ");
  return by === "" ? ids : `${ids} ${by}`;
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
  ["a backup in drain is no backup", ["ad", "b+d"], "no_server"],
  ["where all were tried there is none", ["ax", "bx", "c+x"], "no_server"],
  ["of servers that are all in drain, in maintenance or of weight 0 there is none", ["ad", "bm", "c0"], "no_server"],
  ["of no servers there is none", [], "no_server"],
  ["a server that has all its connections is skipped", ["af", "b"], "b"],
  ["where all have all their connections, the connection may wait", ["af", "bf"], "full"],
  ["a backup does not stand in for servers that are full", ["af", "b+"], "full"],
  ["a full server is waited for where the others fail, are gone or were tried", ["af", "b!", "cd", "ex", "g?"], "full"],
  ["where failing servers are all that is left and they are full, the connection may wait", ["a!f", "b!f"], "full"],
  ["a full backup is waited for where every primary is failing", ["a!", "b+f"], "full"],
  ["where those that are full were tried, there is no wait", ["afx"], "no_server"],
  ["a server without an address is not chosen", ["a?", "b"], "b"],
  ["a server without an address is not chosen where all are failing, either", ["a?", "b!"], "b"],
  ["of servers without an address there is none", ["a?", "b?+"], "no_server"],
];

describe("of a farm's servers", () => {
  it.each(cases)("%s: %j", (_law, servers, expected) => {
    const ids = new Set(farmOf(servers).several(12, { tried: marked(servers, "x") }));
    expect([...ids].sort().join("")).toBe(expected);
  });

  it("those that answer keep their turns while others fail", () => {
    expect(farmOf(["a", "b!", "c"]).several(6).join("")).toBe("acacac");
  });
});

const panics: readonly (readonly [threshold: number, servers: readonly ServerText[], chosen: string])[] = [
  [1, ["a", "b!", "c!", "d!"], "a balance"],
  [1, ["a!", "b!"], "ab panic"],
  [1, ["a?", "b!"], "b panic"],
  [1, ["ax", "b!"], "b panic"],
  [0, ["a!", "b!"], "no_server"],
  [0, ["ax", "b!"], "no_server"],
  [0, ["a!", "b"], "b balance"],
  [0, ["a!", "bf"], "full"],
  [0, ["a!", "b+"], "b balance"],
  [50, ["a", "b!"], "a balance"],
  [50, ["a", "b!", "c!"], "abc panic"],
  [51, ["a", "b!"], "ab panic"],
  [100, ["a", "b", "c!"], "abc panic"],
  [100, ["a", "b", "c"], "abc balance"],
  // Neither what has no address nor what is not in use counts.
  [50, ["a", "b!", "c?"], "a balance"],
  [50, ["a", "b!", "c!d", "e!m", "g!0"], "a balance"],
  [50, ["a", "b!", "c!", "d?"], "abc panic"],
  // Backups count, and are used where no primary is well.
  [50, ["a", "b!", "c!", "d+"], "a balance"],
  [50, ["a!", "b!", "c+"], "c panic"],
  [50, ["a!", "b!", "c+", "d+"], "cd balance"],
  [50, ["a", "b!", "c!", "d!+"], "abc panic"],
  // What one connection tried says nothing of the farm.
  [50, ["ax", "b", "c!"], "b balance"],
  [50, ["af", "b!", "c!"], "bc panic"],
  [50, ["af", "b!f", "c!f"], "full"],
];

it.each(panics)(
  "where fewer than %d%% are healthy, health is not looked at: %j are %s",
  (panicThreshold, servers, expected) => {
    expect(chosenOf(farmOf(servers, { panicThreshold }), servers)).toBe(expected);
  },
);

const leaving = { ...affinityDefaults, drain: "leave" } as const;
const affinities: readonly (readonly [
  law: string,
  servers: readonly ServerText[],
  chosen: string,
  policy?: Partial<Farm>,
])[] = [
  ["goes to the server that has the session", ["a", "b*", "c"], "b affinity"],
  ["goes to any of those that have it", ["a*", "b*", "c"], "ab affinity"],
  ["goes to a server in drain", ["a", "b*d"], "b affinity"],
  ["leaves a server in drain where the farm says so", ["a", "b*d"], "a balance", { affinity: leaving }],
  ["leaves a server in maintenance", ["a", "b*m"], "a balance"],
  ["goes to a server of weight 0", ["a", "b*0"], "b affinity"],
  ["goes to a backup", ["a", "b*+"], "b affinity"],
  ["prefers those that have a weight", ["a", "b*", "c*0", "d*0"], "b affinity"],
  ["leaves a failing server", ["a", "b*!"], "a balance"],
  ["leaves a server without an address", ["a", "b*?"], "a balance"],
  ["leaves a server that has all its connections", ["a", "b*f"], "a balance"],
  ["waits where the others are full, too", ["af", "b*f"], "full"],
  ["leaves a server that it has tried", ["a", "b*x"], "a balance"],
  ["goes to what else has the session when one was tried", ["a", "b*x", "c*"], "c affinity"],
  ["is panic's where all fail", ["a!", "b*!"], "ab panic"],
];

describe("a connection that resumes a session", () => {
  it.each(affinities.map(([law, servers, chosen, policy = {}]) => ({ law, servers, chosen, policy })))(
    "$law: $servers",
    ({ servers, chosen, policy }) => {
      expect(chosenOf(farmOf(servers, policy), servers)).toBe(chosen);
    },
  );

  it("goes to the least loaded of those that have it, where none of them has a weight", () => {
    const farm = farmOf(["a", "b0", "c0"]).put("c", {}, { connections: 0 });
    expect(farm.explained({ preferred: ["b", "c"] })).toBe("c affinity");
  });

  it("is not led astray by a server that the farm has no longer", () => {
    expect(farmOf(["a"]).explained({ preferred: ["gone"] })).toBe("a balance");
  });

  it.each(balanceNames)("is balanced by %s among several that have it", (balance) => {
    const farm = farmOf(["a", "b*", "c*d", "d"], { balance });
    const ids = Array.from({ length: 300 }, (_, index) =>
      farm.explained({ preferred: ["b", "c"], source: clientAddress(index), name: `n${index}.test` }),
    );
    const expected = balance === "first" ? ["b affinity"] : ["b affinity", "c affinity"];
    expect(Object.keys(countEach(ids)).sort()).toEqual(expected);
  });

  it("takes no other server's turn", () => {
    const farm = farmOf(["a", "b", "c"]);
    const turns = [farm.choose()];
    for (let visit = 0; visit < 7; visit += 1) farm.choose({ preferred: ["b"] });
    turns.push(...farm.several(5));
    expect(turns.join("")).toBe("abcabc");
  });
});

describe("a farm that falls back to the client's address", () => {
  const affinity = { ...affinityDefaults, fallback: "source" } as const;
  const client = (index: number) => ({ source: clientAddress(index) });

  it.each(balanceNames)("keeps each client on one server, whatever %s would do", (balance) => {
    const farm = farmOf(["a", "b", "c", "dd", "em", "g0", "h+"], { affinity, balance });
    const first = Array.from({ length: 100 }, (_, index) => farm.explained(client(index)));
    expect(Object.keys(countEach(first)).sort()).toEqual(["a source", "b source", "c source"]);
    expect(Array.from({ length: 100 }, (_, index) => farm.explained(client(index)))).toEqual(first);
  });

  it("has its balancer choose where no address is known", () => {
    expect(farmOf(["a", "b"], { affinity }).several(4).join("")).toBe("abab");
  });

  it("lets a session come first", () => {
    const farm = farmOf(["a", "b", "cd*"], { affinity });
    expect(farm.explained({ ...client(1), preferred: ["c"] })).toBe("c affinity");
  });

  it("passes on what is over the bound of the hashes", () => {
    const farm = farmOf(["a", "b"], { affinity, hashBalanceFactor: 120 });
    const own = farm.choose(client(1));
    farm.put(own, { connectionsMax: 0 }, { connections: 9 });
    expect(farm.choose(client(1))).not.toBe(own);
  });

  it("says that it was panic", () => {
    expect(farmOf(["a!"], { affinity }).explained(client(1))).toBe("a panic");
  });
});

describe("first with room", () => {
  it.each([
    [["b", "a", "c"], "a balance"],
    [["af", "b", "c"], "b balance"],
    [["a!", "bx", "c"], "c balance"],
    [["af", "bf"], "full"],
    [["a0", "bd", "c+", "e"], "e balance"],
  ] as const)("of %j is %s", (servers, expected) => {
    expect(chosenOf(farmOf(servers, { balance: "first" }), servers)).toBe(expected);
  });
});
