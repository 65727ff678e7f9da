import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import type { ServerUnaryCall } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { Commit, CommitInfo } from "../../proto/gen/switchyard/config/v1/commits.ts";
import { Resource, StagedRelease } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { PlanRolloutResponse } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import type {
  ReleaseEmergencyRequest,
  ReleaseEmergencyResponse,
} from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import type { FakeCalls, FakeControlPlane } from "./fake-control-plane.ts";
import { answering, fakeControlPlane, refusal, streaming } from "./fake-control-plane.ts";
import { after, completed, pausedByGate, rolledBack, rollout } from "./rollout-answers.ts";
import type { VerbOptions, VerbRun } from "./run-verb.ts";
import { runVerb } from "./run-verb.ts";

let running: FakeControlPlane | undefined;
afterEach(() => {
  running?.close();
  running = undefined;
});

async function run(line: string | readonly string[], calls: FakeCalls, options: VerbOptions = {}): Promise<VerbRun> {
  running?.close();
  running = await fakeControlPlane(calls);
  return runVerb(typeof line === "string" ? line.split(" ") : line, { server: running.address, ...options });
}

async function textOf(line: string, calls: FakeCalls): Promise<string> {
  const { code, stdout, stderr } = await run(line, calls);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return `\n${stdout}`;
}

const commit = (revision: bigint, author: string, reason: string): CommitInfo =>
  CommitInfo.fromPartial({ revision, author, reason, time: after(Number(revision)) });

const farm = (seconds: bigint): Resource =>
  Resource.fromPartial({ kind: { $case: "farm", value: { name: "farms/web", connectTimeout: { seconds } } } });

