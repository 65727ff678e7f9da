import { utf8ToBytes } from "@noble/hashes/utils.js";
import type { RolloutStepWish } from "../decide/command.ts";
import { LogUnavailable } from "../log/event-log.ts";
import type { CommitAnswer, Committer } from "../state/committer.ts";
import { QueueFull } from "../state/serial-queue.ts";

/** What came of a step; a text says why not. */
export type StepOutcome =
  | { readonly outcome: "taken" }
  /** Things are not as they were when it was decided: look again. */
  | { readonly outcome: "refused"; readonly detail: string }
  /** The log can't be written now. */
  | { readonly outcome: "unavailable"; readonly detail: string };

/** Takes a step of a rollout: the log's way in, as the controller needs it. */
export interface RolloutSteps {
  /** `requestId` is the same for the same step, whoever takes it. Throws only where something is broken. */
  take(step: RolloutStepWish, requestId: string, author: string, reason: string): Promise<StepOutcome>;
}

/** Steps as commits. */
export class CommittedSteps implements RolloutSteps {
  readonly #committer: Pick<Committer, "commit">;

  constructor(committer: Pick<Committer, "commit">) {
    this.#committer = committer;
  }

  async take(step: RolloutStepWish, requestId: string, author: string, reason: string): Promise<StepOutcome> {
    // Two replicas that take the same step have seen figures that differ a little: it is the same request nevertheless.
    const requestBytes = utf8ToBytes(requestId);
    try {
      const by = { requestId, requestBytes, author, reason, validateOnly: false };
      return outcomeOf(await this.#committer.commit(() => ({ type: "rollout", step }), by));
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
