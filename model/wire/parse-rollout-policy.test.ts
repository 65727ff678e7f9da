import { describe, expect, test } from "vitest";
import { written } from "../../test/support/arbitrary-resource.ts";
import { Resource as WireResource } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { ratioGateDefaults, rolloutGatesDefaults } from "../rollout-policy.ts";
import type { Violation } from "../violation.ts";
import { parseResource } from "./parse-resource.ts";
import { storedResource } from "./stored-resource.ts";

const name = "rolloutPolicies/default";
const policy = (staged: object): object => ({ rolloutPolicy: { name, staged } });
const gates = (part: object): object => policy({ waves: [{}], gates: part });
const duration = (seconds: number, nanos = 0): object => ({ seconds, nanos });

describe("a rollout policy", () => {
  test("that says nothing releases to all nodes at once", () => {
    expect(written({ rolloutPolicy: { name } })).toEqual({ kind: "rolloutPolicy", name, staged: null });
  });

  test("has every default filled in", () => {
    expect(written(policy({ waves: [{}] }))).toMatchObject({
      staged: {
        waves: [{ title: "", regions: [], labels: {}, percent: 100, bakeTimeMs: 300_000 }],
        gates: {
          applyDeadlineMs: 60_000,
          appliedMinPercent: 95,
          refusedMax: 0,
          lostMaxPercent: 5,
          connectFailures: { sampleMin: 500, significancePpm: 1000, marginBasisPoints: 50 },
          handshakeFailures: { sampleMin: 500, significancePpm: 1000, marginBasisPoints: 50 },
          healthyServersMinPercent: 50,
        },
        onFailure: "roll_back",
        startAutomatically: false,
      },
    });
    expect(written(gates({ connectFailures: {} }))).toMatchObject({
      staged: { gates: { ...rolloutGatesDefaults, connectFailures: ratioGateDefaults } },
    });
  });

  test("may say 0 where 0 is not the default", () => {
    const none = {
      lostMax: 0,
      healthyServersMin: 0,
      connectFailures: { marginBasisPoints: 0 },
      handshakeFailures: { off: true },
    };
    expect(written(policy({ waves: [{ bakeTime: duration(0) }], gates: none }))).toMatchObject({
      staged: {
        waves: [{ bakeTimeMs: 0 }],
        gates: {
          lostMaxPercent: 0,
          healthyServersMinPercent: 0,
          connectFailures: { ...ratioGateDefaults, marginBasisPoints: 0 },
          handshakeFailures: null,
        },
      },
    });
  });

  test("is stored the same in whatever order its regions and labels were written", () => {
    const one = written(policy({ waves: [{ regions: ["us", "eu"], labels: { tier: "edge", rack: "7" } }] }));
    const other = written(policy({ waves: [{ regions: ["eu", "us"], labels: { rack: "7", tier: "edge" } }] }));
    expect(one).toMatchObject({ staged: { waves: [{ regions: ["eu", "us"] }] } });
    const bytes = [one, other].map((each) => WireResource.encode(storedResource(each)).finish());
    expect(bytes[0]).toEqual(bytes[1]);
  });
});

