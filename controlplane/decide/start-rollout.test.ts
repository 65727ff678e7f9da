import { describe, expect, test } from "vitest";
import { abort, emergency, given, short, start } from "../../test/controlplane/given-rollout.ts";
import { policy, ReleaseHistory, staged } from "../../test/controlplane/release-history.ts";
import type { RolloutStepWish } from "./command.ts";
import { layersMax } from "./start-rollout.ts";

describe("a start", () => {
  const at = (revision: number, name: `rolloutPolicies/${string}` | null = null): RolloutStepWish => ({
    step: "start",
    target: { revision, digest: new Uint8Array(32).fill(revision) },
    policy: name,
  });
  test("says what is under way", () => {
    expect(given(start).when(start).words).toEqual([
      "name: rollouts/r3 is under way (revision 2, 1 of 3 waves are released): complete, abort or roll it back first",
    ]);
  });
  test("is of a revision that the log has", () => {
    const words =
      "target_revision: the log has no revision 9; its last is 2, and 2 is the newest that changed the configuration";
    for (const step of [at(9), { ...emergency, target: { revision: 9, digest: new Uint8Array(32) } }]) {
      const asked = given().when(step);
      expect([asked.outcome, asked.words]).toEqual(["NOT_FOUND", [words]]);
    }
    expect(given().when(at(0)).outcome).toBe("NOT_FOUND");
    expect(given().when(at(1)).words).toEqual(["target_revision: every node runs revision 1 already"]);
    expect(new ReleaseHistory().ask(start)).toMatchObject({ refused: "NOTHING_TO_RELEASE" });
  });
  test("of a step of a rollout is of the configuration there; its digest is that of the head", () => {
    const history = new ReleaseHistory();
    history.setDefault(staged({ percent: 5 }));
    history.change();
    for (const step of [start, abort]) history.ask(step);
    expect(history.ask(at(4))).toMatchObject({
      releases: [{ start: { targetRevision: 2, targetDigest: history.configuration.digest } }, {}],
    });
    history.ask(abort);
    history.change();
    expect(history.ask(at(4))).toMatchObject({ releases: [{ start: { targetRevision: 2 } }, {}] });
  });
  test("of an earlier revision keeps the digest that it came with", () => {
    const history = new ReleaseHistory();
    history.setDefault(staged({ percent: 5 }));
    history.change();
    history.change();
    expect(history.ask(at(2))).toMatchObject({
      releases: [{ start: { targetRevision: 2, targetDigest: new Uint8Array(32).fill(2) } }, {}],
    });
  });
  test("is by a policy that there is", () => {
    const asked = given().when(at(2, "rolloutPolicies/night"));
    expect(asked.outcome).toBe("NOT_FOUND");
    expect(asked.words).toEqual([
      "policy: there is no rolloutPolicies/night; there are: rolloutPolicies/changed, rolloutPolicies/default",
    ]);
    expect(given().when(at(2, "rolloutPolicies/changed")).outcome).toBe(
      "rollouts/r3 started 2: change 2; rollouts/r3 wave 0",
    );
  });
  test("without a policy, or by one that does not stage, is complete at once", () => {
    const history = new ReleaseHistory();
    history.change();
    history.change();
    for (const revision of [1, 2]) {
      const before = history.head + 1;
      const decision = history.ask(at(revision));
      if ("refused" in decision) throw new Error(JSON.stringify(decision));
      const name = `rollouts/r${before}`;
      expect(decision.releases.map(short)).toEqual([
        `${name} started ${revision}: `,
        `${name} wave 0`,
        `${name} completed`,
      ]);
      expect(history.releases).toMatchObject({ base: revision, layers: [] });
      history.commit({ type: "created", resource: policy(null) });
      history.change();
    }
  });
  test("takes every node, whatever its policy's waves leave out", () => {
    const history = new ReleaseHistory();
    history.setDefault(staged({ percent: 100, regions: ["eu"] }, {}, { percent: 5 }));
    history.change();
    const waves = (): string[] => history.releases.rollouts.at(-1)?.start.staged.waves.map(({ title }) => title) ?? [];
    history.ask(start);
    expect(waves()).toEqual(["wave 1", "wave 2", "wave 3"]);
    history.ask(abort);
    history.setDefault(staged({ regions: ["eu"] }));
    history.ask(start);
    expect(waves()).toEqual(["wave 1", "the rest"]);
  });
  test("is refused where aborted rollouts have left too many revisions in use, unless it clears them", () => {
    const history = new ReleaseHistory();
    history.setDefault(staged({ percent: 5 }));
    for (let aborted = 0; aborted < layersMax; aborted += 1) {
      history.change();
      for (const step of [start, abort]) expect(history.ask(step)).not.toHaveProperty("refused");
    }
    history.change();
    const refused = history.ask(start);
    expect(refused).toMatchObject({ refused: "ROLLOUT_STATE" });
    expect(JSON.stringify(refused)).toContain("8 aborted rollouts have left nodes on revisions of their own");
    history.setDefault(staged({ percent: 5 }));
    history.commit({ type: "created", resource: policy(null, "rolloutPolicies/at-once") });
    expect(history.ask({ step: "start", target: null, policy: "rolloutPolicies/at-once" })).not.toHaveProperty(
      "refused",
    );
    expect(history.releases.layers).toEqual([]);
  });
});
