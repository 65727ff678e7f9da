import type { Position, SealedCommit } from "../../model/commit.ts";
import type { Configuration } from "../../model/configuration.ts";

/**
 * Where a node's commits come from. The feed owns its connection and its retries; it delivers in order, from the
 * position that the sink names, and stops between two deliveries until the sink's promise settles.
 */
export interface CommitFeed {
  /** Follows until the signal aborts. Resolves then, and only then. */
  follow(sink: CommitSink, signal: AbortSignal): Promise<void>;
}

export type FeedState = "following" | "silent" | "disconnected";

export interface CommitSink {
  /** Where the node stands; asked at each (re)connect. */
  position(): Position;
  /** The next commit in order. The sink checks the chain. Rejects to have the feed start over by snapshot. */
  commit(sealed: SealedCommit): Promise<void>;
  /** A whole configuration that replaces what the node has. */
  snapshot(configuration: Configuration): Promise<void>;
  /** Where the log stands, heard now: current, or behind. */
  beacon(head: Position): Promise<void>;
  /**
   * The feed was lost, or is back. The node serves on. `silent`: the server answers, but for some seconds no replica has
   * vouched that its end of the log is the whole log.
   */
  state(state: FeedState): void;
  /** The log ends before where the node stands: a tail was lost. It keeps serving what it has until the log is repaired. */
  behind(head: Position): void;
  /** The log has another history than the node: it keeps serving and asks for a snapshot. */
  forked(detail: string): void;
}
