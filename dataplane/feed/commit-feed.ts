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
  /** How far the node knows the log, whatever it serves of it; asked at each (re)connect. */
  position(): Position;
  /** A snapshot beyond this revision is of no use: the node is to go back to it. Undefined where any will do. */
  readonly snapshotRevisionMax?: number | undefined;
  /**
   * The next commit in order. The sink checks the chain. `more`: this is what the log had already, or a beacon comes right
   * behind it, so that nothing is to be concluded from its being the last one so far. Rejects to have the feed start over
   * from the sink's position, by snapshot where there is one.
   */
  commit(sealed: SealedCommit, more?: boolean): Promise<void>;
  /** A whole configuration to go on from. It is served once the end of the log is heard. */
  snapshot(configuration: Configuration): Promise<void>;
  /** Where the log stands, heard now: current, or behind. Rejects as `commit` does. */
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
