import type { SealedCommit } from "../../model/commit.ts";
import type { Configuration } from "../../model/configuration.ts";

/**
 * Keeps what a node serves, for its next start. The follower calls and goes on: nothing waits for it, and it never
 * throws. The configuration that it is handed may be looked at until `changing` says that it is about to change.
 */
export interface ServedJournal {
  /** The configuration that was handed over last is about to change. */
  changing(): void;
  /** Commits in order were carried out, of which only the last one changed the configuration; `served` has them. */
  committed(commits: readonly SealedCommit[], served: Configuration): void;
  /** Another configuration is served, which does not continue the one before. */
  replaced(served: Configuration): void;
}
