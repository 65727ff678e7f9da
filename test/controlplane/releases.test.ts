import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RolloutStepWish } from "../../controlplane/decide/command.ts";
import { effectiveRevision } from "../../model/releases.ts";
import { refusalText } from "./refusal-of.ts";
import { RolloutSteps, stepBy } from "./rollout-steps.ts";
import { RunningControlPlane, wire } from "./running-control-plane.ts";

let running: RunningControlPlane;
let steps: RolloutSteps;
const canary = { title: "canary", labels: { canary: "true" } };
const defaultPolicy = { name: "rolloutPolicies/default", staged: { waves: [canary, { percent: 50 }] } };
const setWeight = (weight: number) =>
  running.config.apply({
    resources: [
      wire({ farm: { name: "farms/web" } }),
      wire({ server: { name: "farms/web/servers/a", address: "10.0.0.1:443", weight } }),
    ],
  });
beforeEach(async () => {
  running = await RunningControlPlane.start();
  await running.config.createRolloutPolicy({ rolloutPolicy: defaultPolicy });
  await setWeight(1);
  steps = await RolloutSteps.on(running.log);
});
afterEach(() => running.close());

const start: RolloutStepWish = { step: "start", target: null, policy: null };
const node = (id: string, labels: Record<string, string> = {}) => ({ id, region: "eu", labels });
/** What the canary and another node run. */
async function running2(): Promise<readonly [canary: number, other: number]> {
  await steps.live.catchUp();
  const { releases } = steps.live.configuration;
  return [effectiveRevision(node("a", canary.labels), releases), effectiveRevision(node("b"), releases)];
}
const sentences = async (): Promise<readonly string[]> =>
  (await running.config.listCommits({})).commits.flatMap(({ releases }) => releases);

describe("a step of a rollout", () => {
  test("is a commit without a plan, whose events come back, to a retry too", async () => {
    const first = await steps.ask(start, stepBy("one"));
    expect(first).toMatchObject({
      revision: 3,
      lines: [],
      releases: [
        { type: "rollout_started", start: { targetRevision: 2 } },
        { type: "wave_released", wave: 0 },
      ],
    });
    expect(await steps.ask(start, stepBy("one"))).toEqual(first);
    expect(
      await steps.ask({ step: "abort", rollout: null }, { ...stepBy("one"), requestBytes: new Uint8Array(1) }),
    ).toEqual({ refused: "REQUEST_ID_REUSED", revision: 3 });
    expect((await running.log.head()).revision).toBe(3);
  });

  test("that is only validated says what it would do, and does nothing", async () => {
    expect(await steps.ask(start, stepBy("one", true))).toMatchObject({ revision: 2, releases: [{}, {}] });
    expect((await running.log.head()).revision).toBe(2);
    expect(await steps.ask({ step: "resume", rollout: null }, stepBy("two", true))).toMatchObject({
      refused: "ROLLOUT_STATE",
    });
  });

  test("that two replicas take at once is taken once", async () => {
    const other = await RolloutSteps.on(running.log);
    const rollout = `rollouts/r${await steps.take(start)}` as const;
    for (const step of [
      { step: "release_wave", rollout, wave: 1, judgement: null },
      { step: "release_wave", rollout, wave: 2, judgement: null },
      { step: "complete", rollout, judgement: null },
    ] as const) {
      const by = `${rollout}/${step.step}/${"wave" in step ? step.wave : ""}`;
      const answers = await Promise.all([steps.ask(step, stepBy(`${by}/1`)), other.ask(step, stepBy(`${by}/2`))]);
      expect(answers.map((answer) => ("refused" in answer ? answer.refused : "taken")).sort()).toEqual([
        "ROLLOUT_STATE",
        "taken",
      ]);
    }
    expect(await running2()).toEqual([2, 2]);
    expect((await running.log.head()).revision).toBe(6);
  });

  test("and commits that come meanwhile wait, for the next rollout", async () => {
    expect(await running2()).toEqual([1, 1]);
    const rollout = `rollouts/r${await steps.take(start)}` as const;
    expect(await running2()).toEqual([2, 1]);
    expect((await setWeight(7)).revision).toBe(4n);
    expect(await running2()).toEqual([2, 1]);
    await steps.take({ step: "promote", rollout, full: true, judgement: null });
    expect(await running2()).toEqual([2, 2]);
    expect(await running.config.getServer({ name: "farms/web/servers/a" })).toMatchObject({ server: { weight: 7 } });
    await steps.take(start);
    expect(await running2()).toEqual([4, 2]);
  });
});

