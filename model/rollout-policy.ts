import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import type { NodeIdentity } from "./node-identity.ts";

/** The parts of a rollout policy, as both planes see them. What a field means stands in `resources.proto`. */
export interface StagedRelease {
  readonly waves: readonly RolloutWave[];
  readonly gates: RolloutGates;
  readonly onFailure: "roll_back" | "pause";
  readonly startAutomatically: boolean;
}

export interface RolloutWave {
  /** Empty: it is called by its place. */
  readonly title: string;
  /** Sorted; empty for any. */
  readonly regions: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** 1 to 100. */
  readonly percent: number;
  readonly bakeTimeMs: number;
}

export interface RolloutGates {
  readonly applyDeadlineMs: number;
  readonly appliedMinPercent: number;
  readonly refusedMax: number;
  readonly lostMaxPercent: number;
  /** Null for no such gate. */
  readonly connectFailures: RatioGate | null;
  readonly handshakeFailures: RatioGate | null;
  /** 0 for no such gate. */
  readonly healthyServersMinPercent: number;
}

export interface RatioGate {
  readonly sampleMin: number;
  readonly significancePpm: number;
  readonly marginBasisPoints: number;
}

export const bakeTimeDefaultMs = 5 * 60_000;

export const ratioGateDefaults: RatioGate = { sampleMin: 500, significancePpm: 1000, marginBasisPoints: 50 };

export const rolloutGatesDefaults: RolloutGates = {
  applyDeadlineMs: 60_000,
  appliedMinPercent: 95,
  refusedMax: 0,
  lostMaxPercent: 5,
  connectFailures: ratioGateDefaults,
  handshakeFailures: ratioGateDefaults,
  healthyServersMinPercent: 50,
};

/** The wave that takes every node. */
export const wholeFleet: RolloutWave = { title: "", regions: [], labels: {}, percent: 100, bakeTimeMs: 0 };

/** Whether a wave selects a node, whatever the waves before it do. */
export function selects(wave: RolloutWave, { id, region, labels }: NodeIdentity): boolean {
  if (wave.regions.length > 0 && !wave.regions.includes(region)) return false;
  for (const [key, value] of Object.entries(wave.labels)) if (labels[key] !== value) return false;
  return wave.percent >= 100 || hundredthOf(id) < wave.percent;
}

/** The first wave that selects a node; undefined where none does. */
export function waveOf(waves: readonly RolloutWave[], node: NodeIdentity): number | undefined {
  const index = waves.findIndex((wave) => selects(wave, node));
  return index === -1 ? undefined : index;
}

/** Whether a wave takes every node that there may ever be. */
export function selectsAll(wave: RolloutWave): boolean {
  return wave.regions.length === 0 && Object.keys(wave.labels).length === 0 && wave.percent >= 100;
}

/** Whether every node that a wave may ever select is selected by an earlier one too, as far as that follows from what they say. */
export function takesAllOf(earlier: RolloutWave, later: RolloutWave): boolean {
  if (earlier.percent < 100 && earlier.percent < later.percent) return false;
  for (const [key, value] of Object.entries(earlier.labels)) if (later.labels[key] !== value) return false;
  if (earlier.regions.length === 0) return true;
  return later.regions.length > 0 && later.regions.every((region) => earlier.regions.includes(region));
}

/** What a wave is called. */
export function waveTitle(wave: RolloutWave, index: number): string {
  return wave.title === "" ? `wave ${index + 1}` : wave.title;
}

/** 0 to 99, the same for an id on every node and in every version: the first 32 bits of its SHA-256, as a share. */
function hundredthOf(id: string): number {
  const hash = sha256(utf8ToBytes(id));
  const first = new DataView(hash.buffer, hash.byteOffset).getUint32(0);
  return Math.floor((first * 100) / 2 ** 32);
}
