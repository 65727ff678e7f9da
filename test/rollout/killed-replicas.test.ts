import { test, type TestContext } from "vitest";
import { RolloutState } from "../../proto/gen/switchyard/config/v1/releases.ts";
import { type Rollout, WavePhase } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import { type RealReplica, until } from "../fleet/real-fleet.ts";
import { runSeed, seededRandom } from "../support/seeded-random.ts";
import { connectedNode } from "./connected-node.ts";
import { LeaseWatch } from "./lease-watch.ts";
import { ReplicaPair } from "./replica-pair.ts";
import { RolloutCalls } from "./rollout-calls.ts";
import { regionNames } from "./simulated-fleet.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import { certain, policyOf } from "./simulated-policy.ts";
import { addresses, appResources } from "./simulated-world.ts";

const nodeCount = 12;

/** Two canaries, the rest. Sessions that move between replicas are not what is judged here. */
function twoWaves(bakeTime: string): object {
  const canary = { title: "canary", labels: { rack: "0" }, bakeTime };
  const gates = { applyDeadline: "60s", lostMax: 100, connectFailures: certain };
  return policyOf([canary, { title: "the rest", bakeTime }], { gates });
}

/** Clients of each node, and how often they come. */
const clientsAtOnce = 20;
const clientsEveryMs = 100;

/** A place in the course of a rollout, at which the replica that leads is killed, or the other one. */
interface Moment {
  readonly what: string;
  readonly otherDies?: true;
  /** Whether it is there, or beyond. */
  readonly reached: (rollout: Rollout) => boolean;
}

const ended: Moment = { what: "ended", reached: ({ state }) => state !== RolloutState.ROLLOUT_STATE_RUNNING };

function released(wave: number): Moment {
  const reached = ({ decisions }: Rollout): boolean => (decisions.at(-1)?.releasedWaves ?? 0) >= wave;
  return { what: `wave ${wave} released`, reached: (rollout) => reached(rollout) || ended.reached(rollout) };
}

function bakes(wave: number): Moment {
  const isOver = (rollout: Rollout): boolean => ended.reached(rollout) || released(wave + 1).reached(rollout);
  const isBaking = ({ waves }: Rollout): boolean => waves[wave - 1]?.phase === WavePhase.WAVE_PHASE_BAKING;
  return { what: `wave ${wave} bakes`, reached: (rollout) => isBaking(rollout) || isOver(rollout) };
}

interface Course {
  readonly what: string;
  readonly address: string;
  readonly bakeTime: string;
  readonly steps: readonly string[];
  readonly state: RolloutState;
  readonly revision: number;
}

/** The bake takes about what the lease takes to change hands, and so no longer than that. */
const good: Course = {
  what: "a good rollout",
  address: addresses.better,
  bakeTime: "6s",
  steps: ["started", "wave_released", "wave_released", "completed"],
  state: RolloutState.ROLLOUT_STATE_COMPLETED,
  revision: 3,
};

/** It does not come to the end of its bake. */
const bad: Course = {
  what: "a bad rollout",
  address: addresses.flaky,
  bakeTime: "600s",
  steps: ["started", "wave_released", "rolled_back"],
  state: RolloutState.ROLLOUT_STATE_ROLLED_BACK,
  revision: 2,
};

function otherAt(moment: Moment): Moment {
  return { what: `${moment.what}: the one that does not`, reached: moment.reached, otherDies: true };
}

interface Killing {
  readonly course: Course;
  /** One dies when the start is committed: the one that leads, before it takes another step. */
  readonly atStart?: true;
  /** Replicas die while there are no clients, by whom a bad change would be found out and end the moment. */
  readonly quiet?: readonly Moment[];
  /** And while they come. */
  readonly moments?: readonly Moment[];
}

/** The moments of a course are shared out among fleets that run at once: each death of a leader is a wait for its lease (6 s). */
const killings: readonly Killing[] = [
  { course: good, atStart: true, moments: [bakes(1), bakes(2)] },
  { course: good, moments: [released(1), released(2), ended] },
  { course: bad, atStart: true, quiet: [bakes(1)] },
  { course: bad, quiet: [released(1), otherAt(bakes(1))], moments: [ended] },
];

function titleOf({ course, atStart, quiet = [], moments = [] }: Killing): string {
  const places = [...(atStart === true ? ["started"] : []), ...[...quiet, ...moments].map(({ what }) => what)];
  return `kill -9 of the replica that leads in ${course.what} (${places.join(", ")})`;
}

