import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type RolloutState, rolloutStateToJSON } from "../../proto/gen/switchyard/config/v1/releases.ts";
import { type WavePhase, wavePhaseToJSON } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import { NodeSession } from "./node-session.ts";
import { refusalText } from "./refusal-of.ts";
import { RolloutClient } from "./rollout-client.ts";
import { RunningControlPlane, timeMs, wire } from "./running-control-plane.ts";

let running: RunningControlPlane;
let rollouts: RolloutClient;
const sessions: NodeSession[] = [];
/** Nothing ends by itself within a test. */
const long = { seconds: 3600n };
const policy = {
  name: "rolloutPolicies/default",
  staged: {
    waves: [
      { title: "canary", labels: { canary: "true" }, bakeTime: long },
      { percent: 50, bakeTime: long },
    ],
    gates: { applyDeadline: long, lostMax: 100 },
  },
};
const setWeight = (weight: number) =>
  running.config.apply({
    resources: [
      wire({ farm: { name: "farms/web" } }),
      wire({ server: { name: "farms/web/servers/a", address: "10.0.0.1:443", weight } }),
    ],
  });
const by = (requestId: string, more: object = {}) => ({ requestId, author: "ops", reason: "it is time", ...more });

/** The policy is revision 1, and 2 waits for a rollout. */
beforeEach(async () => {
  running = await RunningControlPlane.start();
  rollouts = new RolloutClient(running.address);
  await running.config.createRolloutPolicy({ rolloutPolicy: policy });
  await setWeight(1);
});
afterEach(async () => {
  for (const session of sessions.splice(0)) session.cancel();
  rollouts.close();
  await running.close();
});

/** A node whose session has begun; it reports what the test says. */
async function node(id: string, region: string, labels: Record<string, string> = {}): Promise<NodeSession> {
  const session = await new NodeSession(running.address).hello(id, { region, labels, bootId: `${id}-1` }).welcomed();
  sessions.push(session);
  return session;
}
const phases = (rollout: { waves: readonly { phase: WavePhase }[] } | undefined): readonly string[] =>
  (rollout?.waves ?? []).map(({ phase }) => wavePhaseToJSON(phase).slice("WAVE_PHASE_".length).toLowerCase());
const stateOf = (rollout: { state: RolloutState } | undefined): string =>
  rolloutStateToJSON(rollout?.state ?? 0)
    .slice("ROLLOUT_STATE_".length)
    .toLowerCase();
const head = async (): Promise<number> => (await running.log.head()).revision;

