import type { HealthReason } from "../../model/health-reason.ts";
import type { ConnectFailure } from "../../model/reason.ts";

const reasons = {
  refused: "connect_refused",
  timeout: "connect_timeout",
  unreachable: "connect_unreachable",
  reset: "connect_reset",
  local_limit: "local_limit",
  other: "connect_other",
  reset_before_reply: "reset_before_reply",
} as const satisfies Record<ConnectFailure | "reset_before_reply", HealthReason>;

/** The word for a failed connection as health has it. */
export function connectReason(failure: ConnectFailure | "reset_before_reply"): HealthReason {
  return reasons[failure];
}
