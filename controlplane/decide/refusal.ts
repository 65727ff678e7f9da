import type { Violation } from "../../model/violation.ts";
import type { Refusal, RefusalReason } from "./command.ts";

/** A refusal for one thing. */
export function refusal(
  refused: RefusalReason,
  field: string,
  reason: Violation["reason"],
  description: string,
): Refusal {
  return { refused, violations: [{ field, reason, description }] };
}

/** One for what is not in the state that the command needs. */
export function stateRefusal(field: string, description: string): Refusal {
  return refusal("ROLLOUT_STATE", field, "conflict", description);
}
