import type { GoalRow } from "./goal-row.ts";
import { medianOf, othersMax, type Results } from "./results.ts";

type Measures = Results["measures"];

/** The native engine where it runs; else the portable one, which the row then says. */
const ourNames = ["switchyard", "switchyard-portable"] as const;

const peers = ["haproxy", "haproxy-tuned", "nginx"] as const;

/** The goals of the native engine, each with its verdict. A figure that is missing makes a row "not measured". */
export function judgeGoals(measures: Measures): readonly GoalRow[] {
  return [
    cpuRow(measures),
    rateRow(measures),
    bulkRow(measures, "haproxy", 2.5),
    bulkRow(measures, "haproxy-tuned", 1.1),
    rttRow(measures),
    rttP99Row(measures),
    memoryRow(measures, "idle", "resident memory per idle pair", 1024),
    memoryRow(measures, "half-hello", "resident memory per half hello", 2048),
    scalingRow(measures),
    commitLatencyRow(measures),
    commitDecisionRow(measures),
    millionReadyRow(measures),
    millionBytesRow(measures),
  ];
}

interface Held {
  readonly target: string;
  readonly value: number;
}

function ours(measures: Measures, measure: keyof Measures, figure: string): Held | undefined {
  return found(measures, measure, figure, ourNames)[0];
}

function found(measures: Measures, measure: keyof Measures, figure: string, targets: readonly string[]): Held[] {
  return targets.flatMap((target) => {
    const value = medianOf(measures, measure, target, figure);
    return value === undefined ? [] : [{ target, value }];
  });
}

/** The best of the peers that were measured. */
function bestPeer(
  measures: Measures,
  measure: keyof Measures,
  figure: string,
  better: "more" | "less",
): Held | undefined {
  const all = found(measures, measure, figure, peers);
  return all.toSorted((one, other) => (better === "more" ? other.value - one.value : one.value - other.value))[0];
}

interface RowDraft {
  readonly measure: string;
  readonly bound: "at most" | "at least";
  readonly limit: number;
  readonly goal: string;
  readonly mine: Held | undefined;
  readonly peer: Held | undefined;
  readonly show: (value: number) => string;
  readonly note?: string;
}

/** Judges a ratio to a peer. */
function ratioRow(draft: RowDraft): GoalRow {
  const { mine, peer, show } = draft;
  const ratio = mine && peer ? mine.value / peer.value : undefined;
  const notes = [noteOfTarget(mine), draft.note ?? ""].filter((note) => note !== "");
  return {
    measure: draft.measure,
    goal: draft.goal,
    ours: mine ? show(mine.value) : "-",
    against: peer ? `${peer.target} ${show(peer.value)}` : "no peer",
    ...(ratio === undefined ? {} : { ratio }),
    verdict: judge(ratio, draft.bound, draft.limit),
    note: notes.join("; "),
  };
}

/** Judges a figure by itself. */
function absoluteRow(draft: Omit<RowDraft, "peer">): GoalRow {
  const value = draft.mine?.value;
  const notes = [noteOfTarget(draft.mine), draft.note ?? ""].filter((note) => note !== "");
  return {
    measure: draft.measure,
    goal: draft.goal,
    ours: value === undefined ? "-" : draft.show(value),
    against: "",
    verdict: judge(value, draft.bound, draft.limit),
    note: notes.join("; "),
  };
}

function judge(value: number | undefined, bound: "at most" | "at least", limit: number): GoalRow["verdict"] {
  if (value === undefined || !Number.isFinite(value)) return "not measured";
  return (bound === "at most" ? value <= limit : value >= limit) ? "met" : "not met";
}

function noteOfTarget(held: Held | undefined): string {
  return held?.target === "switchyard-portable" ? "portable engine" : "";
}

const microseconds = (value: number): string => `${value.toFixed(1)} us`;
const perSecond = (value: number): string => `${Math.round(value).toLocaleString("en")}/s`;
const gigabytes = (value: number): string => `${(value / 1e9).toFixed(2)} GB/s`;
const bytes = (value: number): string => `${Math.round(value).toLocaleString("en")} B`;
const plain = (value: number): string => value.toFixed(2);

function cpuRow(measures: Measures): GoalRow {
  return ratioRow({
    measure: "CPU per short connection, affinity on",
    goal: "at most 0.85 of HAProxy's",
    bound: "at most",
    limit: 0.85,
    mine: ours(measures, "rate", "cpuUsPerConnection"),
    peer: found(measures, "rate", "cpuUsPerConnection", ["haproxy"])[0],
    show: microseconds,
  });
}

/** Below this share of its core a proxy was waiting. */
const busyMin = 0.9;

