import { expect } from "vitest";
import type { NodeObservation, OutcomeCounters } from "../../controlplane/rollout/node-observation.ts";
import { type JudgedWave, judgeWave, releasedAt } from "../../controlplane/rollout/judge/judge-wave.ts";
import { WaveBaseline } from "../../controlplane/rollout/judge/wave-baseline.ts";
import type { GateName, GateOutcome } from "../../model/release-event.ts";
import { rolloutGatesDefaults, type RolloutGates, wholeFleet } from "../../model/rollout-policy.ts";
import type { RolloutRecord } from "../../model/rollout-record.ts";

export const target = 5;
const targetDigest = new Uint8Array(32).fill(5);
export const otherDigest = new Uint8Array(32).fill(9);
export const bakeTimeMs = 300_000;
export const prior = { base: 4, layers: [] };
const farms = new Map([["farms/app", 4]]);
const servers = ["a", "b", "c", "d"].map((server) => `farms/app/servers/${server}`);

export function rollout(gates: Partial<RolloutGates> = {}, bakeMs = bakeTimeMs): RolloutRecord {
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

export const counters = (connects: number, connectFailures = 0, handshakeFailures = 0): OutcomeCounters => ({
  connects,
  connectFailures,
  handshakes: connects - connectFailures,
  handshakeFailures,
});

type Change = Partial<Omit<NodeObservation, "identity">>;

/** Nodes 0 to 9 are the canaries, 10 to 29 the others. */
export const canaries = Array.from({ length: 10 }, (_none, index) => index);
export const others = Array.from({ length: 20 }, (_none, index) => 10 + index);
const identities = [...canaries, ...others].map((index) => ({
  id: `n${index}`,
  region: index % 2 === 0 ? "east" : "west",
  labels: { canary: String(index < 10) },
}));

/** The fleet, as it was before the rollout where nothing is said. */
export class Fleet {
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

export interface Look {
  readonly atMs: number;
  readonly fleet?: (fleet: Fleet) => unknown;
}

/** Judges one look after another; gives the last judgement. */
export function judged(record: RolloutRecord, first: (fleet: Fleet) => unknown, looks: readonly Look[]): JudgedWave {
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

export const asItWas = (): void => undefined;
export const applied: Look = { atMs: 1000, fleet: (fleet) => fleet.apply(canaries) };
export const atEnd: Look = { atMs: 1000 + bakeTimeMs };

export interface Case {
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

export const failingOn = (fleet: Fleet, indexes: readonly number[], count: number): Fleet =>
  fleet.set(indexes, { failing: new Set(servers.slice(0, count)) });

/** One gate, after some looks. */
export function expectJudged(each: Case): void {
  const { gate, gates, bakeMs, first = asItWas, looks, outcome, verdict, figures = {} } = each;
  const last = judged(rollout(gates, bakeMs), first, looks);
  expect(last.judgement.gates.find((figure) => figure.gate === gate)).toMatchObject({ outcome, ...figures });
  expect(last.decided).toEqual(verdict === "fail" ? { verdict, gate } : { verdict });
  expect(last.phase === "failed").toBe(verdict === "fail");
  expectFigures(last);
}

/** Every figure is a number and a sentence, whatever there is to see. */
function expectFigures({ judgement }: JudgedWave): void {
  for (const { observed, limit, sample, controlSample, pValue, detail } of judgement.gates) {
    for (const value of [observed, limit, sample, controlSample, pValue]) expect(value).toBeGreaterThanOrEqual(0);
    expect(pValue).toBeLessThanOrEqual(1);
    expect(detail).not.toMatch(/NaN|undefined|Infinity/);
  }
}