describe("a rollout", () => {
  test("is started, and its answer says who, when, why, and what comes next", async () => {
    const { rollout, revision } = await rollouts.start({ write: by("one") });
    expect(revision).toBe(3n);
    expect(rollout).toMatchObject({
      name: "rollouts/r3",
      targetRevision: 2n,
      policy: "rolloutPolicies/default",
      emergency: false,
    });
    expect(rollout?.waves.map(({ title }) => title)).toEqual(["canary", "wave 2", "the rest"]);
    expect(phases(rollout)).toEqual(["applying", "pending", "pending"]);
    expect(rollout?.waves[0]?.releaseTime).toEqual({ seconds: BigInt(timeMs / 1000), nanos: 0 });
    expect(rollout?.decisions.map(({ step, author, reason }) => [step, author, reason])).toEqual([
      ["started", "ops", "it is time"],
      ["wave_released", "ops", "it is time"],
    ]);
    expect(rollout?.outlook).toMatch(/^wave 1 of 3 .*wave 2 is released$/);
  });

  test("is paused, resumed, promoted, completed and rolled back, each as a commit", async () => {
    await rollouts.start();
    const paused = await rollouts.pause({ write: by("pause", { reason: "lunch" }) });
    expect([stateOf(paused.rollout), paused.rollout?.outlook]).toEqual([
      "paused",
      "paused by ops: lunch; resume, promote or roll back",
    ]);
    expect(stateOf((await rollouts.resume()).rollout)).toBe("running");
    const promoted = await rollouts.promote({ name: "rollouts/r3" });
    expect(phases(promoted.rollout)).toEqual(["done", "applying", "pending"]);
    const completed = await rollouts.promote({ full: true });
    expect([stateOf(completed.rollout), phases(completed.rollout)]).toEqual(["completed", ["done", "done", "done"]]);
    expect(completed.rollout?.decisions.slice(-2).map(({ step, promoted: by }) => [step, by])).toEqual([
      ["wave_released", true],
      ["completed", true],
    ]);
    const back = await rollouts.rollBack({ write: by("back") });
    expect([stateOf(back.rollout), phases(back.rollout)]).toEqual(["rolled_back", Array(3).fill("cancelled")]);
    expect(back.revision).toBe(8n);
    expect(await head()).toBe(8);
  });

  test("is aborted where it stands, and the next one may start", async () => {
    await rollouts.start();
    const { rollout } = await rollouts.abort({ write: by("abort") });
    expect([stateOf(rollout), phases(rollout)]).toEqual(["aborted", ["done", "cancelled", "cancelled"]]);
    expect(rollout?.outlook).toBe("aborted by ops: it is time; released nodes keep revision 2");
    expect((await rollouts.start()).rollout?.name).toBe("rollouts/r5");
  });

  test("of an older revision, by another policy, has the digest of that revision", async () => {
    await setWeight(2);
    await running.config.createRolloutPolicy({ rolloutPolicy: { name: "rolloutPolicies/at-once" } });
    const { rollout } = await rollouts.start({ targetRevision: 2n, policy: "rolloutPolicies/at-once" });
    expect([stateOf(rollout), rollout?.targetRevision, rollout?.policy]).toEqual([
      "completed",
      2n,
      "rolloutPolicies/at-once",
    ]);
    const opened = (await running.config.getCommit({ revision: 5n })).commit?.events[0]?.fact;
    const started = opened?.$case === "rolloutStarted" ? opened.value : undefined;
    const stored = await running.state(2n).until("the header", ([first]) => first?.part);
    const digest = stored.$case === "header" ? stored.value.digest : undefined;
    expect(digest?.length).toBe(32);
    expect(Buffer.from(started?.targetDigest ?? []).equals(Buffer.from(digest ?? []))).toBe(true);
  });

  test("counts the nodes of each wave, in total and by region, and an operator's step has the figures", async () => {
    const canary = await node("a", "eu", { canary: "true" });
    await node("b", "us", { canary: "true" });
    await rollouts.start();
    const { rollout: before } = await rollouts.get();
    expect(before?.waves[0]?.counts).toMatchObject({ nodes: 2, reachable: 2, applied: 0 });
    const plane = await running.state(2n).until("the header", ([first]) => first?.part);
    if (plane.$case !== "header") throw new Error("a state begins with its header");
    canary.report({ revision: 2n, logRevision: 3n, digest: plane.value.digest });
    const seen = await rollouts
      .watch()
      .until("one that applied, by the gate too", (messages) =>
        messages.find(({ rollout }) =>
          rollout?.waves[0]?.gates.some(({ gate, observed }) => gate === "applied" && observed === 0.5),
        ),
      );
    const [wave] = seen.rollout?.waves ?? [];
    expect(wave?.regions.map(({ region, counts }) => [region, counts?.nodes, counts?.applied])).toEqual([
      ["eu", 1, 1],
      ["us", 1, 0],
    ]);
    expect(wave?.remaining).toBeDefined();
    const { rollout } = await rollouts.pause();
    expect(rollout?.decisions.at(-1)?.judgement?.counts).toMatchObject({ nodes: 2, applied: 1 });
    expect(rollout?.decisions.at(-1)?.judgement?.gates.length).toBeGreaterThan(0);
  });

  test("that two replicas are asked for at once is started once, and shown by both", async () => {
    const other = await running.replica();
    const elsewhere = new RolloutClient(other.address);
    try {
      const answers = await Promise.all(
        [rollouts, elsewhere].map((each) =>
          each.start().then(
            () => "started",
            () => "refused",
          ),
        ),
      );
      expect(answers.sort()).toEqual(["refused", "started"]);
      const [here, there] = [await rollouts.get(), await elsewhere.get()];
      expect(here.rollout?.name).toBe("rollouts/r3");
      expect(there.rollout?.name).toBe("rollouts/r3");
    } finally {
      elsewhere.close();
      await other.close();
    }
  });
});

