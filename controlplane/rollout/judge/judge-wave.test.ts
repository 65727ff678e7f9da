import { describe, expect, test } from "vitest";
import type { GateName, GateOutcome } from "../../../model/release-event.ts";
import { rolloutGatesDefaults, type RolloutGates, wholeFleet } from "../../../model/rollout-policy.ts";
import type { RolloutRecord } from "../../../model/rollout-record.ts";
import type { NodeObservation, OutcomeCounters } from "../node-observation.ts";
import { countByRegion, countWave } from "./count-wave.ts";
import { heldMsMin, type JudgedWave, judgeWave, releasedAt } from "./judge-wave.ts";
import { nodesWatchedMax, WaveBaseline } from "./wave-baseline.ts";

const target = 5;
const targetDigest = new Uint8Array(32).fill(5);
const otherDigest = new Uint8Array(32).fill(9);
const bakeTimeMs = 300_000;
const prior = { base: 4, layers: [] };
const farms = new Map([["farms/app", 4]]);
const servers = ["a", "b", "c", "d"].map((server) => `farms/app/servers/${server}`);

function rollout(gates: Partial<RolloutGates> = {}, bakeMs = bakeTimeMs): RolloutRecord {
  const canary = { ...wholeFleet, title: "canary", labels: { canary: "true" }, bakeTimeMs: bakeMs };
  return {
    name: "rollouts/r6",
    start: {
      targetRevision: target,
      targetDigest,
      policy: null,
      staged: {
        waves: [canary, wholeFleet],
        gates: { ...rolloutGatesDefaults, ...gates },
        onFailure: "roll_back",
        startAutomatically: false,
      },
      emergency: false,
    },
    state: "running",
    releasedWaves: 1,
    decisions: [],
  };
}

const counters = (connects: number, connectFailures = 0, handshakeFailures = 0): OutcomeCounters => ({
  connects,
  connectFailures,
  handshakes: connects - connectFailures,
  handshakeFailures,
});

type Change = Partial<Omit<NodeObservation, "identity">>;

/** Nodes 0 to 9 are the canaries, 10 to 29 the others. */
const canaries = Array.from({ length: 10 }, (_none, index) => index);
const others = Array.from({ length: 20 }, (_none, index) => 10 + index);
const identities = [...canaries, ...others].map((index) => ({
  id: `n${index}`,
  region: index % 2 === 0 ? "east" : "west",
  labels: { canary: String(index < 10) },
}));

/** The fleet, as it was before the rollout where nothing is said. */
class Fleet {
  readonly nodes: NodeObservation[] = identities.map((identity) => ({
    identity,
    reachable: true,
    bootId: "one",
    revision: 4,
    digest: otherDigest,
    refused: null,
    failing: new Set<string>(),
    counters: counters(10_000, 10, 10),
  }));

  set(indexes: readonly number[], change: Change): this {
    for (const index of indexes) this.nodes[index] = { ...(this.nodes[index] as NodeObservation), ...change };
    return this;
  }

  count(indexes: readonly number[], connects: number, connectFailures = 0, handshakeFailures = 0): this {
    for (const index of indexes) {
      const before = (this.nodes[index] as NodeObservation).counters;
      this.set([index], {
        counters: {
          connects: before.connects + connects,
          connectFailures: before.connectFailures + connectFailures,
          handshakes: before.handshakes + connects - connectFailures,
          handshakeFailures: before.handshakeFailures + handshakeFailures,
        },
      });
    }
    return this;
  }

  apply(indexes: readonly number[]): this {
    return this.set(indexes, { revision: target, digest: targetDigest });
  }
}

interface Look {
  readonly atMs: number;
  readonly fleet?: (fleet: Fleet) => unknown;
}

/** Judges one look after another; gives the last judgement. */
function judged(record: RolloutRecord, first: (fleet: Fleet) => unknown, looks: readonly Look[]): JudgedWave {
  const fleet = new Fleet();
  first(fleet);
  const baseline = new WaveBaseline(record, prior, fleet.nodes);
  let last = judgeWave(baseline, farms, releasedAt(0), 0);
  for (const { atMs, fleet: change } of looks) {
    change?.(fleet);
    baseline.observe(fleet.nodes);
    last = judgeWave(baseline, farms, last.memory, atMs);
  }
  return last;
}

const asItWas = (): void => undefined;
const applied: Look = { atMs: 1000, fleet: (fleet) => fleet.apply(canaries) };
const atEnd: Look = { atMs: 1000 + bakeTimeMs };

interface Case {
  readonly what: string;
  readonly gate: GateName;
  readonly looks: readonly Look[];
  readonly outcome: GateOutcome;
  readonly verdict: "wait" | "advance" | "fail";
  readonly first?: (fleet: Fleet) => unknown;
  readonly gates?: Partial<RolloutGates>;
  readonly bakeMs?: number;
  readonly figures?: object;
}

