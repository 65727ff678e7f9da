import { afterEach, beforeEach, expect, test } from "vitest";
import { snapshotEveryCommits } from "../../controlplane/state/snapshot-writer.ts";
import { effectiveRevision } from "../../model/releases.ts";
import { decodeSnapshot, restoreSnapshot } from "../../model/wire/snapshot.ts";
import { written } from "../support/arbitrary-resource.ts";
import { fillLog } from "./fill-log.ts";
import { RolloutSteps } from "./rollout-steps.ts";
import { RunningControlPlane } from "./running-control-plane.ts";

let running: RunningControlPlane;
beforeEach(async () => {
  running = await RunningControlPlane.start();
});
afterEach(() => running.close());

const farms = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => written({ farm: { name: `farms/f${from + index}` } }));
const staged = {
  rolloutPolicy: { name: "rolloutPolicies/default", staged: { waves: [{ labels: { canary: "true" } }] } },
};
const node = (id: string, labels: Record<string, string> = {}) => ({ id, region: "", labels });
const newest = async () => running.log.snapshotAtOrBefore(1_000_000);
const newestIsAt = (revision: number) =>
  expect.poll(async () => (await newest())?.position.revision, { timeout: 20_000 }).toBe(revision);

/** Whoever begins with the newest snapshot reaches what each node serves by going forward. */
async function expectReachable(steps: RolloutSteps): Promise<void> {
  await steps.live.catchUp();
  const at = (await newest())?.position.revision ?? 0;
  const { releases } = steps.live.configuration;
  for (const each of [node("a", { canary: "true" }), node("b")])
    expect(effectiveRevision(each, releases)).toBeGreaterThanOrEqual(at);
}

test("what waits for a rollout is in no snapshot; once it is released to all, it is", async () => {
  await running.config.createRolloutPolicy(staged);
  await fillLog(running.log, farms(0, snapshotEveryCommits + 500));
  const steps = await RolloutSteps.on(running.log);
  await steps.live.catchUp();
  await steps.live.settled();
  expect(await newest()).toBeUndefined();
  const { revision: head } = steps.live.position;
  await steps.start(head);
  await steps.take({ step: "promote", rollout: null, full: true, judgement: null });
  await steps.live.settled();
  // It may still be rolled back.
  expect(await newest()).toBeUndefined();
  await fillLog(running.log, farms(head, 1));
  await steps.live.catchUp();
  await steps.start(head + 3);
  await newestIsAt(head);
  await expectReachable(steps);
  const restored = decodeSnapshot((await newest())?.body ?? new Uint8Array(0));
  expect(restored.releases.base).toBe(1);
  expect(restored.releases.latest).toBe(head);
});

test("a rollout of an older revision takes the snapshot back, and commits after it forward again", async () => {
  await fillLog(running.log, farms(0, snapshotEveryCommits));
  const steps = await RolloutSteps.on(running.log);
  await steps.live.catchUp();
  await fillLog(running.log, farms(snapshotEveryCommits, snapshotEveryCommits));
  await steps.live.catchUp();
  await newestIsAt(2 * snapshotEveryCommits);
  await steps.start(7);
  await newestIsAt(7);
  await expectReachable(steps);
  await steps.live.settled();
  // Each replica that opens the log sees what is in use, and leaves it at that.
  const { live } = await RolloutSteps.on(running.log);
  await live.catchUp();
  await live.settled();
  expect((await newest())?.position.revision).toBe(7);
  expect(live.digestAt(7)).toEqual(await steps.live.digestOf(7));
  await running.config.createFarm({ farm: { name: "farms/last" } });
  await newestIsAt(2 * snapshotEveryCommits + 2);
});

test("a follower is sent a snapshot of what some node runs, and what waits in commits", async () => {
  await fillLog(running.log, farms(0, 1500));
  await running.config.createRolloutPolicy(staged);
  await fillLog(running.log, farms(1500, 20));
  const stream = running.watch({ snapshotAllowed: true });
  await stream.until("a beacon", (messages) => messages.some(({ part }) => part?.$case === "beacon"));
  const parts = stream.messages.map(({ part }) => part);
  const [first] = parts;
  if (first?.$case !== "snapshot") throw new Error(`a ${first?.$case} came first`);
  const resources = parts.flatMap((part) => (part?.$case === "resources" ? part.value.resources : []));
  const configuration = restoreSnapshot(first.value, resources);
  expect(configuration.position.revision).toBe(1501);
  expect(configuration.farms.size).toBe(1500);
  expect(parts.filter((part) => part?.$case === "commit")).toHaveLength(20);
});
