import { expect, test } from "vitest";
import { Fleet, otherDigest, prior, rollout, target } from "../../../test/controlplane/watched-fleet.ts";
import type { NodeObservation } from "../node-observation.ts";
import { countByRegion, countWave } from "./count-wave.ts";
import { nodesWatchedMax, WaveBaseline } from "./wave-baseline.ts";

const fleet = new Fleet().set([2], { reachable: false });
const record = rollout();
const baseline = new WaveBaseline(record, prior, fleet.nodes);
fleet.apply([0, 1, 4]).set([1], { bootId: "two" }).set([4], { digest: otherDigest });
fleet.set([6], { reachable: false }).set([8], { refused: { revision: target, detail: "" } });
const isGone = 3;
const shown = fleet.nodes.filter((_node, index) => index !== isGone);
baseline.observe(shown);
const east = { nodes: 5, reachable: 3, applied: 1, refused: 1, lost: 1, crashed: 0, different: 1 };
const west = { nodes: 5, reachable: 4, applied: 1, refused: 0, lost: 1, crashed: 1, different: 0 };

test("nodes of a wave are counted by what became of them, those too that nobody shows any more", () => {
  const all = Object.fromEntries(
    Object.entries(east).map(([key, count]) => [key, count + west[key as keyof typeof west]]),
  );
  expect(countWave(baseline, 0)).toEqual(all);
  expect(countWave(baseline, 1)).toMatchObject({ nodes: 20, reachable: 20, applied: 0 });
});

test("they are counted by region", () => {
  expect([...countByRegion(record, 0, shown, baseline)]).toEqual([
    ["east", east],
    ["west", west],
  ]);
});

test("without a baseline of that rollout nothing is known of lost and crashed ones", () => {
  const other = new WaveBaseline({ ...record, name: "rollouts/r1" }, prior, fleet.nodes);
  for (const none of [undefined, other])
    expect(
      [...countByRegion(record, 0, fleet.nodes, none).values()].map(({ lost, crashed }) => lost + crashed),
    ).toEqual([0, 0]);
});

test("no more nodes are watched than there is room for, and those that are gone make room", () => {
  const many = (from: number): NodeObservation[] =>
    Array.from({ length: nodesWatchedMax }, (_none, index) => ({
      ...(fleet.nodes[12] as NodeObservation),
      identity: { id: `m${from + index}`, region: "", labels: {} },
    }));
  const full = new WaveBaseline(record, prior, many(0));
  full.observe(many(1));
  expect(countWave(full, 1)).toMatchObject({ nodes: nodesWatchedMax, lost: 1 });
  full.observe(many(1));
  expect(countWave(full, 1)).toMatchObject({ nodes: nodesWatchedMax, lost: 0, reachable: nodesWatchedMax });
});