describe("plan", () => {
  const planned = PlanRolloutResponse.fromPartial({
    targetRevision: 11n,
    baseRevision: 8n,
    plan: {
      changes: [
        { verb: 2, name: "farms/web", fields: ["connect_timeout"] },
        { verb: 3, name: "farms/web/servers/b" },
        { verb: 1, name: "listeners/edge/routes/shop" },
      ],
    },
    waves: [
      {
        title: "canary",
        wave: { percent: 5, bakeTime: { seconds: 600n } },
        nodes: ["nodes/n1", "nodes/n2", "nodes/n3", "nodes/n4"],
        nodeCount: 50,
        unreachableCount: 2,
      },
      { title: "wave 2", wave: { percent: 100, bakeTime: { seconds: 0n } }, nodes: ["nodes/n9"], nodeCount: 1 },
    ],
    touched: [
      { name: "farms/web/servers/b", connections: 120n, closed: true, detail: "farms/web says so" },
      { name: "listeners/edge", connections: 7n, detail: "it goes on" },
    ],
    hellos: [
      {
        listener: "listeners/edge",
        serverName: "shop.test\u202E",
        alpnProtocols: ["h2", "http/1.1"],
        count: 40n,
        now: "default -> reject unrecognized_name",
        // oxlint-disable-next-line unicorn/no-thenable -- the API's name
        then: "listeners/edge/routes/shop -> farms/web",
      },
    ],
    hellosChanged: 1n,
    hellosSampled: 1200n,
    revisions: [9n, 11n],
    obstacle: "rollouts/r10 is under way",
  });
  const calls: FakeCalls = {
    planRollout: answering(() => planned),
    listCommits: answering(() => ({ commits: [commit(11n, "bob", "shop\u001B[2J")], nextPageToken: "" })),
    // One that waits for longer than the listed ones.
    getCommit: answering(() => ({
      commit: Commit.fromPartial({ revision: 9n, author: "alice", reason: "slower", time: after(9) }),
      hash: new Uint8Array(32),
    })),
  };

  it("says what is released, by whom, what changes, who is touched, in which waves, and what stands in the way", async () => {
    expect(await textOf("rollout plan", calls)).toMatchInlineSnapshot(`
      "
      release      revision 11
      instead of   revision 8, and 2 commits since

      REVISION   TIME                   AUTHOR   REASON
      11         2026-11-22 12:51:47Z   bob      shop\\u001b[2J
      9          2026-11-22 12:51:45Z   alice    slower

      ~ farms/web   (connectTimeout)
      - farms/web/servers/b
      + listeners/edge/routes/shop
      routes: 1 to create
      farms: 1 to change
      servers: 1 to delete

      TOUCHED               CONNECTIONS   BECOME       WHY
      farms/web/servers/b   120           CLOSED       farms/web says so
      listeners/edge        7             left alone   it goes on

      WAVE       TAKES   COUNT   UNREACHABLE   BAKES   NODES
      1 canary   5%      50      2             10m     n1,n2,n3,+47 more
      wave 2     rest    1       -             0s      n9

      1 of 1200 sampled hellos would go elsewhere
      LISTENER   SERVER NAME       ALPN          COUNT   NOW                                   THEN
      edge       shop.test\\u202e   h2,http/1.1   40      default -> reject unrecognized_name   listeners/edge/routes/shop -> farms/web

      it can't be started now: rollouts/r10 is under way
      "
    `);
  });

  it("has the whole difference where it is asked for", async () => {
    const state = (timeout: bigint) => [
      {
        part: {
          $case: "header" as const,
          value: {
            epoch: 1n,
            revision: timeout,
            hash: new Uint8Array(0),
            digest: new Uint8Array(0),
            resourceCount: 1n,
            releases: undefined,
          },
        },
      },
      { part: { $case: "resources" as const, value: { resources: [farm(timeout)] } } },
    ];
    const shown = await textOf("rollout plan --diff", {
      ...calls,
      getState: streaming(({ revision }: { revision: bigint }) => state(revision)),
    });
    expect(shown).toContain("~ farms/web\n-     connectTimeout: 8s\n+     connectTimeout: 11s\n");
  });

  it("of nothing says so", async () => {
    const planRollout = answering(() => PlanRolloutResponse.fromPartial({ targetRevision: 2n, baseRevision: 2n }));
    const shown = await textOf("rollout plan -o text", { planRollout });
    expect(shown).toContain("\nnothing changes\n");
    expect(shown).toContain("\nno live connection is touched\n");
  });

  it("asks for the revision and the policy that are named", async () => {
    const asked: unknown[] = [];
    const planRollout = answering((request: unknown) => {
      asked.push(request);
      return planned;
    });
    expect(
      JSON.parse(await textOf("rollout plan --policy careful --revision 7 -o json", { planRollout })),
    ).toMatchObject({
      targetRevision: "11",
      touched: [{ closed: true }, {}],
    });
    await textOf("rollout plan --revision head -o yaml", { planRollout });
    expect(asked).toEqual([
      { targetRevision: 7n, policy: "rolloutPolicies/careful" },
      { targetRevision: 0n, policy: "" },
    ]);
  });
});

