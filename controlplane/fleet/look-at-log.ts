import { LogCorrupt, LogUnavailable } from "../log/event-log.ts";
import type { LiveConfiguration } from "../state/live-configuration.ts";

/**
 * Catches up with the log where that is possible. What the nodes do is asked most of all when the log is in trouble: it is
 * answered by what this replica has folded so far.
 */
export async function lookAtLog(live: Pick<LiveConfiguration, "catchUp">): Promise<void> {
  try {
    await live.catchUp();
  } catch (error) {
    if (!(error instanceof LogUnavailable || error instanceof LogCorrupt)) throw error;
  }
}
