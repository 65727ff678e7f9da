import { describe, expect, it } from "vitest";
import { balanceNames } from "../../model/farm-policy.ts";
import { ChoosingFarm, clientAddress } from "../../test/support/choosing-farm.ts";

describe("what balancing remembers of a farm", () => {
  it("is kept when its policy changes in anything but the way to balance", () => {
    const farm = new ChoosingFarm({}).put("a").put("b").put("c");
    const turns = farm.several(2);
    farm.setPolicy({ connectTimeoutMs: 77, panicThreshold: 50, slowStartMs: 1000 });
    expect([...turns, ...farm.several(4)].join("")).toBe("abcabc");
  });

  it("is dropped when that changes, and it is not there when it changes back", () => {
    const farm = new ChoosingFarm({}).put("a").put("b").put("c");
    farm.several(2);
    farm.setPolicy({ balance: "least_connections" });
    expect(farm.several(2).join("")).toBe("ab");
    farm.setPolicy({ balance: "round_robin" });
    expect(farm.several(2).join("")).toBe("ab");
  });

  it("is kept of servers beside one that comes, changes or goes", () => {
    const farm = new ChoosingFarm({}).put("a", { weight: 2 }).put("b").put("d");
    const turns = farm.several(2);
    farm.put("c", { weight: 0 }).put("d", { region: "elsewhere" });
    turns.push(...farm.several(1));
    farm.remove("c");
    expect([...turns, ...farm.several(5)].join("")).toBe("abdaabda");
  });
});

describe.each(balanceNames)("a change of a farm that is balanced by %s", (balance) => {
  it("shows at the next choice: servers that come, go, drain, and are full", () => {
    const farm = new ChoosingFarm({ balance });
    const all = (): string => {
      const ids = Array.from({ length: 200 }, (_, index) =>
        farm.choose({ source: clientAddress(index), name: `n${index}.test` }),
      );
      return [...new Set(ids)].sort().join("");
    };
    // Where only one is used at a time the others are made full.
    const others = balance === "first" ? "a" : "ab";
    expect(all()).toBe("no_server");
    farm.put("b");
    expect(all()).toBe("b");
    farm.put("a");
    expect(all()).toBe(others);
    farm.put("a", { connectionsMax: 1 }, { connections: 1 });
    expect(all()).toBe("b");
    farm.put("a", { connectionsMax: 0 }).put("b", { state: "drain" });
    expect(all()).toBe("a");
    farm.put("b", { state: "ready" });
    farm.remove("a");
    expect(all()).toBe("b");
    farm.put("b", { weight: 0 });
    expect(all()).toBe("no_server");
  });
});
