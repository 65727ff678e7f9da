import { test, type TestContext } from "vitest";
import { RolloutState } from "../../proto/gen/switchyard/config/v1/releases.ts";
import { type Rollout, WavePhase } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import { type RealReplica, until } from "../fleet/real-fleet.ts";
import { runSeed, seededRandom } from "../support/seeded-random.ts";
import { connectedNode } from "./connected-node.ts";
import { ReplicaPair } from "./replica-pair.ts";
import { RolloutCalls } from "./rollout-calls.ts";
import { regionNames } from "./simulated-fleet.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import { policyOf } from "./simulated-policy.ts";
import { addresses, appResources } from "./simulated-world.ts";

const nodeCount = 30;

/** Three canaries, the rest. */
function twoWaves(bakeTime: string): object {
  const canary = { title: "canary", labels: { rack: "0" }, bakeTime };
  const gates = { applyDeadline: "30s", connectFailures: { sampleMin: 200 } };
  return policyOf([canary, { title: "the rest", bakeTime: "1s" }], { gates });
}

/** Clients of each node, and how often they come. */
const clientsAtOnce = 20;
const clientsEveryMs = 50;

/** A place in the course of a rollout: whether it is there, or beyond. */
interface Moment {
  readonly what: string;
  readonly reached: (rollout: Rollout) => boolean;
}

const started: Moment = { what: "the start", reached: ({ decisions }) => decisions.length > 0 };

const ended: Moment = { what: "the end", reached: ({ state }) => state !== RolloutState.ROLLOUT_STATE_RUNNING };

function released(wave: number): Moment {
  const reached = ({ decisions }: Rollout): boolean => (decisions.at(-1)?.releasedWaves ?? 0) > wave;
  return { what: `the release of wave ${wave + 1}`, reached };
}

function bakes(wave: number): Moment {
  const isOver = (rollout: Rollout): boolean => ended.reached(rollout) || released(wave + 1).reached(rollout);
  const isBaking = ({ waves }: Rollout): boolean => waves[wave]?.phase === WavePhase.WAVE_PHASE_BAKING;
  return { what: `the bake of wave ${wave + 1}`, reached: (rollout) => isBaking(rollout) || isOver(rollout) };
}

const courses = [
  {
    what: "a good rollout",
    address: addresses.better,
    bakeTime: "3s",
    moments: [started, bakes(0), released(1), ended],
    steps: ["started", "wave_released", "wave_released", "completed"],
    state: RolloutState.ROLLOUT_STATE_COMPLETED,
    revision: 3,
  },
  {
    what: "a bad rollout",
    address: addresses.flaky,
    bakeTime: "3s",
    moments: [started, bakes(0), ended],
    steps: ["started", "wave_released", "rolled_back"],
    state: RolloutState.ROLLOUT_STATE_ROLLED_BACK,
    revision: 2,
  },
] as const;

/** Simulated nodes with clients, at revision 2 of a log whose commits wait for a rollout. They end with the test. */
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
  const clients = setInterval(() => nodes.forEach((node) => node.connect(clientsAtOnce)), clientsEveryMs);
  onEnd(() => clearInterval(clients));
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

/** The replica that leads the rollout, which alone knows how much time is left; any where it has ended. */
async function leading(calls: RolloutCalls): Promise<RealReplica> {
  let leader: RealReplica | undefined;
  await until("a replica that leads", async () => {
    const all = await calls.all();
    const leads = ({ waves }: Rollout): boolean => waves.some(({ remaining }) => remaining !== undefined);
    leader = all.find(({ rollout }) => leads(rollout) || ended.reached(rollout))?.replica;
    return leader !== undefined;
  });
  return leader as RealReplica;
}

test.concurrent.for(courses)(
  "kill -9 of the leading replica at every step of $what changes nothing of its outcome, and nothing is released twice",
  { timeout: 120_000 },
  async ({ address, bakeTime, moments, steps, state, revision }, { expect, onTestFinished }) => {
    const pair = await ReplicaPair.start();
    onTestFinished(() => pair.stop());
    const calls = new RolloutCalls(pair.replicas);
    onTestFinished(() => calls.close());
    const nodes = await servedBy(pair, bakeTime, onTestFinished);
    await pair.apply(appResources(address));
    await pair.run(["rollout", "start"]);
    let back: Promise<void> = Promise.resolve();
    for (const { what, reached } of moments) {
      await until(what, async () => (await calls.all()).some(({ rollout }) => reached(rollout)));
      const victim = await leading(calls);
      await back;
      await victim.process.kill();
      back = victim.process.start();
    }
    await back;
    await allAt(nodes, revision);
    for (const replica of pair.replicas) {
      await until(`${replica.process.id} at the end`, async () => (await calls.get(replica))?.state === state);
      expect((await calls.get(replica))?.decisions.map(({ step }) => step)).toEqual(steps);
    }
  },
);