/** Simulated nodes at revision 2 of a log whose commits wait for a rollout. They end with the test. */
async function servedBy(
  pair: ReplicaPair,
  bakeTime: string,
  onEnd: TestContext["onTestFinished"],
): Promise<readonly SimulatedNode[]> {
  const random = seededRandom(runSeed());
  const controls = pair.replicas.map(({ address }) => address);
  const nodes = Array.from({ length: nodeCount }, (_none, index) => {
    const region = regionNames[index % regionNames.length] as string;
    const identity = { id: `${region}-${index}`, region, labels: { rack: String(index % 10) } };
    return connectedNode({ identity, natsUrl: pair.nats.url, controls, random });
  });
  await pair.apply(appResources(addresses.good));
  await pair.apply([twoWaves(bakeTime)]);
  for (const node of nodes) node.start();
  onEnd(async () => {
    await Promise.all(nodes.map((node) => node.close()));
  });
  await allAt(nodes, 2);
  return nodes;
}

/** Resolves when all serve a revision, with one digest. */
async function allAt(nodes: readonly SimulatedNode[], revision: number): Promise<void> {
  const standing = ({ life }: SimulatedNode): string => {
    const { position, digest } = life?.follower.status ?? {};
    return `${position?.revision} ${Buffer.from(digest ?? []).toString("hex")}`;
  };
  await until(`every node at revision ${revision}`, async () => {
    const standings = new Set(nodes.map(standing));
    return standings.size === 1 && [...standings].every((each) => each.startsWith(`${revision} `));
  });
}

/** Two replicas of which one at a time is killed, and started again. */
class Killer {
  readonly #pair: ReplicaPair;
  readonly #calls: RolloutCalls;
  readonly #lease: LeaseWatch;
  #back: Promise<void> = Promise.resolve();

  constructor(pair: ReplicaPair, calls: RolloutCalls, lease: LeaseWatch) {
    this.#pair = pair;
    this.#calls = calls;
    this.#lease = lease;
  }

  /** Starts a rollout by the replica that does not lead. A leader that is killed for it is frozen before, and takes no step. */
  async start(kills: boolean): Promise<void> {
    const leader = await this.#leader();
    if (kills) leader.process.freeze();
    await this.#pair.commit(["rollout", "start"], "", this.#pair.other(leader));
    if (kills) await this.#kill(leader);
  }

  /** Kills at each of the moments, as they come. */
  async killAt(moments: readonly Moment[]): Promise<void> {
    for (const { what, reached, otherDies } of moments) {
      await until(what, async () => (await this.#calls.all()).some(({ rollout }) => reached(rollout)));
      await this.#back;
      const leader = await this.#leader();
      await this.#kill(otherDies === true ? this.#pair.other(leader) : leader);
    }
  }

  /** Resolves when both replicas run. */
  back(): Promise<void> {
    return this.#back;
  }

  async #kill(victim: RealReplica): Promise<void> {
    await victim.process.kill();
    this.#lease.bury(victim.process.id);
    this.#back = victim.process.start();
  }

  async #leader(): Promise<RealReplica> {
    return this.#pair.replica(await this.#lease.leader());
  }
}

for (const killing of killings)
  test.concurrent(`${titleOf(killing)} changes nothing of its outcome, and nothing is released twice`, {
    timeout: 240_000,
  }, async ({ expect, onTestFinished }) => {
    const { course, atStart = false, quiet = [], moments = [] } = killing;
    const pair = await ReplicaPair.start();
    onTestFinished(() => pair.stop());
    const calls = new RolloutCalls(pair.replicas);
    onTestFinished(() => calls.close());
    const lease = await LeaseWatch.open(pair.nats.url);
    onTestFinished(() => lease.close());
    const nodes = await servedBy(pair, course.bakeTime, onTestFinished);
    await pair.apply(appResources(course.address));
    const killer = new Killer(pair, calls, lease);
    await killer.start(atStart);
    await killer.killAt(quiet);
    const clients = setInterval(() => nodes.forEach((node) => node.connect(clientsAtOnce)), clientsEveryMs);
    onTestFinished(() => clearInterval(clients));
    await killer.killAt(moments);
    await killer.back();
    await allAt(nodes, course.revision);
    for (const replica of pair.replicas) {
      await until(`${replica.process.id} at the end`, async () => (await calls.get(replica))?.state === course.state);
      expect((await calls.get(replica))?.decisions.map(({ step }) => step)).toEqual(course.steps);
    }
  });
