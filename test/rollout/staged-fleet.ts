import { expect, onTestFinished } from "vitest";
import { waveOf } from "../../model/rollout-policy.ts";
import { SimulatedFleet, type SimulatedFleetOptions } from "./simulated-fleet.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import { appResources } from "./simulated-world.ts";

/** A fleet whose commits wait for a rollout by a policy. It ends with the test. */
export async function stagedFleet(options: SimulatedFleetOptions, policy: object): Promise<SimulatedFleet> {
  const fleet = await SimulatedFleet.start(options);
  onTestFinished(() => fleet.close());
  await fleet.replica.apply([policy]);
  await fleet.settled();
  return fleet;
}

export interface Started {
  /** What nodes have that are not released. */
  readonly base: number;
  readonly target: number;
}

/** Commits the app's server at another address, and starts a rollout of that. */
export async function startRollout(fleet: SimulatedFleet, address: string): Promise<Started> {
  const { base } = fleet.live.configuration.releases;
  const target = await fleet.replica.apply(appResources(address));
  await fleet.replica.rollout({ step: "start", target: null, policy: null });
  await fleet.look();
  await fleet.settled();
  return { base, target };
}

/** Those that one wave of the newest rollout takes. */
export function inWave(fleet: SimulatedFleet, wave: number): readonly SimulatedNode[] {
  const { waves } = fleet.newest.start.staged;
  return fleet.nodes.filter(({ identity }) => waveOf(waves, identity) === wave);
}

/** Ids, sorted. */
export function idsOf(nodes: readonly SimulatedNode[]): readonly string[] {
  return nodes.map(({ identity }) => identity.id).toSorted();
}

/** The nodes that ever served a revision. */
export function servedBy(fleet: SimulatedFleet, revision: number): readonly SimulatedNode[] {
  return fleet.nodes.filter(({ served }) => served.includes(revision));
}

/** Every node serves one revision, with its digest as the log has it. */
export function expectAllAt(fleet: SimulatedFleet, revision: number): void {
  const digest = hex(fleet.live.digestAt(revision));
  const standings = fleet.nodes.map(({ life }) => {
    const { position, digest: served } = life?.follower.status ?? {};
    return `${position?.revision} ${hex(served)}`;
  });
  expect(new Set(standings)).toEqual(new Set([`${revision} ${digest}`]));
}

function hex(bytes: Uint8Array = new Uint8Array(0)): string {
  return Buffer.from(bytes).toString("hex");
}