describe("steps", () => {
  const wanted = { author: "alice", reason: "why", validateOnly: false, requestId: "once" };
  const verbs: readonly (readonly [string, string, object, string])[] = [
    ["start", "startRollout", { targetRevision: 0n, policy: "" }, "started rollouts/r12: revision 11 in 3 waves"],
    ["pause", "pauseRollout", { name: "" }, "paused rollouts/r12"],
    ["resume r12", "resumeRollout", { name: "rollouts/r12" }, "resumed rollouts/r12"],
    ["promote", "promoteRollout", { name: "", full: false }, "promoted rollouts/r12"],
    ["promote --all", "promoteRollout", { name: "", full: true }, "promoted rollouts/r12"],
    ["abort", "abortRollout", { name: "" }, "aborted rollouts/r12"],
    ["rollback rollouts/r12", "rollBackRollout", { name: "rollouts/r12" }, "rolled back rollouts/r12"],
  ];
  it.each(verbs)("%s is one call, with who and why", async (verb, call, request, said) => {
    const asked: unknown[] = [];
    const calls = {
      [call]: answering((each: unknown) => {
        asked.push(each);
        return { rollout: rollout({ outlook: "the canaries first" }), revision: 13n };
      }),
    };
    const line = `rollout ${verb} --reason why --request-id once`;
    expect(await textOf(line, calls)).toBe(`\n${said}; now at revision 13\nthe canaries first\n`);
    expect(asked).toEqual([{ ...request, write: wanted }]);
    expect(await textOf(`${line} --dry-run`, calls)).toMatch(/^\ndry run: .* can be \S.*; still at revision 13\n$/);
    expect(JSON.parse(await textOf(`${line} -o json`, calls))).toMatchObject({
      rollout: { name: "rollouts/r12" },
      revision: "13",
    });
  });

  it("that is refused is told as other verbs do", async () => {
    const startRollout = answering(() => {
      throw refusal(status.FAILED_PRECONDITION, "rollouts/r10 is under way\u001B[2J", { reason: "ROLLOUT_UNDER_WAY" });
    });
    expect(await run("rollout start", { startRollout })).toEqual({
      code: 1,
      stdout: "",
      stderr: "switchyard: refused: rollouts/r10 is under way\\u001b[2J (ROLLOUT_UNDER_WAY)\n",
    });
  });

  it("whose answer does not come can be made again under the same id", async () => {
    const { code, stderr } = await run("rollout rollback --timeout 50ms --request-id r1", {
      rollBackRollout: () => undefined,
    });
    expect(code).toBe(3);
    expect(stderr).toContain("--request-id r1 finds out safely");
  });
});

describe("emergency", () => {
  const folder = mkdtempSync(join(tmpdir(), "switchyard-token-"));
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("sends the token in the call's metadata, and nowhere else", async () => {
    const file = join(folder, "token");
    writeFileSync(file, "s3cret\n");
    const calls: ServerUnaryCall<ReleaseEmergencyRequest, ReleaseEmergencyResponse>[] = [];
    const line = ["rollout", "emergency", "--token-file", file, "--reason", "CVE", "--revision", "9"];
    const answered = await run(line, {
      releaseEmergency: (call, callback) => {
        calls.push(call);
        const emergency = rollout({ name: "rollouts/emergency-12", emergency: true, outlook: "" });
        callback(null, { rollout: emergency, revision: 12n });
      },
    });
    expect(answered).toEqual({
      code: 0,
      stdout: "EMERGENCY rollouts/emergency-12: revision 11 released to all nodes; now at revision 12\n",
      stderr: "",
    });
    expect(calls[0]?.metadata.get("switchyard-emergency-token")).toEqual(["s3cret"]);
    expect(calls[0]?.request).toMatchObject({ targetRevision: 9n, write: { reason: "CVE" } });
    for (const bad of ["", "two\nlines", "t\u00E4g", "x".repeat(1025)]) {
      writeFileSync(file, bad);
      const { code, stderr } = await run(line, {});
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: `switchyard: --token-file ${file}: must have one line, of at most 1024 visible ASCII characters\n`,
      });
    }
  });
});

