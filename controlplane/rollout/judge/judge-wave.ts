import type { GateFigure, GateName, WaveCounts, WaveJudgement } from "../../../model/release-event.ts";
import { countWave } from "./count-wave.ts";
import { counted, durationText, percentText } from "./figures.ts";
import { type FarmSizes, worstFarm } from "./healthy-servers.ts";
import { type Looks, noLooks } from "./looks.ts";
import { judgeRatio, type RatioSample } from "./ratio-gate.ts";
import { nothingCounted, sum, type WaveBaseline } from "./wave-baseline.ts";

/**
 * How long nodes must be lost, or servers be seen failing by released nodes alone, before that counts: sessions that move
 * from one replica to another are silent for seconds, and a server that dies is seen by some nodes before others.
 */
export const heldMsMin = 15_000;

/** What is remembered of a wave from one judgement to the next. Times are on the judge's own monotonic clock. */
export interface WaveMemory {
  /** When the release was seen. */
  readonly releasedAtMs: number;
  /** When enough nodes had applied for the first time; null before. */
  readonly appliedAtMs: number | null;
  /** Since when too few have; null while there are enough. */
  readonly shortSinceMs: number | null;
  readonly lostSinceMs: number | null;
  readonly failingSinceMs: number | null;
  readonly connectLooks: Looks;
  readonly handshakeLooks: Looks;
}

export function releasedAt(nowMs: number): WaveMemory {
  return {
    releasedAtMs: nowMs,
    appliedAtMs: null,
    shortSinceMs: nowMs,
    lostSinceMs: null,
    failingSinceMs: null,
    connectLooks: noLooks,
    handshakeLooks: noLooks,
  };
}

export type WaveVerdict =
  | { readonly verdict: "wait" }
  | { readonly verdict: "advance" }
  | { readonly verdict: "fail"; readonly gate: GateName };

export interface JudgedWave {
  readonly judgement: WaveJudgement;
  readonly phase: "applying" | "baking" | "failed";
  /** Until the deadline, or until the bake time is over. */
  readonly remainingMs: number;
  readonly decided: WaveVerdict;
  readonly memory: WaveMemory;
}

/** Judges the wave that was released last, by the nodes as the baseline has them. Pure. */
export function judgeWave(baseline: WaveBaseline, farms: FarmSizes, before: WaveMemory, nowMs: number): JudgedWave {
  const { start, releasedWaves } = baseline.record;
  const wave = releasedWaves - 1;
  const { gates: policy, waves } = start.staged;
  const counts = countWave(baseline, wave);
  const applied = judgeApplied(counts, policy, before, nowMs);
  const { shortSinceMs } = applied;
  const lost = judgeLost(baseline, wave, policy.lostMaxPercent, before.lostSinceMs, nowMs);
  // What happened while nodes were silent is not known: when they are back, they bake from the beginning.
  const appliedAtMs = applied.appliedAtMs !== null && lost.figure.outcome === "waiting" ? nowMs : applied.appliedAtMs;
  const bakeEndMs = (appliedAtMs ?? nowMs) + (waves[wave]?.bakeTimeMs ?? 0);
  const unreachable = appliedAtMs === null && applied.figure.outcome === "inconclusive";
  const bakeOver = unreachable || (appliedAtMs !== null && shortSinceMs === null && nowMs >= bakeEndMs);
  const healthy = judgeServers(baseline, farms, policy.healthyServersMinPercent, before.failingSinceMs, nowMs);
  const { connects, handshakes } = outcomesOf(baseline);
  const { connectLooks, handshakeLooks } = before;
  const { connectFailures, handshakeFailures } = policy;
  const ratios = {
    connects: connectFailures && judgeRatio("connect_failures", connectFailures, connects, connectLooks, bakeOver),
    handshakes:
      handshakeFailures && judgeRatio("handshake_failures", handshakeFailures, handshakes, handshakeLooks, bakeOver),
  };
  const gates = [
    applied.figure,
    judgeRefused(counts, policy.refusedMax),
    judgeDigests(counts),
    lost.figure,
    ratios.connects?.figure,
    ratios.handshakes?.figure,
    healthy.figure,
  ].filter((figure) => figure != null);
  const failed = gates.find(({ outcome }) => outcome === "failed");
  const isWaiting = gates.some(({ outcome }) => outcome === "waiting");
  const decided: WaveVerdict =
    failed !== undefined
      ? { verdict: "fail", gate: failed.gate }
      : { verdict: bakeOver && !isWaiting ? "advance" : "wait" };
  const endMs = shortSinceMs === null ? bakeEndMs : shortSinceMs + policy.applyDeadlineMs;
  return {
    judgement: { wave, counts, gates },
    phase: failed !== undefined ? "failed" : appliedAtMs === null ? "applying" : "baking",
    remainingMs: Math.max(0, endMs - nowMs),
    decided,
    memory: {
      releasedAtMs: before.releasedAtMs,
      appliedAtMs,
      shortSinceMs,
      lostSinceMs: lost.sinceMs,
      failingSinceMs: healthy.sinceMs,
      connectLooks: ratios.connects?.looks ?? connectLooks,
      handshakeLooks: ratios.handshakes?.looks ?? handshakeLooks,
    },
  };
}