describe("the history", () => {
  test("has a sentence for each thing that a commit did to a rollout", async () => {
    await steps.take(start);
    await steps.take({ step: "abort", rollout: null });
    await steps.take({ step: "emergency", target: null });
    const { commits } = await running.config.listCommits({});
    expect(
      commits.map(({ revision, author, eventCount, releases }) => [revision, author, eventCount, releases]),
    ).toEqual([
      [
        5n,
        "an operator",
        3,
        [
          "rollouts/emergency-5 released revision 2 to all nodes at once, as an EMERGENCY",
          "rollouts/emergency-5 released wave 1",
          "rollouts/emergency-5 was completed: every node is released",
        ],
      ],
      [4n, "an operator", 1, ["rollouts/r3 was aborted: released nodes keep its revision"]],
      [
        3n,
        "an operator",
        2,
        [
          "rollouts/r3 started to release revision 2 by rolloutPolicies/default, in 3 waves: canary, wave 2, the rest",
          "rollouts/r3 released wave 1",
        ],
      ],
      [2n, "anonymous", 2, []],
      [1n, "anonymous", 1, []],
    ]);
  });
});

describe("rollout policies", () => {
  test("have the standard methods", async () => {
    const { config } = running;
    const night = { name: "rolloutPolicies/night", staged: { waves: [{ percent: 5 }] } };
    const created = await config.createRolloutPolicy({ rolloutPolicy: night });
    expect(created).toMatchObject({ rolloutPolicy: { name: night.name, staged: { waves: [{ percent: 5 }] } } });
    expect((await config.listRolloutPolicies({})).rolloutPolicies.map(({ name }) => name)).toEqual([
      "rolloutPolicies/default",
      "rolloutPolicies/night",
    ]);
    const { etag } = created.rolloutPolicy ?? { etag: "" };
    const updated = await config.updateRolloutPolicy({
      rolloutPolicy: { name: night.name, etag },
      updateMask: ["staged"],
    });
    expect(updated.rolloutPolicy?.staged).toBeUndefined();
    expect(await config.getRolloutPolicy({ name: night.name })).toEqual({ rolloutPolicy: updated.rolloutPolicy });
    await config.deleteRolloutPolicy({ name: night.name });
    expect(await refusalText(config.getRolloutPolicy({ name: night.name }))).toContain("NOT_FOUND");
  });

  test("are refused with the path that the request has them at", async () => {
    const { config } = running;
    expect(await refusalText(config.createRolloutPolicy({ rolloutPolicy: { name: "nope" } }))).toContain(
      "rollout_policy.name: MALFORMED",
    );
    expect(await refusalText(config.updateRolloutPolicy({}))).toContain("rollout_policy: REQUIRED");
    const twice = [wire({ rolloutPolicy: { name: "rolloutPolicies/a" } })];
    expect(await refusalText(config.apply({ resources: [...twice, ...twice] }))).toContain(
      "resources[1].rollout_policy.name: DUPLICATE",
    );
  });

  test("the default one may go: commits are released at once again, and what waits with them", async () => {
    expect(await running2()).toEqual([1, 1]);
    await running.config.deleteRolloutPolicy({ name: "rolloutPolicies/default" });
    expect(await running2()).toEqual([3, 3]);
    await setWeight(3);
    expect(await running2()).toEqual([4, 4]);
  });

  test("come back with a revert, which waits as any commit does", async () => {
    await running.config.deleteRolloutPolicy({ name: "rolloutPolicies/default" });
    expect((await running.config.revert({ revision: 2n })).revision).toBe(4n);
    expect(
      (await running.config.getRolloutPolicy({ name: "rolloutPolicies/default" })).rolloutPolicy?.staged,
    ).toBeDefined();
    // The commit that makes it staged is itself released at once: there was nothing yet that it could have waited for.
    expect(await running2()).toEqual([4, 4]);
    await running.config.revert({ revision: 1n });
    expect(await running2()).toEqual([4, 4]);
    await steps.take(start);
    expect(await running2()).toEqual([5, 4]);
  });
});

test("an explanation says that not every node has what it explains", async () => {
  await running.config.createListener({ listener: { name: "listeners/edge", addresses: ["127.0.0.1:443"] } });
  const lastStep = async () => (await running.fleet.explain({ serverName: "shop.test" })).steps.at(-1);
  expect(await lastStep()).toBe("This is revision 3, which is not released to all nodes: some run 1.");
  await steps.take({ step: "emergency", target: null });
  expect(await lastStep()).toBe("The connection is refused with the TLS alert unrecognized_name.");
});

test("the control plane knows the digest of what nodes run, whatever it has forgotten since", async () => {
  const digest = (await steps.live.digestOf(1)).slice();
  await steps.take(start);
  const { live } = await RolloutSteps.on(running.log);
  expect(live.digestAt(1)).toEqual(digest);
  expect(live.oldestInUse).toBe(1);
  expect((await live.configurationInUse()).position.revision).toBe(1);
  expect(await sentences()).toHaveLength(2);
});