const failingOn = (fleet: Fleet, indexes: readonly number[], count: number): Fleet =>
  fleet.set(indexes, { failing: new Set(servers.slice(0, count)) });

const cases: readonly Case[] = [
  // applied
  { what: "nobody yet", gate: "applied", looks: [{ atMs: 59_999 }], outcome: "waiting", verdict: "wait" },
  { what: "nobody at the deadline", gate: "applied", looks: [{ atMs: 60_000 }], outcome: "failed", verdict: "fail" },
  {
    what: "9 of 10, where 95 % must, at the deadline",
    gate: "applied",
    looks: [{ atMs: 60_000, fleet: (fleet) => fleet.apply(canaries.slice(1)) }],
    outcome: "failed",
    verdict: "fail",
    figures: { observed: 0.9, limit: 0.95 },
  },
  {
    what: "9 of 10, where 90 % must",
    gate: "applied",
    gates: { appliedMinPercent: 90 },
    looks: [{ atMs: 60_000, fleet: (fleet) => fleet.apply(canaries.slice(1)) }],
    outcome: "passed",
    verdict: "wait",
  },
  {
    what: "9 of 9 reachable ones, and one that was never there",
    gate: "applied",
    first: (fleet) => fleet.set([0], { reachable: false }),
    looks: [{ atMs: 1000, fleet: (fleet) => fleet.apply(canaries.slice(1)) }, atEnd],
    outcome: "passed",
    verdict: "advance",
  },
  {
    what: "all, amid the bake",
    gate: "applied",
    looks: [applied, { atMs: 300_999 }],
    outcome: "passed",
    verdict: "wait",
  },
  { what: "all, at the end", gate: "applied", looks: [applied, atEnd], outcome: "passed", verdict: "advance" },
  {
    what: "no reachable node before the deadline",
    gate: "applied",
    first: (fleet) => fleet.set(canaries, { reachable: false }),
    looks: [{ atMs: 59_999 }],
    outcome: "waiting",
    verdict: "wait",
  },
  {
    what: "no reachable node at the deadline",
    gate: "applied",
    first: (fleet) => fleet.set(canaries, { reachable: false }),
    looks: [{ atMs: 60_000 }],
    outcome: "inconclusive",
    verdict: "advance",
  },
  {
    what: "a part that comes back at the end of the bake and has its own deadline",
    gate: "applied",
    first: (fleet) => fleet.set([0, 1], { reachable: false }),
    looks: [
      { atMs: 1000, fleet: (fleet) => fleet.apply(canaries.slice(2)) },
      { atMs: 300_000, fleet: (fleet) => fleet.set([0, 1], { reachable: true }) },
      { atMs: 359_999 },
    ],
    outcome: "waiting",
    verdict: "wait",
  },
  {
    what: "a part that came back and did not apply in time",
    gate: "applied",
    first: (fleet) => fleet.set([0, 1], { reachable: false }),
    looks: [
      { atMs: 1000, fleet: (fleet) => fleet.apply(canaries.slice(2)) },
      { atMs: 300_000, fleet: (fleet) => fleet.set([0, 1], { reachable: true }) },
      { atMs: 360_000 },
    ],
    outcome: "failed",
    verdict: "fail",
  },
  // refused
  {
    what: "one that can't",
    gate: "refused",
    looks: [
      { atMs: 500, fleet: (fleet) => fleet.set([3], { refused: { revision: target, detail: "address_in_use" } }) },
    ],
    outcome: "failed",
    verdict: "fail",
    figures: { observed: 1, limit: 0 },
  },
  {
    what: "one that can't, where one may",
    gate: "refused",
    gates: { refusedMax: 1 },
    looks: [
      { atMs: 500, fleet: (fleet) => fleet.apply(canaries).set([3], { refused: { revision: target, detail: "" } }) },
      atEnd,
    ],
    outcome: "passed",
    verdict: "advance",
  },
  {
    what: "one that could not before",
    gate: "refused",
    first: (fleet) => fleet.set([3], { refused: { revision: 2, detail: "" } }),
    looks: [applied, atEnd],
    outcome: "passed",
    verdict: "advance",
  },
  {
    what: "one of another wave that can't",
    gate: "refused",
    looks: [applied, { ...atEnd, fleet: (fleet) => fleet.set([13], { refused: { revision: target, detail: "" } }) }],
    outcome: "passed",
    verdict: "advance",
  },
  // digest
  {
    what: "one that made something else of it",
    gate: "digest",
    looks: [{ atMs: 500, fleet: (fleet) => fleet.set([3], { revision: target, digest: otherDigest }) }],
    outcome: "failed",
    verdict: "fail",
    figures: { observed: 1, limit: 0 },
  },
  { what: "the same everywhere", gate: "digest", looks: [applied, atEnd], outcome: "passed", verdict: "advance" },
  // lost
  {
    what: "one that is a new process",
    gate: "lost",
    looks: [applied, { atMs: 2000, fleet: (fleet) => fleet.set([3], { bootId: "two" }) }],
    outcome: "failed",
    verdict: "fail",
    figures: { observed: 0.1, limit: 0.05 },
  },
  {
    what: "one that is a new process, where 10 % may",
    gate: "lost",
    gates: { lostMaxPercent: 10 },
    looks: [applied, { ...atEnd, fleet: (fleet) => fleet.set([3], { bootId: "two" }) }],
    outcome: "passed",
    verdict: "advance",
  },
  {
    what: "one that has just fallen silent",
    gate: "lost",
    looks: [applied, { atMs: 2000, fleet: (fleet) => fleet.set([3], { reachable: false }) }, { atMs: 16_999 }],
    outcome: "waiting",
    verdict: "wait",
  },
  {
    what: "one that fell silent for long",
    gate: "lost",
    looks: [applied, { atMs: 2000, fleet: (fleet) => fleet.set([3], { reachable: false }) }, { atMs: 17_000 }],
    outcome: "failed",
    verdict: "fail",
  },
  {
    what: "all that moved to another replica, and are there again",
    gate: "lost",
    looks: [
      applied,
      { atMs: 2000, fleet: (fleet) => fleet.set(canaries, { reachable: false }) },
      { atMs: 9000, fleet: (fleet) => fleet.set(canaries, { reachable: true }) },
      atEnd,
    ],
    outcome: "passed",
    verdict: "advance",
  },
  {
    what: "one that fell silent just before the end of the bake",
    gate: "lost",
    looks: [applied, { ...atEnd, fleet: (fleet) => fleet.set([3], { reachable: false }) }],
    outcome: "waiting",
    verdict: "wait",
  },
  {
    what: "one that was off at the release and is switched on",
    gate: "lost",
    first: (fleet) => fleet.set([3], { reachable: false }),
    looks: [applied, { ...atEnd, fleet: (fleet) => fleet.set([3], { reachable: true, bootId: "two" }) }],
    outcome: "passed",
    verdict: "advance",
  },
  // connect_failures
  {
    what: "5 % against 0.1 %",
    gate: "connect_failures",
    looks: [applied, { atMs: 9000, fleet: (fleet) => fleet.count(canaries, 100, 5).count(others, 1000, 1) }],
    outcome: "failed",
    verdict: "fail",
    figures: { observed: 0.05, limit: 0.001, sample: 1000, controlSample: 20_000 },
  },
  {
    what: "5 % on both sides",
    gate: "connect_failures",
    looks: [applied, { ...atEnd, fleet: (fleet) => fleet.count(canaries, 100, 5).count(others, 100, 5) }],
    outcome: "passed",
    verdict: "advance",
  },
  {
    what: "more for certain, and within the margin",
    gate: "connect_failures",
    looks: [applied, { ...atEnd, fleet: (fleet) => fleet.count(canaries, 100_000, 400).count(others, 100_000, 0) }],
    outcome: "passed",
    verdict: "advance",
    figures: { observed: 0.004, limit: 0 },
  },
  {
    what: "too few, amid the bake",
    gate: "connect_failures",
    looks: [applied, { atMs: 9000, fleet: (fleet) => fleet.count(canaries, 49, 49).count(others, 100) }],
    outcome: "waiting",
    verdict: "wait",
    figures: { sample: 490, pValue: 1 },
  },
  {
    what: "too few at the end",
    gate: "connect_failures",
    looks: [applied, { ...atEnd, fleet: (fleet) => fleet.count(canaries, 49, 49).count(others, 100) }],
    outcome: "inconclusive",
    verdict: "advance",
  },
  {
    what: "without control against the nodes themselves before",
    gate: "connect_failures",
    looks: [applied, { atMs: 9000, fleet: (fleet) => fleet.count(canaries, 100, 5) }],
    outcome: "failed",
    verdict: "fail",
    figures: { limit: 0.001, controlSample: 100_000 },
  },
  {
    what: "a process that restarts and counts from 0",
    gate: "connect_failures",
    gates: { lostMaxPercent: 100 },
    looks: [
      applied,
      { atMs: 5000, fleet: (fleet) => fleet.count(canaries, 100, 0).count(others, 1000, 1) },
      { atMs: 9000, fleet: (fleet) => fleet.set(canaries, { bootId: "two", counters: counters(100, 20) }) },
    ],
    outcome: "failed",
    verdict: "fail",
    figures: { observed: 0.1, sample: 2000 },
  },
  {
    what: "totals of which a replica lost a part",
    gate: "connect_failures",
    looks: [
      applied,
      { atMs: 5000, fleet: (fleet) => fleet.set(canaries, { counters: counters(100, 100) }) },
      { ...atEnd, fleet: (fleet) => fleet.count(canaries, 100, 0).count(others, 100, 0) },
    ],
    outcome: "passed",
    verdict: "advance",
    figures: { observed: 0, sample: 1000 },
  },
  {
    what: "what released nodes count before they serve the target",
    gate: "connect_failures",
    looks: [{ atMs: 1000, fleet: (fleet) => fleet.count(canaries, 1000, 900).count(others, 1000) }],
    outcome: "waiting",
    verdict: "wait",
    figures: { sample: 0 },
  },
  // handshake_failures
  {
    what: "5 % against none",
    gate: "handshake_failures",
    looks: [applied, { atMs: 9000, fleet: (fleet) => fleet.count(canaries, 100, 0, 5).count(others, 1000) }],
    outcome: "failed",
    verdict: "fail",
    figures: { observed: 0.05, limit: 0 },
  },
  {
    what: "none against 5 %",
    gate: "handshake_failures",
    looks: [applied, { ...atEnd, fleet: (fleet) => fleet.count(canaries, 100).count(others, 100, 0, 5) }],
    outcome: "passed",
    verdict: "advance",
  },
  // healthy_servers
  {
    what: "one of four left, which only released nodes see, for a moment",
    gate: "healthy_servers",
    looks: [applied, { atMs: 2000, fleet: (fleet) => failingOn(fleet, canaries, 3) }],
    outcome: "waiting",
    verdict: "wait",
    figures: { observed: 0.25, limit: 0.5 },
  },
  {
    what: "one of four left, which only released nodes see, for long",
    gate: "healthy_servers",
    looks: [applied, { atMs: 2000, fleet: (fleet) => failingOn(fleet, canaries, 3) }, { atMs: 2000 + heldMsMin }],
    outcome: "failed",
    verdict: "fail",
  },
  {
    what: "one of four left, as all nodes see it",
    gate: "healthy_servers",
    looks: [applied, { ...atEnd, fleet: (fleet) => failingOn(fleet, [...canaries, ...others], 3) }],
    outcome: "passed",
    verdict: "advance",
  },
  {
    what: "two of four left",
    gate: "healthy_servers",
    looks: [applied, { ...atEnd, fleet: (fleet) => failingOn(fleet, canaries, 2) }],
    outcome: "passed",
    verdict: "advance",
  },
];

