import { describe, expect, it } from "vitest";
import type { Farm } from "../../model/resource.ts";
import { deviation } from "../../test/support/chi-squared.ts";
import { ChoosingFarm, clientAddress, countEach } from "../../test/support/choosing-farm.ts";
import { runSeed } from "../../test/support/seeded-random.ts";

/** `4` or `3/4`: how many servers of a region are healthy, and of how many. */
type RegionText = string;
type Regions = Readonly<Record<string, RegionText>>;

/** Servers `east0`, `east1`, …, the healthy ones last. */
function farmOf(regions: Regions, policy: Partial<Farm>, own = "east"): ChoosingFarm {
  const farm = new ChoosingFarm(policy, { seed: runSeed(), region: own });
  for (const [name, text] of Object.entries(regions)) {
    const [healthy = 0, all = healthy] = text.split("/").map(Number);
    const backup = name.endsWith("+");
    const region = name.replace(/\+$/, "");
    for (let index = 0; index < all; index += 1)
      farm.put(`${name.replace("+", "-backup-")}${index}`, { region, backup }, { healthy: index >= all - healthy });
  }
  return farm;
}

const regionOf = (id: string): string => id.replace(/\d+$/, "");
const locality = { regions: ["west", "north"], spillBelowPercent: 70 };
const samples = 8000;

const cases: readonly (readonly [
  law: string,
  regions: Regions,
  parts: Readonly<Record<string, number>>,
  own?: string,
])[] = [
  ["a node's own region takes all", { east: "4", west: "4" }, { east: 1 }],
  ["it takes all while enough of it are healthy", { east: "7/10", west: "4" }, { east: 1 }],
  ["below that it takes so much in proportion", { east: "5/10", west: "4" }, { east: 5 / 7, west: 2 / 7 }],
  ["what is spilt goes on in the farm's order", { east: "5/10", north: "4", west: "4" }, { east: 5 / 7, west: 2 / 7 }],
  [
    "what is spilt is spilt again",
    { east: "2/10", west: "7/20", north: "4" },
    { east: 2 / 7, west: (5 / 7) * 0.5, north: (5 / 7) * 0.5 },
  ],
  ["all others come last, together", { east: "5/10", south: "1", far: "1" }, { east: 5 / 7, south: 1 / 7, far: 1 / 7 }],
  ["a region without healthy servers takes nothing", { east: "0/4", west: "4" }, { west: 1 }],
  ["a region without servers is passed over", { north: "4", south: "9" }, { north: 1 }],
  ["where all are short nothing is lost", { east: "7/20", west: "7/20" }, { east: 2 / 3, west: 1 / 3 }],
  ["a last one that has none healthy leaves all to the others", { east: "1/10", west: "0/4" }, { east: 1 }],
  ["a node without a region begins with the farm's order", { "": "4", west: "4" }, { west: 1 }, ""],
  ["the node's own region may be in the farm's order", { north: "4", west: "4" }, { north: 1 }, "north"],
  ["backups are used where no region has a primary", { east: "0/4", west: "0/4", "west+": "2" }, { "west-backup-": 1 }],
  ["a near backup does not stand in for a far primary", { "east+": "2", south: "1" }, { south: 1 }],
  [
    "backups have their regions, too",
    { south: "0/1", "east+": "7/20", "west+": "1" },
    { "east-backup-": 0.5, "west-backup-": 0.5 },
  ],
  ["where none is healthy anywhere, the nearest are tried all the same", { east: "0/2", west: "0/9" }, { east: 1 }],
];

describe("of a farm with regions", () => {
  it.each(cases.map(([law, regions, parts, own = "east"]) => ({ law, regions, parts, own })))(
    "$law: $regions",
    ({ regions, parts, own }) => {
      const farm = farmOf(regions, { locality }, own);
      const counts = countEach(farm.several(samples).map(regionOf));
      expect(deviation(counts, parts)).toBeNull();
    },
  );

  it("nothing is spilt because servers start slowly or have less weight", () => {
    const farm = farmOf({ east: "3", west: "3" }, { locality });
    farm.put("east0", { weight: 256 }, { healthy: true, share: 0.1 }).put("east1", {}, { share: 0.1 });
    expect(Object.keys(countEach(farm.several(500).map(regionOf)))).toEqual(["east"]);
  });

  it("the next region with room is gone to where the drawn one is full or was tried", () => {
    const farm = farmOf({ east: "1", west: "1", north: "1" }, { locality });
    farm.put("east0", { connectionsMax: 1 }, { connections: 1 });
    expect(farm.choose()).toBe("west0");
    expect(farm.choose({ tried: ["west0"] })).toBe("north0");
    for (const id of ["west0", "north0"]) farm.put(id, { connectionsMax: 1 }, { connections: 1 });
    expect(farm.choose()).toBe("full");
  });

  it("a client that is hashed is spilt always, or never", () => {
    const farm = farmOf({ east: "5/10", west: "4" }, { locality, balance: "source_hash" });
    const places = (): string[] =>
      Array.from({ length: 2000 }, (_, index) => farm.choose({ source: clientAddress(index) }));
    const first = places();
    expect(places()).toEqual(first);
    expect(deviation(countEach(first.map(regionOf)), { east: 5 / 7, west: 2 / 7 })).toBeNull();
  });

  it("panic is of the whole farm, and looks at no region's health", () => {
    const farm = farmOf({ east: "1/4", west: "4" }, { locality, panicThreshold: 70 });
    expect(Object.keys(countEach(farm.several(200))).sort()).toEqual(["east0", "east1", "east2", "east3"]);
  });
});
