import type { Command } from "commander";
import { CliFailure } from "../cli-failure.ts";
import { exitCode } from "../exit-code.ts";

/** Adds what verbs that watch a rollout have in common. */
export function addWatchOptions(command: Command): Command {
  return command
    .option("--watch", "show it until it has ended: on a terminal in place, else a line for each change")
    .option("--exit-on-pause", "with --watch: end when anybody pauses it, not only when a gate does");
}

/** Refuses what says something about watching where nothing is watched. */
export function checkWatchOptions({
  watch,
  exitOnPause,
}: {
  readonly watch?: boolean;
  readonly exitOnPause?: boolean;
}): void {
  if (exitOnPause === true && watch !== true)
    throw new CliFailure(exitCode.usage, "--exit-on-pause is for --watch: nothing is watched here");
}

/** What `--watch` ends with, for the help of a verb. */
export const watchExitCodes =
  "\n\n--watch ends with the rollout. Exit codes: 0 completed, 6 rolled back, 7 aborted, 8 paused by a gate that failed\n" +
  "(by anybody, with --exit-on-pause), 3 the control plane could not be reached at first, 130 interrupted; the rollout\n" +
  "itself goes on. Nodes have --timeout, once it has ended, to get where they belong.";
