import type { RolloutStepWish } from "../../controlplane/decide/command.ts";
import type { EventLog } from "../../controlplane/log/event-log.ts";
import { type CommandOrigin, type CommitAnswer, Committer } from "../../controlplane/state/committer.ts";
import { LiveConfiguration } from "../../controlplane/state/live-configuration.ts";
import { timeMs } from "./running-control-plane.ts";

/** Who asks for a step; its request is known by its id. */
export const stepBy = (requestId: string, validateOnly = false): CommandOrigin => {
  const requestBytes = new TextEncoder().encode(requestId);
  return { requestId, requestBytes, author: "an operator", reason: "it is time", validateOnly };
};

/** A replica that takes steps of rollouts, on a log that it does not own. */
export class RolloutSteps {
  readonly live: LiveConfiguration;
  readonly #committer: Committer;
  #count = 0;

  private constructor(log: EventLog, live: LiveConfiguration) {
    this.live = live;
    this.#committer = new Committer(log, live, () => timeMs);
  }

  static async on(log: EventLog): Promise<RolloutSteps> {
    const live = await LiveConfiguration.open(log, (error) => {
      throw error;
    });
    return new RolloutSteps(log, live);
  }

  ask(step: RolloutStepWish, by?: CommandOrigin): Promise<CommitAnswer> {
    this.#count += 1;
    return this.#committer.commit(() => ({ type: "rollout", step }), by ?? stepBy(`step-${this.#count}`));
  }

  /** The same; a refusal fails the test. */
  async take(step: RolloutStepWish): Promise<number> {
    const answer = await this.ask(step);
    if ("refused" in answer) throw new Error(JSON.stringify(answer));
    return answer.revision;
  }

  /** Releases a revision to the first wave of the default policy. */
  async start(revision: number): Promise<number> {
    await this.live.catchUp();
    const digest = await this.live.digestOf(revision);
    return this.take({ step: "start", target: { revision, digest }, policy: null });
  }
}