describe("a step", () => {
  test("that is retried under the same request id is taken once; another command under it is refused", async () => {
    const first = await rollouts.start({ write: by("one") });
    expect(await rollouts.start({ write: by("one") })).toMatchObject({
      revision: first.revision,
      rollout: { name: "rollouts/r3" },
    });
    expect(await head()).toBe(3);
    expect(await refusalText(rollouts.start({ targetRevision: 1n, write: by("one") }))).toBe(
      "INVALID_ARGUMENT REQUEST_ID_REUSED | write.request_id: DUPLICATE",
    );
  });

  test("that is only validated answers as the live one would, and changes nothing", async () => {
    const { rollout, revision } = await rollouts.start({ write: by("one", { validateOnly: true }) });
    expect([rollout?.name, stateOf(rollout), revision, await head()]).toEqual(["rollouts/r3", "running", 2n, 2]);
    expect((await rollouts.list()).rollouts).toEqual([]);
    await rollouts.start({ write: by("one") });
    const paused = await rollouts.pause({ write: by("two", { validateOnly: true }) });
    expect([stateOf(paused.rollout), stateOf((await rollouts.get()).rollout)]).toEqual(["paused", "running"]);
    // What was committed meanwhile answers for itself.
    const again = await rollouts.start({ write: by("one", { validateOnly: true }) });
    expect([again.rollout?.name, again.revision]).toEqual(["rollouts/r3", 3n]);
    expect(await refusalText(rollouts.resume({ write: by("three", { validateOnly: true }) }))).toMatch(/ROLLOUT_STATE/);
  });
});

describe("what is refused", () => {
  test("before any rollout", async () => {
    const refusals: Record<string, () => Promise<unknown>> = {
      "NOT_FOUND NOT_FOUND | name: UNKNOWN_REFERENCE": () => rollouts.get(),
      "NOT_FOUND NOT_FOUND | target_revision: UNKNOWN_REFERENCE": () => rollouts.start({ targetRevision: 99n }),
      "NOT_FOUND NOT_FOUND | policy: UNKNOWN_REFERENCE": () => rollouts.start({ policy: "rolloutPolicies/none" }),
      "INVALID_ARGUMENT INVALID_FIELD | policy: MALFORMED": () => rollouts.start({ policy: "nonsense" }),
      "INVALID_ARGUMENT INVALID_FIELD | name: MALFORMED": () => rollouts.abort({ name: "nonsense" }),
      "INVALID_ARGUMENT INVALID_FIELD | write.author: OUT_OF_RANGE": () =>
        rollouts.start({ write: { author: "x".repeat(257) } }),
      "INVALID_ARGUMENT INVALID_FIELD | page_size: OUT_OF_RANGE": () => rollouts.list({ pageSize: -1 }),
      "INVALID_ARGUMENT INVALID_PAGE_TOKEN": () => rollouts.list({ pageToken: "rollouts/r9" }),
    };
    for (const [expected, call] of Object.entries(refusals)) expect(await refusalText(call())).toBe(expected);
    const beyond = 2n ** 63n;
    expect(await refusalText(rollouts.plan({ targetRevision: beyond }))).toMatch(/^NOT_FOUND/);
    for (const step of [rollouts.pause, rollouts.resume, rollouts.promote, rollouts.abort, rollouts.rollBack])
      expect(await refusalText(step({}))).toMatch(/^FAILED_PRECONDITION ROLLOUT_STATE/);
    expect(await head()).toBe(2);
  });

  test("while one is under way, and once there is nothing left to release", async () => {
    await rollouts.start();
    expect(await refusalText(rollouts.start())).toMatch(/^FAILED_PRECONDITION ROLLOUT_UNDER_WAY/);
    expect(await refusalText(rollouts.resume())).toMatch(/^FAILED_PRECONDITION ROLLOUT_STATE/);
    expect(await refusalText(rollouts.pause({ name: "rollouts/r77" }))).toMatch(/^NOT_FOUND NOT_FOUND/);
    await rollouts.promote({ full: true });
    expect(await refusalText(rollouts.start())).toMatch(/^FAILED_PRECONDITION NOTHING_TO_RELEASE/);
  });
});

