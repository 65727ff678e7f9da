import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sameBytes } from "../../model/commit.ts";
import { created, kept, Served } from "../../test/dataplane/served.ts";
import { runSeed, seededRandom } from "../../test/support/seeded-random.ts";
import { LastKnownGood } from "./last-known-good.ts";
import { loadCache } from "./load-cache.ts";

let directory: string;
let cache: LastKnownGood;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "switchyard-cache-"));
  cache = LastKnownGood.open(directory);
});

afterEach(async () => {
  await cache.close();
  rmSync(directory, { recursive: true });
});

/** Whether a load gives at this moment what is told to be kept; otherwise, in words, what it gives. */
function parted() {
  const { configuration, problems } = loadCache(directory);
  const at = configuration?.position.revision ?? 0;
  const same = at === 0 || sameBytes(configuration?.position.hash ?? new Uint8Array(0), cache.kept.position.hash);
  if (at === cache.kept.position.revision && same) return "";
  return `${cache.kept.position.revision} is told, and ${at} is loaded: ${problems.join("; ")}`;
}

describe("at every moment", () => {
  it("what is told to be kept is what a start would load, whatever comes while snapshots are written", async () => {
    const random = seededRandom(runSeed());
    const wrong: string[] = [];
    cache.watch(() => {
      const difference = parted();
      if (difference !== "") wrong.push(difference);
    });
    let served = new Served();
    for (let history = 0; history < 5; history += 1) {
      served = new Served(`history ${history}`);
      const many = Array.from({ length: 200 + Math.floor(random() * 2000) }, (_, each) =>
        created(`h${history}x${each}`),
      );
      served.commit(...many);
      cache.changing();
      cache.replaced(served.configuration);
      const commits = 1200 + Math.floor(random() * 800);
      for (let each = 0; each < commits; each += 1) {
        cache.changing();
        cache.committed([served.commit(created(`c${history}x${each}`))], served.configuration);
        if (random() < 0.05) await setImmediate();
      }
    }
    await kept(cache, served.configuration);
    expect(wrong).toEqual([]);
    expect(parted()).toBe("");
  });
});
