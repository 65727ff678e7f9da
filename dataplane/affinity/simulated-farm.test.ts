import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runSeed } from "../../test/support/seeded-random.ts";
import { go, hourMs, jdk, type Learning, openssl, s2n, SimulatedFarm } from "../../test/support/simulated-farm.ts";

const minuteMs = 60_000;

const learnings: readonly Learning[] = ["checks", "accepted PSKs", "tickets in clear"];

/** For each of some seeds, which are other ones in each run. */
function always(law: (seed: number) => void, numRuns = 8): void {
  fc.assert(fc.property(fc.nat(), law), { seed: runSeed(), numRuns });
}

describe(`clients are led back to the server that can resume them (seed ${runSeed()})`, () => {
  for (const learning of learnings) {
    for (const [stack, of] of Object.entries({
      "16-byte names": openssl,
      "s2n's 17": s2n,
      "the JDK's 4": { ...jdk, rotationMs: null },
    })) {
      it(`by ${stack}, learnt from ${learning}, while a node restarts`, () => {
        always((seed) => {
          const farm = new SimulatedFarm(of, learning, seed);
          farm.visits(15, 1000);
          farm.countAnew();
          farm.visits(5, 1000);
          farm.restartNode(seed);
          farm.visits(5, 1000);
          expect(farm.hitRate()).toBeGreaterThanOrEqual(0.99);
          expect(farm.finding()).toBe("key_per_server");
        });
      });
    }
  }

  it("by every key that a server still takes, when keys rotate", () => {
    const stacks = [jdk, { ...openssl, rotationMs: 6 * hourMs, keysKept: 1 }, { ...openssl, rotationMs: 2 * hourMs }];
    for (const stack of stacks) {
      always((seed) => {
        const farm = new SimulatedFarm(stack, "checks", seed);
        farm.visits(2, minuteMs);
        farm.countAnew();
        farm.visits(110, 15 * minuteMs);
        expect(farm.hitRate()).toBeGreaterThanOrEqual(0.99);
        expect(farm.finding()).toBe("rotating_keys");
        const { sentence } = farm.node(0).report(farm.nowMs);
        expect(sentence).toContain(
          `every ${stack === jdk ? "60 minutes" : `${(stack.rotationMs as number) / hourMs} hours`}`,
        );
      }, 4);
    }
  });

  it("at the first ticket of a new key, when a server restarts", () => {
    always((seed) => {
      const farm = new SimulatedFarm(openssl, "checks", seed);
      farm.visits(6, 1000);
      farm.servers[2]?.restart();
      farm.check();
      farm.countAnew();
      farm.visits(6, 1000);
      expect(farm.hitRate()).toBeGreaterThanOrEqual(0.99);
    });
  });

  it("or to any of them, where they share keys", () => {
    for (const learning of learnings) {
      always((seed) => {
        const farm = new SimulatedFarm({ ...openssl, shared: true }, learning, seed);
        farm.visits(30, 1000);
        expect(farm.hitRate()).toBe(1);
        expect(farm.finding()).toBe("shared_keys");
        const [known] = farm.node(0).known(farm.nowMs, 100);
        expect(new Set(known?.ticketNames.map(({ server }) => server)).size).toBe(4);
      });
    }
  });
});

describe("what can't be had is said", () => {
  it("where tickets have no name", () => {
    for (const learning of learnings) {
      always((seed) => {
        const farm = new SimulatedFarm(go, learning, seed);
        farm.visits(20, 1000);
        expect(farm.finding()).toBe("no_key_name");
        expect(farm.node(0).report(farm.nowMs).ticketNames).toBe(0);
      });
    }
  });

  it("where each worker has a key of its own, and their names are known all the same", () => {
    for (const learning of learnings) {
      always((seed) => {
        const workers = 2 + (Math.abs(seed) % 4);
        const farm = new SimulatedFarm({ ...openssl, workers }, learning, seed);
        farm.visits(40, 1000);
        expect(farm.finding()).toBe("key_per_worker");
        // A client that two workers refused in turn teaches nothing of either.
        const namesMin = learning === "accepted PSKs" ? 4 : 4 * workers;
        expect(farm.node(0).report(farm.nowMs).ticketNames).toBeGreaterThanOrEqual(namesMin);
        expect(farm.hitRate()).toBeGreaterThan(0.5 / workers);
      });
    }
  });
});
