import type { CommitFeed, CommitSink } from "../../dataplane/feed/commit-feed.ts";
import type { NodeSession } from "../../dataplane/telemetry/node-session.ts";

/**
 * A feed whose code is loaded when it begins to follow. A node that starts from its cache serves before that: gRPC or NATS
 * would take a quarter of its start.
 */
export class LazyFeed implements CommitFeed {
  readonly #load: () => Promise<CommitFeed>;

  constructor(load: () => Promise<CommitFeed>) {
    this.#load = load;
  }

  async follow(sink: CommitSink, signal: AbortSignal): Promise<void> {
    const feed = await this.#load();
    await feed.follow(sink, signal);
  }
}

/** A session, in the same way. */
export class LazySession implements NodeSession {
  readonly #load: () => Promise<NodeSession>;
  #session: NodeSession | undefined;

  constructor(load: () => Promise<NodeSession>) {
    this.#load = load;
  }

  async hold(signal: AbortSignal): Promise<void> {
    this.#session = await this.#load();
    await this.#session.hold(signal);
  }

  reportSoon(): void {
    this.#session?.reportSoon();
  }
}