describe("status and list", () => {
  it("a rollout under way", async () => {
    expect(
      await textOf("rollout status", { getRollout: answering(() => ({ rollout: rollout() })) }),
    ).toMatchInlineSnapshot(`
      "
      rollout    rollouts/r12, running
      revision   11, in 3 waves by rolloutPolicies/default; on a failed gate: roll back
      started    2026-11-22 12:51:36Z by alice: new shop
      last step  released 2 europe, 2026-11-22 12:52:36Z by controller

      1 canary    ########################################  done; 5 of 5 applied
      2 europe    ##################----------------!!????  applying, 4m12s left; 9 of 20 applied, 1 refused, 1 crashed, 2 unreachable
          eu-1    ##################!!                      9 of 10 applied, 1 refused, 1 crashed
          eu-2    ----------------????                      0 of 10 applied, 2 unreachable
      3 the rest  .......................................?  pending; 75 nodes, 1 unreachable
      # applied   - released   ! refused   ? unreachable   . not released

      gates of 2 europe
        GATE               OUTCOME   OBSERVED   AGAINST   SAMPLE      P      DETAIL
        applied            waiting   50%        95%       -           -      9 of 18
        refused            passed    1          1         -           -      -
        connect_failures   passed    0.21%      0.2%      1400:9000   0.43   -

      18 of 20 nodes are reachable; the rest follows once 95% of those have applied and 5 minutes have passed.
      "
    `);
  });

  it("one that a gate ended, with its figures", async () => {
    const getRollout = answering(() => ({ rollout: rolledBack }));
    expect(await textOf("rollout status r12 --decisions", { getRollout })).toMatchInlineSnapshot(`
      "
      rollout    rollouts/r12, ROLLED BACK
      revision   11, in 1 wave by rolloutPolicies/default; on a failed gate: roll back
      started    2026-11-22 12:51:36Z by alice: new shop
      last step  rolled back: gate connect_failures failed in wave 2, 2026-11-22 12:53:06Z by controller

      1 europe  ....................................????  cancelled; 20 nodes, 2 unreachable
      # applied   - released   ! refused   ? unreachable   . not released

      18 of 20 nodes are reachable; the rest follows once 95% of those have applied and 5 minutes have passed.

      revision 12   2026-11-22 12:51:36Z   alice   started: new shop
      revision 12   2026-11-22 12:51:36Z   alice   released 1 europe: new shop
      revision 13   2026-11-22 12:52:36Z   controller   released wave 2
      revision 15   2026-11-22 12:53:06Z   controller   rolled back: gate connect_failures failed in wave 2
          wave 2: 18 of 18 reachable nodes applied; 2 unreachable
          GATE               OUTCOME   OBSERVED   AGAINST   SAMPLE      P        DETAIL
          connect_failures   FAILED    5.3%       0.21%     1400:9000   2.0e-5   5.3% of connections reach no server on released nodes, 0.21% on the others
      "
    `);
    expect(JSON.parse(await textOf("rollout status -o json", { getRollout }))).toMatchObject({ targetRevision: "11" });
    expect(await textOf("rollout status -o yaml", { getRollout })).toContain("state: ROLLOUT_STATE_ROLLED_BACK\n");
  });

  it("the newest first, all pages of them", async () => {
    const emergency = rollout({ ...completed, name: "rollouts/emergency-9\u202E", emergency: true });
    const listRollouts = answering(({ pageToken }: { pageToken: string }) =>
      pageToken === ""
        ? { rollouts: [pausedByGate], nextPageToken: "more" }
        : { rollouts: [emergency], nextPageToken: "" },
    );
    expect(await textOf("rollout list", { listRollouts })).toMatchInlineSnapshot(`
      "
      NAME                         STATE       REVISION   WAVES   POLICY      STARTED                AUTHOR   REASON
      rollouts/r12                 PAUSED      11         2/3     default     2026-11-22 12:51:36Z   alice    new shop
      rollouts/emergency-9\\u202e   completed   11         2/1     EMERGENCY   2026-11-22 12:51:36Z   alice    new shop
      "
    `);
    expect(await textOf("rollout list -n 1", { listRollouts })).not.toContain("emergency");
    expect(await run("rollout list", { listRollouts: answering(() => ({ rollouts: [], nextPageToken: "" })) })).toEqual(
      {
        code: 0,
        stdout: "",
        stderr: "no rollouts\n",
      },
    );
  });
});

