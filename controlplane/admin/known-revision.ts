import type { Position } from "../../model/commit.ts";
import { Refused } from "./refused.ts";

/** A request's revision, which the log must have; `least` is 1 where a commit is wanted, 0 for a configuration. */
export function knownRevision(wanted: bigint, head: Position, least = 0): number {
  if (wanted >= least && wanted <= head.revision) return Number(wanted);
  const description = `the log has no revision ${wanted}; its last is ${head.revision}`;
  throw Refused.by("NOT_FOUND", [{ field: "revision", reason: "unknown_reference", description }]);
}
