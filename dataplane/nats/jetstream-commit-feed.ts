import type { NatsConnection } from "nats";
import { logNames, namespaceDefault } from "../../model/log-names.ts";
import { parseNatsUrls } from "../../model/nats-servers.ts";
import { type Backoff, pause } from "../feed/backoff.ts";
import type { CommitFeed, CommitSink } from "../feed/commit-feed.ts";
import { connectNode } from "./connect-node.ts";
import { FeedSession } from "./feed-session.ts";
import { type FeedTimes, feedTimesDefault } from "./feed-times.ts";
import { ServedHistory } from "./served-history.ts";

export interface JetStreamCommitFeedOptions {
  /** `nats://HOST:PORT`, several with commas between: of the node's own region. */
  readonly servers: string;
  /** Of the installation. Default `switchyard`. */
  readonly namespace?: string;
  /** Names the connection, and the inbox that its permissions allow: `_INBOX_<node>.>`, with `_` for each dot of the id. */
  readonly nodeId: string;
  /** Between attempts that fail, of whatever kind. */
  readonly backoff: Backoff;
  /** Hears, in a sentence, why the feed was lost, or can't go on. */
  readonly onLost: (why: string) => void;
  readonly times?: Partial<FeedTimes>;
}

/**
 * Follows the log on JetStream: hears commits on the subject to which the stream republishes them, and reads what it
 * missed by direct get. It needs no consumer, and no permission beyond those of `deploy/nats`.
 *
 * The stream is the truth, the subject is a hint. Each commit continues the one before it, or is not delivered; a stream
 * that has another history than the node is never followed silently (`served-history.ts`).
 */
export class JetStreamCommitFeed implements CommitFeed {
  readonly #options: JetStreamCommitFeedOptions;

  /** @throws RangeError for a namespace or a URL that is none */
  constructor(options: JetStreamCommitFeedOptions) {
    logNames(options.namespace);
    parseNatsUrls(options.servers);
    this.#options = options;
  }

  async follow(sink: CommitSink, signal: AbortSignal): Promise<void> {
    const { servers, nodeId, namespace = namespaceDefault, backoff, onLost, times } = this.#options;
    const history = new ServedHistory(sink.position());
    const setting = { names: logNames(namespace), times: { ...feedTimesDefault, ...times }, backoff, onLost };
    for (let failures = 0; !signal.aborted; failures += 1) {
      let connection: NatsConnection | undefined;
      try {
        connection = await connectNode({ servers, nodeId });
        failures = 0;
        const session = new FeedSession(connection, setting, history, sink);
        await session.run(signal);
      } catch (error) {
        onLost(error instanceof Error ? error.message : String(error));
      } finally {
        await connection?.close();
      }
      if (signal.aborted) return;
      sink.state("disconnected");
      await pause(backoff.delayMs(failures), signal);
    }
  }
}