describe("switchyard status", () => {
  const fleet: FakeCalls = {
    getFleet: answering(() => ({ revision: 13n, epoch: 1n, regions: [], replicas: ["cp-1"] })),
    listNodes: answering(() => ({ nodes: [], nextPageToken: "", revision: 13n })),
    listCommits: answering(() => ({ commits: [], nextPageToken: "" })),
  };
  const none = refusal(status.NOT_FOUND, "there are no rollouts", { reason: "NOT_FOUND" });
  const cases: readonly (readonly [string, FakeCalls, RegExp])[] = [
    [
      "names the rollout under way",
      { getRollout: answering(() => ({ rollout: rollout() })) },
      /\nrollout {9}rollouts\/r12 running: revision 11, 2 of 3 waves released\n/,
    ],
    ["or paused", { getRollout: answering(() => ({ rollout: pausedByGate })) }, /rollouts\/r12 PAUSED: /],
    ["not one that has ended", { getRollout: answering(() => ({ rollout: rolledBack })) }, /has reported\n$/],
    [
      "nor where there was none",
      {
        getRollout: answering(() => {
          throw none;
        }),
      },
      /has reported\n$/,
    ],
    ["nor where rollouts are not known", {}, /has reported\n$/],
  ];
  it.each(cases)("%s", async (_, calls, shown) => {
    expect(await textOf("status", { ...fleet, ...calls })).toMatch(shown);
  });
});

describe("what commits did to rollouts", () => {
  it("stands in the history beside the reason", async () => {
    const commits = [
      CommitInfo.fromPartial({
        ...commit(3n, "controller", ""),
        releases: ["rollouts/r2 rolled back: gate lost failed"],
      }),
      CommitInfo.fromPartial({
        ...commit(2n, "bob", "new shop"),
        releases: ["rollouts/r2 started", "wave 1 released"],
      }),
      commit(1n, "bob", "first"),
    ];
    const listCommits = answering(() => ({ commits, nextPageToken: "" }));
    expect(await textOf("history", { listCommits })).toMatchInlineSnapshot(`
      "
      REVISION   TIME                   AUTHOR       EVENTS   REASON
      3          2026-11-22 12:51:39Z   controller   0        rollouts/r2 rolled back: gate lost failed
      2          2026-11-22 12:51:38Z   bob          0        new shop (rollouts/r2 started; wave 1 released)
      1          2026-11-22 12:51:37Z   bob          0        first
      "
    `);
  });

  it("is shown with what it was decided by", async () => {
    const judgement = rolledBack.decisions.at(-1)?.judgement;
    const rollouts = { rollout: "rollouts/r12" };
    const facts: Commit["events"][number]["fact"][] = [
      {
        $case: "rolloutStarted",
        value: {
          ...rollouts,
          targetRevision: 11n,
          targetDigest: new Uint8Array(32),
          policy: "",
          staged: StagedRelease.fromPartial({ waves: [{ percent: 100 }] }),
          emergency: true,
        },
      },
      { $case: "waveReleased", value: { ...rollouts, wave: 1, judgement: undefined, promoted: true } },
      { $case: "rolloutPaused", value: { ...rollouts, failedGate: "", judgement: undefined } },
      { $case: "rolloutResumed", value: rollouts },
      { $case: "rolloutAborted", value: rollouts },
      { $case: "rolloutCompleted", value: { ...rollouts, promoted: false, judgement: undefined } },
      { $case: "rolloutRolledBack", value: { ...rollouts, failedGate: "connect_failures", judgement } },
    ];
    const shown = await textOf("show 13", {
      getCommit: answering(() => ({
        commit: Commit.fromPartial({ revision: 13n, events: facts.map((fact) => ({ schemaVersion: 3, fact })) }),
        hash: new Uint8Array(32),
      })),
    });
    expect(shown.slice(shown.indexOf("\n\n"))).toMatchInlineSnapshot(`
      "

      * rollouts/r12 released revision 11 to all nodes at once, as an EMERGENCY
      * rollouts/r12 released wave 2, promoted by an operator
      * rollouts/r12 was paused by an operator
      * rollouts/r12 was resumed
      * rollouts/r12 was aborted: released nodes keep its revision
      * rollouts/r12 was completed: every node is released
      * rollouts/r12 was rolled back: the gate connect_failures failed
            wave 2: 18 of 18 reachable nodes applied; 2 unreachable
            GATE               OUTCOME   OBSERVED   AGAINST   SAMPLE      P        DETAIL
            connect_failures   FAILED    5.3%       0.21%     1400:9000   2.0e-5   5.3% of connections reach no server on released nodes, 0.21% on the others
      "
    `);
  });
});