interface AppliedJudged extends Pick<WaveMemory, "appliedAtMs" | "shortSinceMs"> {
  readonly figure: GateFigure;
}

/** Nodes that come back amid the bake have the same time to apply as those that were there at the release. */
function judgeApplied(
  { applied, reachable, nodes }: WaveCounts,
  { applyDeadlineMs, appliedMinPercent }: WaveBaseline["record"]["start"]["staged"]["gates"],
  before: WaveMemory,
  nowMs: number,
): AppliedJudged {
  const limit = appliedMinPercent / 100;
  const observed = reachable === 0 ? 0 : applied / reachable;
  const figures = { gate: "applied", observed, limit, sample: 0, controlSample: 0, pValue: 1 } as const;
  const seen = `${applied} of ${counted(reachable, "reachable node")} applied`;
  if (reachable > 0 && applied * 100 >= appliedMinPercent * reachable) {
    const figure: GateFigure = { ...figures, outcome: "passed", detail: `${seen}; ${percentText(limit)} are enough` };
    return { figure, appliedAtMs: before.appliedAtMs ?? nowMs, shortSinceMs: null };
  }
  const { appliedAtMs } = before;
  const shortSinceMs = before.shortSinceMs ?? nowMs;
  const leftMs = shortSinceMs + applyDeadlineMs - nowMs;
  if (reachable === 0) {
    const detail = nodes === 0 ? "no node is known" : `none of ${counted(nodes, "node")} is reachable`;
    const over = leftMs <= 0 || appliedAtMs !== null;
    const outcome = over ? "inconclusive" : "waiting";
    const wait = over ? ", which holds nothing up" : `; they have ${durationText(leftMs)} to come`;
    const figure: GateFigure = { ...figures, outcome, detail: detail + wait };
    return { figure, appliedAtMs, shortSinceMs: appliedAtMs === null ? shortSinceMs : null };
  }
  const short = `${seen}, and ${percentText(limit)} must`;
  if (leftMs > 0) {
    const figure: GateFigure = { ...figures, outcome: "waiting", detail: `${short} within ${durationText(leftMs)}` };
    return { figure, appliedAtMs, shortSinceMs };
  }
  const detail = `${short}: ${durationText(applyDeadlineMs)} are over`;
  return { figure: { ...figures, outcome: "failed", detail }, appliedAtMs, shortSinceMs };
}

function judgeRefused({ refused, nodes }: WaveCounts, refusedMax: number): GateFigure {
  const outcome = refused > refusedMax ? "failed" : "passed";
  const detail = `${counted(refused, "node")} of ${nodes} can't carry it out in full; at most ${refusedMax} may be so`;
  return {
    gate: "refused",
    outcome,
    observed: refused,
    limit: refusedMax,
    sample: 0,
    controlSample: 0,
    pValue: 1,
    detail,
  };
}

function judgeDigests({ different, applied }: WaveCounts): GateFigure {
  const outcome = different > 0 ? "failed" : "passed";
  const detail =
    different > 0
      ? `${counted(different, "node")} made something else of the revision than the log says`
      : `${counted(applied, "node")} made of the revision what the log says`;
  return { gate: "digest", outcome, observed: different, limit: 0, sample: 0, controlSample: 0, pValue: 1, detail };
}

