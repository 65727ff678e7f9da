import type { GoalRow } from "../compare/goal-row.ts";
import type { FleetMeasureName, FleetSizes } from "./fleet-measure.ts";
import type { FleetResults } from "./fleet-results.ts";

interface Goal {
  readonly measure: FleetMeasureName;
  readonly title: (sizes: FleetSizes) => string;
  readonly figure: string;
  readonly bound: "at most" | "at least";
  readonly limit: number;
  readonly show: (value: number) => string;
  /** What the figure means, where the title does not say it all. */
  readonly note?: string;
}

const count = (value: number): string => value.toLocaleString("en");
const milliseconds = (value: number): string => `${value.toFixed(1)} ms`;
const seconds = (value: number): string => `${(value / 1000).toFixed(2)} s`;
const perSecond = (value: number): string => `${Math.round(value).toLocaleString("en")}/s`;
const percentOfCore = (value: number): string => `${(value * 100).toFixed(1)}% of a core`;
const kilobytes = (value: number): string => `${(value / 1000).toFixed(1)} KB`;
const nodes = (value: number): string => `${count(value)} nodes`;

const fanout = ({ followers }: FleetSizes) => `commit acknowledged -> table of ${count(followers)} followers swapped`;
const nodeStart = ({ routes }: FleetSizes) => `a new node, ${count(routes)} routes: started to ready`;
const sessions = ({ sessions: sessionCount }: FleetSizes) =>
  `${count(sessionCount)} node sessions reporting each second`;

/** The figures of the fleet that were asked for, in their order. */
const goals: readonly Goal[] = [
  {
    measure: "fanout",
    title: (sizes) => `${fanout(sizes)}: p50`,
    figure: "p50Ms",
    bound: "at most",
    limit: 50,
    show: milliseconds,
  },
  {
    measure: "fanout",
    title: (sizes) => `${fanout(sizes)}: p99`,
    figure: "p99Ms",
    bound: "at most",
    limit: 150,
    show: milliseconds,
  },
  {
    measure: "regions",
    title: ({ followersPerRegion }) => `the same, ${followersPerRegion} followers in each of two regions: p99`,
    figure: "p99Ms",
    bound: "at most",
    limit: 100,
    show: milliseconds,
  },
  {
    measure: "restart",
    title: ({ followers }) => `${count(followers)} followers after kill -9 of NATS and its restart: all current`,
    figure: "currentMs",
    bound: "at most",
    limit: 3000,
    show: seconds,
    note: "from the start of the new process, with a commit after it",
  },
  {
    measure: "writers",
    title: ({ writers }) => `commits a second, ${writers} replicas writing at once, none lost or doubled`,
    figure: "commitsPerSecond",
    bound: "at least",
    limit: 300,
    show: perSecond,
    note: "every acknowledged commit was found in the stream, once",
  },
  {
    measure: "start",
    title: (sizes) => `${nodeStart(sizes)}, from a snapshot`,
    figure: "snapshotMs",
    bound: "at most",
    limit: 2000,
    show: seconds,
  },
  {
    measure: "start",
    title: (sizes) => `${nodeStart(sizes)}, from its cache`,
    figure: "cacheMs",
    bound: "at most",
    limit: 1000,
    show: seconds,
    note: "NATS and the control plane are out of its reach",
  },
  {
    measure: "sessions",
    title: (sizes) => `${sessions(sizes)}: CPU of one control plane`,
    figure: "cpuShare",
    bound: "at most",
    limit: 0.3,
    show: percentOfCore,
  },
  {
    measure: "sessions",
    title: (sizes) => `${sessions(sizes)}: memory of each`,
    figure: "bytesPerSession",
    bound: "at most",
    limit: 100_000,
    show: kilobytes,
    note: "resident memory",
  },
  {
    measure: "simulation",
    title: ({ simulatedNodes }) => `${count(simulatedNodes)} simulated nodes, virtual network: current, digests equal`,
    figure: "digestsEqual",
    bound: "at least",
    limit: 10_000,
    show: nodes,
  },
];

/** The goals of the fleet, each with its verdict. A figure that is missing makes a row "not measured". */
export function judgeFleetGoals(
  measures: FleetResults["measures"],
  missing: FleetResults["missing"],
  sizes: FleetSizes,
): readonly GoalRow[] {
  return goals.map((goal) => {
    const value = measures[goal.measure]?.medians?.[goal.figure];
    return {
      measure: goal.title(sizes),
      goal: goal.measure === "simulation" ? "shown" : `${goal.bound} ${goal.show(goal.limit)}`,
      ours: value === undefined ? "-" : goal.show(value),
      against: "",
      verdict: judge(value, goal),
      note: value === undefined ? (missing[goal.measure] ?? "") : (goal.note ?? ""),
    };
  });
}

function judge(value: number | undefined, { bound, limit }: Goal): GoalRow["verdict"] {
  if (value === undefined || !Number.isFinite(value)) return "not measured";
  return (bound === "at most" ? value <= limit : value >= limit) ? "met" : "not met";
}
