import { RolloutState } from "../../proto/gen/switchyard/config/v1/releases.ts";
import type { WaveCounts } from "../../proto/gen/switchyard/config/v1/releases.ts";
import type { Rollout } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import { exitCode } from "../exit-code.ts";
import type { ExitCode } from "../exit-code.ts";
import { gateClause } from "../output/release-text.ts";

/** How watching a rollout ends. */
export interface RolloutEnd {
  readonly code: ExitCode;
  readonly text: string;
  /** Reachable nodes that are not yet where the end of the rollout has them; undefined where there is nothing to wait for. */
  readonly unsettled: number | undefined;
}

/**
 * The end that a rollout has come to; undefined while it goes on. A gate that paused it is an end too: nothing happens until an
 * operator decides, and a pipeline that waited for that would hang. An operator's own pause is not, unless it is asked for.
 */
export function endOf(rollout: Rollout, exitOnPause: boolean): RolloutEnd | undefined {
  const { name, state, targetRevision, decisions } = rollout;
  const gate = decisions.at(-1)?.failedGate ?? "";
  switch (state) {
    case RolloutState.ROLLOUT_STATE_COMPLETED:
      return {
        code: exitCode.ok,
        text: `${name} completed: revision ${targetRevision} is released to all nodes`,
        unsettled: sumOf(rollout, ({ reachable, applied }) => Math.max(0, reachable - applied)),
      };
    case RolloutState.ROLLOUT_STATE_ROLLED_BACK:
      return {
        code: exitCode.rolledBack,
        text: `${name} rolled back${gateClause(gate)}`,
        unsettled: sumOf(rollout, ({ applied }) => applied),
      };
    case RolloutState.ROLLOUT_STATE_ABORTED:
      return {
        code: exitCode.aborted,
        text: `${name} aborted: released nodes keep revision ${targetRevision}`,
        unsettled: 0,
      };
    case RolloutState.ROLLOUT_STATE_PAUSED:
      if (gate === "" && !exitOnPause) return undefined;
      return {
        code: exitCode.paused,
        text: `${name} paused${gateClause(gate)}; resume, promote, abort or rollback decides`,
        unsettled: undefined,
      };
    case RolloutState.ROLLOUT_STATE_RUNNING:
    case RolloutState.ROLLOUT_STATE_UNSPECIFIED:
      return undefined;
  }
}

function sumOf({ waves }: Rollout, count: (counts: WaveCounts) => number): number {
  return waves.reduce((sum, { counts }) => sum + (counts === undefined ? 0 : count(counts)), 0);
}
