import { utf8ToBytes } from "@noble/hashes/utils.js";
import type { Configuration } from "../../model/configuration.ts";
import type { Command, Refusal } from "../decide/command.ts";
import { stateRefusal } from "../decide/refusal.ts";
import { LogUnavailable } from "../log/event-log.ts";
import type { CommitAnswer, Committer } from "../state/committer.ts";
import { QueueFull } from "../state/serial-queue.ts";
import { newestStep, type NextStep } from "./next-step.ts";

/** What came of a step; a text says why not. */
export type StepOutcome =
  | { readonly outcome: "taken" }
  /** Things are not as they were when it was decided: look again. */
  | { readonly outcome: "refused"; readonly detail: string }
  /** The log can't be written now. */
  | { readonly outcome: "unavailable"; readonly detail: string };

/** Takes a step of a rollout: the log's way in, as the controller needs it. */
export interface RolloutSteps {
  /** Throws only where something is broken. */
  take(next: NextStep, author: string): Promise<StepOutcome>;
}

/** Steps as commits. */
export class CommittedSteps implements RolloutSteps {
  readonly #committer: Pick<Committer, "commit">;

  constructor(committer: Pick<Committer, "commit">) {
    this.#committer = committer;
  }

  async take({ step, seenStep, requestId, reason }: NextStep, author: string): Promise<StepOutcome> {
    // Two replicas that take the same step have seen figures that differ a little: it is the same request nevertheless.
    const requestBytes = utf8ToBytes(requestId);
    try {
      const by = { requestId, requestBytes, author, reason, validateOnly: false };
      // A rollout that was paused and resumed meanwhile looks the same to the decider, and is to be judged anew.
      const commandAt = ({ releases }: Configuration): Command | Refusal =>
        newestStep(releases.rollouts.at(-1)) === seenStep
          ? { type: "rollout", step }
          : stateRefusal("name", `another step came after revision ${seenStep}, which this one was decided by`);
      return outcomeOf(await this.#committer.commit(commandAt, by));
    } catch (error) {
      if (error instanceof LogUnavailable || error instanceof QueueFull)
        return { outcome: "unavailable", detail: error.message };
      throw error;
    }
  }
}

function outcomeOf(answer: CommitAnswer): StepOutcome {
  if (!("refused" in answer)) return { outcome: "taken" };
  const violations = "violations" in answer ? answer.violations.map(({ description }) => description) : [];
  return { outcome: "refused", detail: [answer.refused, ...violations].join(": ") };
}
