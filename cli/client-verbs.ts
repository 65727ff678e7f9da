import { registerApply } from "./apply.ts";
import { registerAffinity } from "./affinity.ts";
import type { RegisterVerb } from "./context.ts";
import { registerDelete } from "./delete.ts";
import { registerDiff } from "./diff.ts";
import { registerExplain } from "./explain.ts";
import { registerGet } from "./get.ts";
import { registerHistory } from "./history.ts";
import { registerLog } from "./log.ts";
import { registerNodes } from "./nodes.ts";
import { registerRevert } from "./revert.ts";
import { registerRollout } from "./rollout.ts";
import { registerDrain, registerMaintenance, registerReady } from "./server-state.ts";
import { registerShow } from "./show.ts";
import { registerStatus } from "./status.ts";

/** The verbs that end by themselves, in the order of `--help`. */
export const clientVerbs: readonly RegisterVerb[] = [
  registerApply,
  registerGet,
  registerDelete,
  registerHistory,
  registerShow,
  registerDiff,
  registerRevert,
  registerRollout,
  registerDrain,
  registerReady,
  registerMaintenance,
  registerExplain,
  registerStatus,
  registerAffinity,
  registerNodes,
  registerLog,
];
