import { isConfigEvent } from "../../model/event.ts";
import { openCommit } from "../../model/wire/commit.ts";
import { waveToWire } from "../../model/wire/rollout-policy-to-wire.ts";
import type { PlanRolloutRequest, PlanRolloutResponse } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import type { RolloutStepWish } from "../decide/command.ts";
import { decide } from "../decide/decide.ts";
import { stagedForStart } from "../decide/start-rollout.ts";
import type { FleetView } from "../fleet/fleet-view.ts";
import { observeFleet } from "../fleet/observe-fleet.ts";
import { type EventLog, LogCorrupt } from "../log/event-log.ts";
import { planRollout } from "../rollout/plan/plan-rollout.ts";
import type { RolloutPlan } from "../rollout/plan/rollout-plan.ts";
import type { LiveConfiguration } from "../state/live-configuration.ts";
import { configurationAt } from "../state/log-follower.ts";
import { Refused } from "./refused.ts";
import { planToWire } from "./resource-methods.ts";
import { rolloutPolicyNameOf } from "./rollout-scene.ts";

/** Commits that a plan names: the newest. */
const revisionsMax = 1000;

/** Commits read at once: whole ones, however large. */
const readBatch = 16;

export interface PlanParts {
  readonly log: EventLog;
  readonly live: LiveConfiguration;
  readonly view: FleetView;
}

/** What a rollout would do. Folds up to two configurations anew: the caller sees to it that few do so at once. */
export async function planMessage(parts: PlanParts, request: PlanRolloutRequest): Promise<PlanRolloutResponse> {
  const { log, live, view } = parts;
  await live.catchUp();
  const policy = rolloutPolicyNameOf(request.policy);
  const wanted = targetRevisionOf(live, request.targetRevision);
  const { base: baseRevision } = live.configuration.releases;
  const targetRevision = wanted ?? live.configuration.releases.latest;
  const base = await configurationAt(log, baseRevision);
  const target = await configurationAt(log, targetRevision);
  const revisions = await releasedBy(log, baseRevision, targetRevision);
  // From here on in one turn, so that nothing of it is of another moment.
  const staged = stagedForStart(live.configuration, policy);
  if ("refused" in staged) throw Refused.by(staged.refused, staged.violations);
  const step: RolloutStepWish = {
    step: "start",
    target: wanted === null ? null : { revision: wanted, digest: target.digest },
    policy,
  };
  const decision = decide(live, { type: "rollout", step });
  const plan = planRollout({
    base,
    target,
    waves: staged.waves,
    nodes: observeFleet(view),
    connections: liveConnections(view),
    hellos: view.recentHellos(),
    refusal: "refused" in decision ? decision : null,
  });
  return {
    ...planToResponse(plan),
    targetRevision: BigInt(targetRevision),
    baseRevision: BigInt(baseRevision),
    revisions,
  };
}

/** Null for the newest that changed the configuration; otherwise one that the log has. Throws {@link Refused}. */
export function targetRevisionOf({ position }: Pick<LiveConfiguration, "position">, wanted: bigint): number | null {
  if (wanted === 0n) return null;
  if (wanted <= BigInt(position.revision)) return Number(wanted);
  const description = `the log has no revision ${wanted}; its last is ${position.revision}`;
  throw Refused.by("NOT_FOUND", [{ field: "target_revision", reason: "unknown_reference", description }]);
}

/** Commits of the configuration after the base, up to the target. */
async function releasedBy(log: EventLog, base: number, target: number): Promise<bigint[]> {
  const revisions: bigint[] = [];
  for (let after = Math.max(base, target - revisionsMax); after < target; after += readBatch)
    for (const sealed of await log.read(after, Math.min(readBatch, target - after))) {
      const opened = openCommit(sealed);
      if ("fault" in opened) throw new LogCorrupt(`a commit after ${after} can't be read: ${opened.detail}`);
      const { revision, events } = opened.commit;
      if (events.some(isConfigEvent)) revisions.push(BigInt(revision));
    }
  return revisions;
}

/** Live connections of all connected nodes by server. */
function liveConnections(view: FleetView): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { connected, report } of view.shown()) {
    if (!connected || report === undefined) continue;
    for (const { server, connections } of report.serverConnections)
      counts.set(server, (counts.get(server) ?? 0) + Number(connections));
  }
  return counts;
}

type Planned = Omit<PlanRolloutResponse, "targetRevision" | "baseRevision" | "revisions">;

function planToResponse(plan: RolloutPlan): Planned {
  return {
    plan: planToWire(plan.changes, plan.unchangedCount),
    waves: plan.waves.map((wave) => ({ ...wave, wave: waveToWire(wave.wave), nodes: [...wave.nodes] })),
    touched: plan.touched.map((each) => ({ ...each, connections: BigInt(each.connections) })),
    hellos: plan.hellos.map(({ hello, before, after }) => ({
      listener: hello.listener,
      serverName: hello.serverName ?? "",
      alpnProtocols: [...hello.alpnProtocols],
      count: BigInt(hello.count),
      before,
      after,
    })),
    hellosChanged: BigInt(plan.hellosChanged),
    hellosSampled: BigInt(plan.hellosSampled),
    obstacle: plan.obstacle,
  };
}
