import { Backoff } from "../../dataplane/feed/backoff.ts";
import { NatsLearntExchange } from "../../dataplane/nats/nats-learnt-exchange.ts";
import { RecordingHost } from "./recording-host.ts";

/** A node's exchange over NATS. */
export class NatsNode {
  readonly host = new RecordingHost();
  readonly lost: string[] = [];
  readonly exchange: NatsLearntExchange;
  readonly #stop = new AbortController();
  readonly #holding: Promise<void>;

  constructor(servers: string, nodeId: string, region = "eu", before: (node: NatsNode) => void = () => undefined) {
    this.exchange = new NatsLearntExchange({
      servers,
      nodeId,
      region,
      host: this.host,
      nowMs: () => performance.now(),
      backoff: new Backoff(1, 20, () => 0.5),
      onLost: (why) => this.lost.push(why),
    });
    before(this);
    this.#holding = this.exchange.hold(this.#stop.signal);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#holding;
  }
}
