import { sha256 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arbitraryHistory, arbitraryReleaseEvent, commitOf } from "../../test/support/arbitrary-release.ts";
import { written } from "../../test/support/arbitrary-resource.ts";
import { Commit as WireCommit, type Event as WireEvent } from "../../proto/gen/switchyard/config/v1/commits.ts";
import { schemaVersionOf } from "../event.ts";
import type { ReleaseEvent } from "../release-event.ts";
import { openCommit, sealCommit } from "./commit.ts";

test("any event about a rollout comes back from its commit as it was, under schema version 3", () => {
  fc.assert(
    fc.property(fc.array(arbitraryReleaseEvent(7), { minLength: 1, maxLength: 3 }), (events) => {
      const sealed = sealCommit(commitOf(7, events));
      expect(openCommit(sealed)).toMatchObject({ commit: { revision: 7 } });
      expect((openCommit(sealed) as { commit: { events: unknown } }).commit.events).toEqual(events);
      for (const event of WireCommit.decode(sealed.body).events) expect(event.schemaVersion).toBe(3);
    }),
  );
});

test("any history comes back, changes and releases alike", () => {
  fc.assert(
    fc.property(arbitraryHistory, (commits) => {
      for (const commit of commits) expect(openCommit(sealCommit(commit))).toMatchObject({ commit });
    }),
    { numRuns: 30 },
  );
});

describe("an event about a rollout is malformed, and the commit with it, for", () => {
  const waves = [{ title: "", regions: [], labels: {}, percent: 100, bakeTime: undefined }];
  const staged = { waves, gates: undefined, onFailure: 0 as const, startAutomatically: false };
  const start = {
    rollout: "rollouts/r7",
    targetRevision: 6n,
    targetDigest: new Uint8Array(32),
    policy: "",
    staged,
    emergency: false,
  };
  const started = (part: Partial<typeof start> | { staged: undefined }): WireEvent["fact"] => ({
    $case: "rolloutStarted",
    value: { ...start, ...part },
  });
  const counts = { nodes: 1, reachable: 1, applied: 1, refused: 0, lost: 0, crashed: 0, different: 0 };
  const gate = {
    gate: "lost",
    outcome: 1 as const,
    observed: 0,
    limit: 0.05,
    sample: 0n,
    controlSample: 0n,
    pValue: 1,
    detail: "",
  };
  const paused = (failedGate: string, gates: readonly object[] = [], wave = 0): WireEvent["fact"] => ({
    $case: "rolloutPaused",
    value: {
      rollout: start.rollout,
      failedGate,
      judgement: { wave, counts, gates: gates.map((each) => ({ ...gate, ...each })) },
    },
  });
  const wave = (number: number): WireEvent["fact"] => ({
    $case: "waveReleased",
    value: { rollout: start.rollout, wave: number, judgement: undefined, promoted: false },
  });

  const sealedWith = (fact: WireEvent["fact"]): ReturnType<typeof openCommit> => {
    const whole = WireCommit.decode(sealCommit(commitOf(7, [])).body);
    const body = WireCommit.encode({ ...whole, events: [{ schemaVersion: 3, fact }] }).finish();
    return openCommit({ body, hash: sha256(body) });
  };

  test("nothing, where all is in order", () => {
    for (const fact of [started({}), paused("lost", [{}]), wave(32)])
      expect(sealedWith(fact)).toMatchObject({ commit: { revision: 7 } });
  });

  const cases: readonly (readonly [what: string, WireEvent["fact"], detail: string])[] = [
    ["a name of something else", started({ rollout: "farms/web" }), "rollout: "],
    ["no name", { $case: "rolloutAborted", value: { rollout: "" } }, "rollout: "],
    ["a name in capitals", { $case: "rolloutResumed", value: { rollout: "rollouts/R7" } }, "rollout: "],
    ["a target that is not there yet", started({ targetRevision: 7n }), "target_revision: revision 7 "],
    ["a target beyond all numbers", started({ targetRevision: 2n ** 63n }), "target_revision: "],
    ["a digest of 31 bytes", started({ targetDigest: new Uint8Array(31) }), "target_digest: 31 bytes"],
    ["no digest", started({ targetDigest: new Uint8Array(0) }), "target_digest: 0 bytes"],
    ["a policy that is none", started({ policy: "default" }), "policy: "],
    ["no waves", started({ staged: { ...staged, waves: [] } }), "staged.waves: "],
    ["nothing to go by", started({ staged: undefined }), "staged: "],
    [
      "34 waves",
      started({ staged: { ...staged, waves: Array.from({ length: 34 }, () => waves[0]!) } }),
      "staged.waves: ",
    ],
    [
      "a wave of 101 percent",
      started({ staged: { ...staged, waves: [{ ...waves[0]!, percent: 101 }] } }),
      "staged.waves[0].percent: ",
    ],
    ["an unknown way to fail", started({ staged: { ...staged, onFailure: 9 as never } }), "staged.on_failure: "],
    ["wave 33", wave(33), "wave: 33 "],
    ["wave 33 in a judgement", paused("", [], 33), "judgement.wave: "],
    ["an unknown gate that failed", paused("luck"), 'failed_gate: "luck"'],
    ["an unknown gate in a judgement", paused("", [{}, { gate: "luck" }]), 'judgement.gates[1].gate: "luck"'],
    ["a gate without an outcome", paused("", [{ outcome: 0 }]), "judgement.gates[0].outcome: "],
    ["an unknown outcome", paused("", [{ outcome: 5 }]), "judgement.gates[0].outcome: 5"],
    [
      "more gates than there are",
      paused(
        "",
        Array.from({ length: 8 }, () => ({})),
      ),
      "judgement.gates: ",
    ],
  ];
  test.each(cases)("%s", (_what, fact, detail) => {
    const opened = sealedWith(fact);
    expect(opened).toMatchObject({ fault: "malformed" });
    expect("detail" in opened && opened.detail).toContain(`revision 7, event 0: ${detail}`);
  });
});

test("schema versions: 3 for rollouts and their policies, and nothing else asks for it", () => {
  const resumed: ReleaseEvent = { type: "rollout_resumed", rollout: "rollouts/r1" };
  const policy = { kind: "rolloutPolicy", name: "rolloutPolicies/default", staged: null } as const;
  expect(
    [
      resumed,
      { type: "updated", resource: policy } as const,
      { type: "deleted", name: policy.name } as const,
      { type: "deleted", name: "farms/web" } as const,
      { type: "created", resource: written({ farm: { name: "farms/web" } }) } as const,
      { type: "created", resource: written({ farm: { name: "farms/web", slowStart: { seconds: 1 } } }) } as const,
      {
        type: "created",
        resource: written({ farm: { name: "farms/web", onServerRemoved: "ON_SERVER_REMOVED_CLOSE" } }),
      } as const,
    ].map(schemaVersionOf),
  ).toEqual([3, 3, 3, 1, 1, 2, 3]);
});
