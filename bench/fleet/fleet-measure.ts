import type { Figures } from "../compare/measure.ts";
import type { TestBed } from "./test-bed.ts";

export type FleetMeasureName = "simulation" | "sessions" | "fanout" | "regions" | "restart" | "writers" | "start";

/** One thing that is measured of a fleet. */
export interface FleetMeasure {
  readonly name: FleetMeasureName;
  /** What it is, in one line. */
  readonly title: string;
  /** Why it can't be taken on this machine; undefined where it can. */
  obstacle(): Promise<string | undefined>;
  /** One round, on a bed of its own. Rejects where anything went wrong: then the round has no figures. */
  take(round: FleetRound): Promise<Figures>;
}

export interface FleetRound {
  readonly bed: TestBed;
  readonly sizes: FleetSizes;
  /** Counted from 0. */
  readonly index: number;
  /** Tells the person who waits. */
  readonly report: (line: string) => void;
}

/** How much is asked; quick and full differ in nothing else. */
export interface FleetSizes {
  readonly rounds: Readonly<Record<FleetMeasureName, number>>;
  /** Of the simulated fleet. */
  readonly seed: number;
  readonly simulatedNodes: number;
  readonly simulatedCommits: number;
  readonly sessions: number;
  readonly sessionSeconds: number;
  readonly followers: number;
  readonly fanoutCommits: number;
  readonly followersPerRegion: number;
  readonly regionCommits: number;
  readonly writers: number;
  readonly writeSeconds: number;
  readonly routes: number;
}

const goalSizes = {
  simulatedNodes: 10_000,
  sessions: 1000,
  followers: 1000,
  followersPerRegion: 100,
  writers: 4,
  routes: 100_000,
};

export function quickSizes(seed: number): FleetSizes {
  return {
    ...goalSizes,
    seed,
    rounds: { simulation: 1, sessions: 1, fanout: 1, regions: 1, restart: 1, writers: 1, start: 1 },
    simulatedCommits: 12,
    sessionSeconds: 5,
    fanoutCommits: 100,
    regionCommits: 100,
    writeSeconds: 4,
  };
}

export function fullSizes(seed: number): FleetSizes {
  return {
    ...goalSizes,
    seed,
    rounds: { simulation: 1, sessions: 3, fanout: 3, regions: 3, restart: 3, writers: 3, start: 2 },
    simulatedCommits: 40,
    sessionSeconds: 10,
    fanoutCommits: 100,
    regionCommits: 100,
    writeSeconds: 6,
  };
}
