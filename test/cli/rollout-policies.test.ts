import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { VerbRig } from "./verb-rig.ts";

let rig: VerbRig;
beforeEach(async () => {
  rig = await VerbRig.start();
});
afterEach(async () => {
  await rig.close();
});

const careful = `
rolloutPolicy:
  name: rolloutPolicies/careful
  staged:
    waves:
      - {title: canary, percent: 5, bakeTime: 600s}
      - {regions: [eu-west, eu-north], labels: {tier: edge}, percent: 50, bakeTime: 0s}
      - {regions: [us]}
    onFailure: ON_GATE_FAILURE_PAUSE
    startAutomatically: true
`;

describe("rollout policies are a kind as the others", () => {
  it("applied, shown, compared, deleted, under every word for them", async () => {
    expect(await rig.done("apply -f -", { stdin: careful })).toBe(
      "+ rolloutPolicies/careful\n1 created; now at revision 1\n",
    );
    await rig.done("apply -f -", { stdin: "rolloutPolicy: {name: rolloutPolicies/plain}" });
    const table = await rig.done("get rolloutpolicies");
    expect(`\n${table}`).toMatchInlineSnapshot(`
      "
      NAME                      STRATEGY    WAVES                                                BAKE                 ON FAILURE   STARTS
      rolloutPolicies/careful   staged      5% | 50% of eu-north,eu-west tier=edge | us | rest   10m | 0s | 5m | 5m   pause        automatically
      rolloutPolicies/plain     immediate   -                                                    -                    -            -
      "
    `);
    for (const words of ["policies", "policy", "p", "rolloutPolicies", "rolloutpolicy careful plain"])
      expect(await rig.done(`get ${words}`)).toBe(table);
    expect(await rig.done("get all")).toBe(table);
    const yaml = await rig.done("get rolloutPolicies/careful -o yaml");
    expect(await rig.done("apply -f -", { stdin: yaml })).toMatch(/^nothing to change/);
    await rig.done("apply -f -", { stdin: careful.replace("percent: 5,", "percent: 10,") });
    expect((await rig.run("diff 2 3")).stdout).toContain("-           percent: 5\n+           percent: 10\n");
    expect(await rig.done("show head")).toContain("~ rolloutPolicies/careful\n");
    expect(await rig.done("delete policy careful")).toBe("deleted rolloutPolicies/careful; now at revision 4\n");
    expect(await rig.run("get policy careful")).toMatchObject({ code: 1 });
    await rig.done("delete rolloutpolicy plain");
    expect((await rig.run("get policies")).stderr).toBe("no rollout policies\n");
  });
});

describe("a policy with mistakes is told by line and field, and changes nothing", () => {
  const cases: readonly (readonly [what: string, yaml: string, lines: readonly RegExp[]])[] = [
    [
      "what the control plane finds, each at its place",
      careful.replace("percent: 5,", "percent: 101,").replace("600s", "900000s").replace("[us]", "[us, us]"),
      [
        /^<stdin>:6:34: rolloutPolicy\.staged\.waves\[0\]\.percent: /,
        /^<stdin>:6:49: rolloutPolicy\.staged\.waves\[0\]\.bakeTime: /,
      ],
    ],
    [
      "no waves",
      "rolloutPolicy:\n  name: rolloutPolicies/default\n  staged: {}",
      [/^<stdin>:3:\d+: rolloutPolicy\.staged(\.waves)?: /],
    ],
    [
      "a word that is nearly right",
      careful.replace("percent: 5,", "precent: 5,"),
      [/^<stdin>:6:25: rolloutPolicy\.staged\.waves\[0\]\.precent: unknown field; did you mean percent\?/],
    ],
    [
      "a value that is none",
      careful.replace("ON_GATE_FAILURE_PAUSE", "pause"),
      [
        /^<stdin>:9:16: rolloutPolicy\.staged\.onFailure: must be one of ON_GATE_FAILURE_ROLL_BACK, ON_GATE_FAILURE_PAUSE, not the text "pause"/,
      ],
    ],
    [
      "a time without its unit",
      careful.replace("600s", "600"),
      [/^<stdin>:6:\d+: rolloutPolicy\.staged\.waves\[0\]\.bakeTime: must be a duration in seconds/],
    ],
    [
      "a gate's number",
      `${careful}    gates: {appliedMin: 0, refusedMax: 200000, connectFailures: {sampleMin: 1}}`,
      [
        /^<stdin>:11:40: rolloutPolicy\.staged\.gates\.refusedMax: /,
        /^<stdin>:11:\d+: rolloutPolicy\.staged\.gates\.connectFailures\.sampleMin: /,
      ],
    ],
  ];
  it.each(cases)("%s", async (_, stdin, lines) => {
    const { code, stdout, stderr } = await rig.run("apply -f -", { stdin });
    expect(stdout).toBe("");
    expect([1, 2]).toContain(code);
    const told = stderr.split("\n");
    for (const line of lines) expect(told).toContainEqual(expect.stringMatching(line));
    expect(await rig.done("get all")).toBe("");
  });
});
