import { expect, test } from "vitest";
import { outline } from "./simulated-fleet.ts";
import { policyOf, rackFirst } from "./simulated-policy.ts";
import { addresses, appResources } from "./simulated-world.ts";
import { expectAllAt, servedBy, stagedFleet, startRollout } from "./staged-fleet.ts";

const small = { nodes: 15, clientsPerStep: 200 };

test("a commit that is made while a rollout is under way waits for the next one", async () => {
  const fleet = await stagedFleet(small, rackFirst);
  const { target } = await startRollout(fleet, addresses.better);
  const next = await fleet.replica.apply(appResources(addresses.best));
  const refused = await fleet.replica.answer({
    type: "rollout",
    step: { step: "start", target: null, policy: null },
  });
  expect(refused).toMatchObject({ refused: "ROLLOUT_UNDER_WAY" });
  await fleet.ended();
  expectAllAt(fleet, target);
  expect(servedBy(fleet, next)).toEqual([]);

  await fleet.replica.rollout({ step: "start", target: null, policy: null });
  expect(fleet.newest.start.targetRevision).toBe(next);
  await fleet.settled();
  await fleet.ended();
  expect(fleet.newest.state).toBe("completed");
  expectAllAt(fleet, next);
});

test("an emergency goes past a rollout that is under way, to all nodes at once, and the history says so", async () => {
  const fleet = await stagedFleet(small, rackFirst);
  await startRollout(fleet, addresses.flaky);
  const repair = await fleet.replica.apply(appResources(addresses.best));
  await fleet.replica.rollout({ step: "emergency", target: null }, "the key has leaked");
  await fleet.settled();
  expectAllAt(fleet, repair);

  const [overtaken, emergency] = fleet.live.configuration.releases.rollouts.slice(-2);
  expect(overtaken && outline(overtaken)).toBe("started, wave_released 1, aborted");
  expect(emergency?.name).toMatch(/^rollouts\/emergency-\d+$/);
  expect(emergency?.start).toMatchObject({ emergency: true, targetRevision: repair });
  expect(emergency?.decisions.map(({ reason }) => reason)).toEqual(
    Array.from(emergency?.decisions ?? [], () => "the key has leaked"),
  );
  await fleet.step();
  expect(fleet.newest.name).toBe(emergency?.name);
});

test("a policy that says so starts a rollout of what waits by itself, once no other is under way", async () => {
  const waves = [
    { title: "canary", labels: { rack: "0" }, bakeTime: "60s" },
    { title: "everywhere", bakeTime: "30s" },
  ];
  const fleet = await stagedFleet(small, policyOf(waves, { startAutomatically: true }));
  const first = await fleet.replica.apply(appResources(addresses.better));
  await fleet.step();
  expect(fleet.newest.start.targetRevision).toBe(first);
  const second = await fleet.replica.apply(appResources(addresses.best));
  await fleet.until("both", () => fleet.newest.start.targetRevision === second && fleet.newest.state === "completed");
  expectAllAt(fleet, second);
  expect(fleet.live.configuration.releases.rollouts.map(({ start }) => start.targetRevision)).toEqual([first, second]);
});
