import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WaveCounts } from "../../proto/gen/switchyard/config/v1/releases.ts";
import { WavePhase } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import { shares, waveBar } from "./rollout-bar.ts";

const bar = (counts: Partial<WaveCounts>, phase: WavePhase, width = 10): string =>
  waveBar(WaveCounts.fromPartial(counts), phase, width)
    .map(({ text }) => text)
    .join("");

describe("each node of a wave stands in its bar once, by what it is", () => {
  const { WAVE_PHASE_APPLYING: applying, WAVE_PHASE_PENDING: pending, WAVE_PHASE_CANCELLED: cancelled } = WavePhase;
  const cases: readonly (readonly [string, Partial<WaveCounts>, WavePhase, string])[] = [
    ["all applied", { nodes: 10, reachable: 10, applied: 10 }, applying, "##########"],
    ["some of each", { nodes: 10, reachable: 8, applied: 4, refused: 1 }, applying, "####---!??"],
    [
      "one that refuses an object has applied the rest",
      { nodes: 10, reachable: 10, applied: 10, refused: 2 },
      applying,
      "########!!",
    ],
    [
      "another digest is no better than a refusal",
      { nodes: 2, reachable: 2, applied: 1, different: 1 },
      applying,
      "#####!!!!!",
    ],
    ["not released", { nodes: 10, reachable: 9 }, pending, ".........?"],
    ["taken back, but for some", { nodes: 10, reachable: 10, applied: 3 }, cancelled, "###......."],
    [
      "one of a thousand that refuses can be seen",
      { nodes: 1000, reachable: 1000, applied: 999, refused: 1 },
      applying,
      "#########!",
    ],
    [
      "one of a thousand that is not there yet, too",
      { nodes: 1000, reachable: 1000, applied: 999 },
      applying,
      "#########-",
    ],
    ["no nodes", {}, applying, "          "],
    ["counts that do not fit each other", { nodes: 2, reachable: 5, applied: 9, refused: 7 }, applying, "!!!!!!!!!!"],
  ];
  it.each(cases)("%s", (_, counts, phase, drawn) => {
    expect(bar(counts, phase)).toBe(drawn);
  });
});

it("a bar is as wide as it should be, and whatever there is of is in it", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(5000), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 5, max: 60 }),
      (counts, width) => {
        const cells = shares(counts, width);
        expect(cells.reduce((sum, one) => sum + one, 0)).toBe(counts.some((count) => count > 0) ? width : 0);
        expect(cells.map((cell) => cell > 0)).toEqual(counts.map((count) => count > 0));
      },
    ),
  );
});
