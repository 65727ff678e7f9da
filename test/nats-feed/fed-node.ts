import { Backoff } from "../../dataplane/feed/backoff.ts";
import type { FeedTimes } from "../../dataplane/nats/feed-times.ts";
import { JetStreamCommitFeed } from "../../dataplane/nats/jetstream-commit-feed.ts";
import type { CommitSink } from "../../dataplane/feed/commit-feed.ts";

/** Shorter than in life, where a test would wait for them. */
export const testTimes: FeedTimes = { pollMs: 100, silentAfterMs: 600, behindAfterMs: 300, requestTimeoutMs: 500 };

/** A feed that follows into a sink until it is stopped. */
export class FedNode {
  /** Why the feed was lost, each time. */
  readonly lost: string[] = [];
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(servers: string, sink: CommitSink, times: Partial<FeedTimes> = {}, nodeId = "n1") {
    const feed = new JetStreamCommitFeed({
      servers,
      nodeId,
      backoff: new Backoff(20, 200, Math.random),
      onLost: (why) => this.lost.push(why),
      times: { ...testTimes, ...times },
    });
    this.#done = feed.follow(sink, this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }
}
