import { expect, test } from "vitest";
import { ReleaseHistory, staged } from "../../test/controlplane/release-history.ts";
import type { CommandAt } from "../state/committer.ts";
import { newestStep, type NextStep } from "./next-step.ts";
import { CommittedSteps } from "./rollout-steps.ts";

const start = { step: "start", target: null, policy: null } as const;

test.each([
  ["nothing", [], "taken"],
  ["another change of the configuration", ["change"], "taken"],
  ["a pause and a resumption", ["pause", "resume"], "refused"],
] as const)("a step that was decided before %s came is %s", async (_, between, outcome) => {
  const history = new ReleaseHistory();
  history.setDefault(staged({ title: "first" }, { title: "second" }));
  history.change();
  history.ask(start);
  const record = history.releases.rollouts.at(-1);
  if (record === undefined) throw new Error("no rollout was started");
  const next: NextStep = {
    step: { step: "release_wave", rollout: record.name, wave: 1, judgement: null },
    seenStep: newestStep(record),
    requestId: "one",
    reason: "",
  };
  for (const each of between) {
    if (each === "change") history.change();
    else if (each === "pause") history.ask({ step: "pause", rollout: null, failedGate: null, judgement: null });
    else history.ask({ step: "resume", rollout: null });
  }
  const commit = async (commandAt: CommandAt) => {
    const command = commandAt(history.configuration);
    if ("refused" in command) return command;
    if (command.type !== "rollout") throw new Error(`a command of another type: ${command.type}`);
    const answer = history.ask(command.step);
    return "refused" in answer ? answer : { revision: history.head, lines: [], releases: answer.releases };
  };
  expect(await new CommittedSteps({ commit }).take(next, "one")).toMatchObject({ outcome });
});