describe("a rollout policy is refused, by field, for", () => {
  const staged = "rollout_policy.staged".replace("rollout_policy", "r.rolloutPolicy");
  const many = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `region-${index}`);
  const labels = (count: number): object => Object.fromEntries(many(count).map((key) => [key, "x"]));
  const waves = (count: number): object =>
    policy({ waves: Array.from({ length: count }, (_, index) => ({ percent: index + 1 })) });
  const wave = (part: object): object => policy({ waves: [part] });
  const cases: readonly (readonly [what: string, json: object, ...violations: string[]])[] = [
    ["nothing: 32 waves", waves(32)],
    ["nothing: 64 regions", wave({ regions: many(64) })],
    ["nothing: 16 labels", wave({ labels: labels(16) })],
    [
      "nothing: long texts",
      wave({ title: "t".repeat(63), regions: ["r".repeat(63)], labels: { ["k".repeat(128)]: "v".repeat(128) } }),
    ],
    ["a name of another kind", { rolloutPolicy: { name: "farms/web" } }, "r.rolloutPolicy.name: malformed"],
    ["no name", { rolloutPolicy: {} }, "r.rolloutPolicy.name: required"],
    ["no waves", policy({}), `${staged}.waves: required`],
    ["33 waves", waves(33), `${staged}.waves: too_many`],
    ["101 percent", wave({ percent: 101 }), `${staged}.waves[0].percent: out_of_range`],
    [
      "a bake time of a week and a bit",
      wave({ bakeTime: duration(604_800, 1_000_000) }),
      `${staged}.waves[0].bake_time: out_of_range`,
    ],
    ["a bake time below zero", wave({ bakeTime: duration(-1) }), `${staged}.waves[0].bake_time: out_of_range`],
    [
      "a bake time in parts of a millisecond",
      wave({ bakeTime: duration(1, 1) }),
      `${staged}.waves[0].bake_time: malformed`,
    ],
    ["a title of 64", wave({ title: "t".repeat(64) }), `${staged}.waves[0].title: malformed`],
    ["a title of two lines", wave({ title: "a\nb" }), `${staged}.waves[0].title: malformed`],
    ["half a character", wave({ title: "\ud800" }), `${staged}.waves[0].title: malformed`],
    ["an empty region", wave({ regions: [""] }), `${staged}.waves[0].regions[0]: malformed`],
    ["a region of 64", wave({ regions: ["r".repeat(64)] }), `${staged}.waves[0].regions[0]: malformed`],
    ["a region with a blank", wave({ regions: ["eu", "eu west"] }), `${staged}.waves[0].regions[1]: malformed`],
    ["a region twice", wave({ regions: ["eu", "us", "eu"] }), `${staged}.waves[0].regions[2]: duplicate`],
    ["65 regions", wave({ regions: many(65) }), `${staged}.waves[0].regions: too_many`],
    ["17 labels", wave({ labels: labels(17) }), `${staged}.waves[0].labels: too_many`],
    ["a label without a key", wave({ labels: { "": "x" } }), `${staged}.waves[0].labels: malformed`],
    ["a key of 129", wave({ labels: { ["k".repeat(129)]: "x" } }), `${staged}.waves[0].labels: malformed`],
    ["a value of 129", wave({ labels: { k: "v".repeat(129) } }), `${staged}.waves[0].labels: malformed`],
    ["a value with a control character", wave({ labels: { k: "\u0007" } }), `${staged}.waves[0].labels: malformed`],
    [
      "a wave after all nodes",
      policy({ waves: [{ percent: 5 }, {}, { regions: ["eu"] }] }),
      `${staged}.waves[2]: malformed`,
    ],
    ["the same wave twice", policy({ waves: [{ percent: 5 }, { percent: 5 }] }), `${staged}.waves[1]: malformed`],
    ["an unknown way to fail", policy({ waves: [{}], onFailure: 9 }), `${staged}.on_failure: malformed`],
    [
      "a deadline of less than a second",
      gates({ applyDeadline: duration(0, 999_000_000) }),
      `${staged}.gates.apply_deadline: out_of_range`,
    ],
    [
      "a deadline of more than a day",
      gates({ applyDeadline: duration(86_401) }),
      `${staged}.gates.apply_deadline: out_of_range`,
    ],
    ["101 percent applied", gates({ appliedMin: 101 }), `${staged}.gates.applied_min: out_of_range`],
    ["100,001 refusals", gates({ refusedMax: 100_001 }), `${staged}.gates.refused_max: out_of_range`],
    ["101 percent lost", gates({ lostMax: 101 }), `${staged}.gates.lost_max: out_of_range`],
    ["101 percent healthy", gates({ healthyServersMin: 101 }), `${staged}.gates.healthy_servers_min: out_of_range`],
    [
      "a sample of 9",
      gates({ connectFailures: { sampleMin: 9 } }),
      `${staged}.gates.connect_failures.sample_min: out_of_range`,
    ],
    [
      "a sample of 1,000,001",
      gates({ connectFailures: { sampleMin: 1_000_001 } }),
      `${staged}.gates.connect_failures.sample_min: out_of_range`,
    ],
    [
      "a significance of 100,001",
      gates({ handshakeFailures: { significancePpm: 100_001 } }),
      `${staged}.gates.handshake_failures.significance_ppm: out_of_range`,
    ],
    [
      "a margin of 10,001, off or not",
      gates({ handshakeFailures: { marginBasisPoints: 10_001, off: true } }),
      `${staged}.gates.handshake_failures.margin_basis_points: out_of_range`,
    ],
    [
      "all of it at once",
      policy({ waves: [{ percent: 200 }, { title: "\n" }], gates: { appliedMin: 200 }, onFailure: 7 }),
      `${staged}.waves[0].percent: out_of_range`,
      `${staged}.waves[1].title: malformed`,
      `${staged}.gates.applied_min: out_of_range`,
      `${staged}.on_failure: malformed`,
      `${staged}.waves[1]: malformed`,
    ],
  ];
  test.each(cases)("%s", (_what, json, ...expected) => {
    const violations: Violation[] = [];
    // Enums as numbers, which the JSON form of the message does not take.
    const message = WireResource.fromJSON(
      JSON.parse(JSON.stringify(json, (key, value: unknown) => (key === "onFailure" ? undefined : value))),
    );
    const onFailure = (json as { rolloutPolicy: { staged?: { onFailure?: number } } }).rolloutPolicy.staged?.onFailure;
    if (onFailure !== undefined && message.kind?.$case === "rolloutPolicy" && message.kind.value.staged !== undefined)
      message.kind.value.staged.onFailure = onFailure as never;
    const parsed = parseResource(message, "r", violations);
    expect(violations.map(({ field, reason }) => `${field}: ${reason}`)).toEqual(expected);
    expect(parsed === undefined).toBe(expected.length > 0);
  });

  test("a wave that no node is left for, in words that say which one takes them", () => {
    const violations: Violation[] = [];
    parseResource(WireResource.fromJSON(policy({ waves: [{ percent: 5 }, {}, { regions: ["eu"] }] })), "", violations);
    expect(violations.map(({ description }) => description)).toEqual([
      "no node is left for it: staged.waves[1] takes all that it selects",
    ]);
  });
});