interface HeldJudged {
  readonly figure: GateFigure;
  readonly sinceMs: number | null;
}

/** Crashes count at once; nodes that are silent, once they have been for a while. */
function judgeLost(
  baseline: WaveBaseline,
  wave: number,
  lostMaxPercent: number,
  sinceBefore: number | null,
  nowMs: number,
): HeldJudged {
  let [nodes, lost, crashed, both] = [0, 0, 0, 0];
  for (const watched of baseline.nodes()) {
    if (watched.wave !== wave || !watched.heardOf) continue;
    const isLost = watched.reachableAtRelease && !watched.seen.reachable;
    nodes += 1;
    if (isLost) lost += 1;
    if (watched.crashed) crashed += 1;
    if (isLost && watched.crashed) both += 1;
  }
  const gone = lost + crashed - both;
  const limit = lostMaxPercent / 100;
  const observed = nodes === 0 ? 0 : gone / nodes;
  const isOver = gone * 100 > lostMaxPercent * nodes;
  const sinceMs = isOver ? (sinceBefore ?? nowMs) : null;
  const hasLasted = sinceMs !== null && nowMs - sinceMs >= heldMsMin;
  const outcome = crashed * 100 > lostMaxPercent * nodes || hasLasted ? "failed" : isOver ? "waiting" : "passed";
  const seen = `of ${counted(nodes, "node")} ${lost} fell silent and ${crashed} came back as a new process`;
  const detail = `${seen}; ${percentText(limit)} may${outcome === "waiting" ? `, longer than ${durationText(heldMsMin)}` : ""}`;
  const figure: GateFigure = { gate: "lost", outcome, observed, limit, sample: 0, controlSample: 0, pValue: 1, detail };
  return { figure, sinceMs };
}

function judgeServers(
  baseline: WaveBaseline,
  farms: FarmSizes,
  minPercent: number,
  sinceBefore: number | null,
  nowMs: number,
): { readonly figure: GateFigure | null; readonly sinceMs: number | null } {
  if (minPercent === 0) return { figure: null, sinceMs: null };
  const limit = minPercent / 100;
  const figures = { gate: "healthy_servers", limit, sample: 0, controlSample: 0, pValue: 1 } as const;
  const worst = worstFarm(baseline, farms);
  if (worst === undefined) {
    const detail = "of no farm do released nodes see fewer healthy servers than the others";
    return { figure: { ...figures, outcome: "passed", observed: 1, detail }, sinceMs: null };
  }
  const { farm, servers, released: observed, others, releasedNodes } = worst;
  const isBelow = observed < limit;
  const sinceMs = isBelow ? (sinceBefore ?? nowMs) : null;
  const hasLasted = sinceMs !== null && nowMs - sinceMs >= heldMsMin;
  const against = others === null ? "nobody else sees it" : `others see ${percentText(others)}`;
  const seen = `${farm}: ${counted(releasedNodes, "released node")} see ${percentText(observed)} of ${counted(servers, "server")} healthy, ${against}`;
  const outcome = hasLasted ? "failed" : isBelow ? "waiting" : "passed";
  const detail = `${seen}; the floor is ${percentText(limit)}${outcome === "waiting" ? ` for ${durationText(heldMsMin)}` : ""}`;
  return { figure: { ...figures, outcome, observed, detail }, sinceMs };
}

function outcomesOf(baseline: WaveBaseline): { readonly connects: RatioSample; readonly handshakes: RatioSample } {
  let [released, control, earlier] = [nothingCounted, nothingCounted, nothingCounted];
  for (const { wave, since, before } of baseline.nodes()) {
    if (wave >= baseline.record.releasedWaves) {
      control = sum(control, since);
      continue;
    }
    released = sum(released, since);
    if (before !== null) earlier = sum(earlier, before.counters);
  }
  const groups = { released, control, before: earlier };
  const of = (events: "connectFailures" | "handshakeFailures", all: "connects" | "handshakes"): RatioSample => ({
    released: { events: groups.released[events], of: groups.released[all] },
    control: { events: groups.control[events], of: groups.control[all] },
    before: { events: groups.before[events], of: groups.before[all] },
  });
  return { connects: of("connectFailures", "connects"), handshakes: of("handshakeFailures", "handshakes") };
}
