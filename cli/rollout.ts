import type { Command } from "commander";
import type { CliContext } from "./context.ts";
import { registerEmergency } from "./rollout/emergency-release.ts";
import { registerList } from "./rollout/list-rollouts.ts";
import { registerPlan } from "./rollout/plan-rollout.ts";
import { registerStatus } from "./rollout/rollout-status.ts";
import { registerSteps } from "./rollout/rollout-steps.ts";
import { registerStart } from "./rollout/start-rollout.ts";
import { examples } from "./run-cli.ts";

/** Bringing revisions to the nodes in waves, and back. */
export function registerRollout(program: Command, context: CliContext): void {
  const rollout = program
    .command("rollout")
    .description("Release a revision to the fleet in waves, with gates between them; watch it; take it back.")
    .addHelpText(
      "after",
      examples(
        ["switchyard rollout plan", "what a rollout would do"],
        ["switchyard rollout start --watch", "do it, and see it through"],
        ["switchyard rollout rollback", "every node back to what it had before"],
      ),
    );
  registerPlan(rollout, context);
  registerStart(rollout, context);
  registerStatus(rollout, context);
  registerList(rollout, context);
  registerSteps(rollout, context);
  registerEmergency(rollout, context);
}