describe("gates", () => {
  test.each(cases)("$gate of $what: $outcome, so $verdict", (each) => {
    const { gate, gates, bakeMs, first = asItWas, looks, outcome, verdict, figures = {} } = each;
    const last = judged(rollout(gates, bakeMs), first, looks);
    expect(last.judgement.gates.find((figure) => figure.gate === gate)).toMatchObject({ outcome, ...figures });
    expect(last.decided).toEqual(verdict === "fail" ? { verdict, gate } : { verdict });
    expect(last.phase === "failed").toBe(verdict === "fail");
  });

  test("gates that are off judge nothing", () => {
    const off = { connectFailures: null, handshakeFailures: null, healthyServersMinPercent: 0 };
    const last = judged(rollout(off), asItWas, [
      applied,
      { ...atEnd, fleet: (fleet) => failingOn(fleet.count(canaries, 1000, 900, 100), canaries, 4) },
    ]);
    expect(last.judgement.gates.map(({ gate }) => gate)).toEqual(["applied", "refused", "digest", "lost"]);
    expect(last.decided).toEqual({ verdict: "advance" });
  });

  test("every figure is a number and a sentence, whatever there is to see", () => {
    for (const { first = asItWas, looks, gates, bakeMs } of cases)
      for (const figure of judged(rollout(gates, bakeMs), first, looks).judgement.gates) {
        const { observed, limit, sample, controlSample, pValue, detail } = figure;
        for (const value of [observed, limit, sample, controlSample, pValue]) expect(value).toBeGreaterThanOrEqual(0);
        expect(pValue).toBeLessThanOrEqual(1);
        expect(detail).not.toMatch(/NaN|undefined|Infinity/);
      }
  });

  test("the time that is left is that of the deadline, then that of the bake", () => {
    expect(judged(rollout(), asItWas, [{ atMs: 20_000 }])).toMatchObject({ phase: "applying", remainingMs: 40_000 });
    const baking = judged(rollout(), asItWas, [applied, { atMs: 101_000 }]);
    expect(baking).toMatchObject({ phase: "baking", remainingMs: 200_000 });
  });
});

describe("counts", () => {
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
});