/** Why a figure of speed may be less than the proxy could do: its core was not its own, or had nothing to do. */
function waitingNote(measures: Measures, measure: "rate" | "bulk" | "rtt"): string {
  const busy = ours(measures, measure, "proxyBusy");
  const others = ours(measures, measure, "othersOnCore");
  if (others !== undefined && others.value > othersMax) {
    return `others had ${Math.round(others.value * 100)}% of the proxy's core`;
  }
  if (busy === undefined || busy.value >= busyMin) return "";
  return `the generator was the limit: the proxy's core ${Math.round(busy.value * 100)}% busy`;
}

function rateRow(measures: Measures): GoalRow {
  return ratioRow({
    measure: "connections a second on one core",
    goal: "at least 1.15 times the best peer",
    bound: "at least",
    limit: 1.15,
    mine: ours(measures, "rate", "connectionsPerSecond"),
    peer: bestPeer(measures, "rate", "connectionsPerSecond", "more"),
    show: perSecond,
    note: waitingNote(measures, "rate"),
  });
}

function bulkRow(measures: Measures, peer: "haproxy" | "haproxy-tuned", limit: number): GoalRow {
  return ratioRow({
    measure: peer === "haproxy" ? "bulk, 16 streams, both directions" : "the same, against the tuned one",
    goal: `at least ${limit} times HAProxy's ${peer === "haproxy" ? "default" : "tuned"}`,
    bound: "at least",
    limit,
    mine: ours(measures, "bulk", "bytesPerSecond"),
    peer: found(measures, "bulk", "bytesPerSecond", [peer])[0],
    show: gigabytes,
    note: waitingNote(measures, "bulk"),
  });
}

function rttRow(measures: Measures): GoalRow {
  return ratioRow({
    measure: "64-byte round trips, 16 streams",
    goal: "at least 1.15 times the best peer",
    bound: "at least",
    limit: 1.15,
    mine: ours(measures, "rtt", "roundTripsPerSecond"),
    peer: bestPeer(measures, "rtt", "roundTripsPerSecond", "more"),
    show: perSecond,
    note: waitingNote(measures, "rtt"),
  });
}

function rttP99Row(measures: Measures): GoalRow {
  return ratioRow({
    measure: "their p99",
    goal: "not above the best peer's",
    bound: "at most",
    limit: 1,
    mine: ours(measures, "rtt", "latencyP99Us"),
    peer: bestPeer(measures, "rtt", "latencyP99Us", "less"),
    show: microseconds,
  });
}

function memoryRow(measures: Measures, measure: "idle" | "half-hello", title: string, limit: number): GoalRow {
  const row = absoluteRow({
    measure: title,
    goal: `at most ${limit / 1024} KiB`,
    bound: "at most",
    limit,
    mine: ours(measures, measure, "bytesPerConnection"),
    show: bytes,
  });
  const best = bestPeer(measures, measure, "bytesPerConnection", "less");
  return { ...row, against: best ? `${best.target} ${bytes(best.value)}` : "no peer" };
}

/** Without cores of their own, what two threads reach is an estimate: it is shown, and no goal is met by it. */
function scalingRow(measures: Measures): GoalRow {
  const apart = ours(measures, "scaling", "generatorApart")?.value === 1;
  const row = absoluteRow({
    measure: "two engine threads on two cores",
    goal: "at least 1.7 times one",
    bound: "at least",
    limit: 1.7,
    mine: ours(measures, "scaling", "timesOne"),
    show: plain,
  });
  if (apart || row.verdict === "not measured") return row;
  const note = "estimated from CPU time per connection: no core is left for the generator";
  return { ...row, verdict: "not measured", note };
}

function commitLatencyRow(measures: Measures): GoalRow {
  return absoluteRow({
    measure: "a commit of 100,000 routes during load: p99.9 of round trips",
    goal: "at most 1.5 times the quiet run's",
    bound: "at most",
    limit: 1.5,
    mine: ours(measures, "commit", "latencyP999Ratio"),
    show: plain,
  });
}

function commitDecisionRow(measures: Measures): GoalRow {
  return absoluteRow({
    measure: "meanwhile: new connections, p99",
    goal: "decided within 20 ms",
    bound: "at most",
    limit: 20,
    mine: ours(measures, "commit", "connectionP99Ms"),
    show: (value) => `${value.toFixed(1)} ms`,
    note: "connect to server's answer, which contains the decision",
  });
}

function millionReadyRow(measures: Measures): GoalRow {
  return absoluteRow({
    measure: "a million routes: ready",
    goal: "within 2 s",
    bound: "at most",
    limit: 2000,
    mine: ours(measures, "million", "readyMs"),
    show: (value) => `${Math.round(value).toLocaleString("en")} ms`,
  });
}

function millionBytesRow(measures: Measures): GoalRow {
  return absoluteRow({
    measure: "a million routes: table",
    goal: "at most 80 bytes a name",
    bound: "at most",
    limit: 80,
    mine: ours(measures, "million", "tableBytesPerName"),
    show: (value) => `${value.toFixed(1)} B`,
  });
}