describe("the list", () => {
  test("has the newest first, in pages", async () => {
    for (const name of ["r3", "r5", "r7"]) {
      expect((await rollouts.start()).rollout?.name).toBe(`rollouts/${name}`);
      await rollouts.abort();
    }
    const first = await rollouts.list({ pageSize: 2 });
    expect(first.rollouts.map(({ name }) => name)).toEqual(["rollouts/r7", "rollouts/r5"]);
    const second = await rollouts.list({ pageSize: 2, pageToken: first.nextPageToken });
    expect([second.rollouts.map(({ name }) => name), second.nextPageToken]).toEqual([["rollouts/r3"], ""]);
  });
});

describe("the plan", () => {
  test("says what would change, for whom, and what stands in the way, and changes nothing", async () => {
    await node("a", "eu", { canary: "true" });
    const plan = await rollouts.plan();
    expect([plan.baseRevision, plan.targetRevision, plan.revisions, plan.obstacle]).toEqual([1n, 2n, [2n], ""]);
    expect(plan.plan?.changes.map(({ name }) => name)).toEqual(["farms/web", "farms/web/servers/a"]);
    expect(plan.waves.map(({ title, nodes }) => [title, nodes])).toEqual([
      ["canary", ["a"]],
      ["wave 2", []],
      ["the rest", []],
    ]);
    expect(await head()).toBe(2);
    await rollouts.start();
    const blocked = await rollouts.plan();
    expect(blocked.obstacle).toMatch(/rollouts\/r3 is under way/);
    expect(blocked.waves.length).toBe(3);
  });
});

describe("who watches", () => {
  test("is told at once and of each change, until the end and every reachable node is where it belongs", async () => {
    const late = await node("a", "eu");
    late.report({ revision: 1n, logRevision: 2n, digest: new Uint8Array(32) });
    await rollouts.start();
    const watch = rollouts.watch({ minInterval: { nanos: 100_000_000 } });
    await watch.until("the first", ([first]) => first);
    await rollouts.promote({ full: true });
    await watch.until("the end", (messages) => messages.find(({ rollout }) => stateOf(rollout) === "completed"));
    expect(watch.end).toBeUndefined();
    late.report({ revision: 2n, logRevision: 4n, digest: new Uint8Array(32) });
    expect(await watch.ended()).toBeUndefined();
    expect(
      watch.messages
        .at(-1)
        ?.rollout?.waves.map(({ counts }) => counts?.nodes)
        .toSorted(),
    ).toEqual([0, 0, 1]);
    const texts = watch.messages.map((message) =>
      JSON.stringify(message, (_, value) => (typeof value === "bigint" ? `${value}` : value)),
    );
    expect(new Set(texts).size).toBe(texts.length);
  });

  test("is refused an interval that is too short, and a rollout that is not there", async () => {
    expect(await rollouts.watch().ended()).toMatchObject({ code: 5 });
    await rollouts.start();
    expect(await rollouts.watch({ minInterval: { nanos: 99_000_000 } }).ended()).toMatchObject({ code: 3 });
    expect(await rollouts.watch({ name: "rollouts/r9" }).ended()).toMatchObject({ code: 5 });
  });
});
