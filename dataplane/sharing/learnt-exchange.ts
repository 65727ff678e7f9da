import type { Learnt } from "../../model/learnt.ts";

/**
 * The way to the other nodes of the region. Nothing waits for it, and nothing is lost by it that would not be learnt again:
 * what can't be sent is merged or dropped, within limits.
 */
export interface LearntExchange {
  /** Tells the others, soon: within some tens of milliseconds, many in one message. */
  publish(learnt: Learnt): void;
  /** Asks what the others know; their answers come to `LearntHost.take`. Done by itself at each connection. */
  ask(): void;
  /** Shares until the signal aborts; resolves when nothing of it is left. What is published before is kept for then. */
  hold(signal: AbortSignal): Promise<void>;
}

/** The node, for an exchange. */
export interface LearntHost {
  /** What another node learnt. */
  take(learnt: Learnt): void;
  /** All that this node knows, the most useful first, in parts of at most so many entries. */
  known(entriesMax: number): Iterable<Learnt>;
}
