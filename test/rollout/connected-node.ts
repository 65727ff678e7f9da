import { Backoff } from "../../dataplane/feed/backoff.ts";
import { JetStreamCommitFeed } from "../../dataplane/nats/jetstream-commit-feed.ts";
import { FleetSession } from "../../dataplane/telemetry/fleet-session.ts";
import type { SessionHost } from "../../dataplane/telemetry/node-session.ts";
import type { NodeIdentity } from "../../model/node-identity.ts";
import type { NodeHello } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { SimulatedNode } from "./simulated-node.ts";
import type { SimulatedSession } from "./simulated-session.ts";

/** Where a node connects to, and as whom. */
export interface NodePlace {
  readonly identity: NodeIdentity;
  readonly natsUrl: string;
  /** Admin addresses of control planes. */
  readonly controls: readonly string[];
  /** From 0 to 1. */
  readonly random: () => number;
}

/** A simulated node that talks to real processes, as a real one does: over a NATS connection and a gRPC session of its own. */
export function connectedNode({ identity, natsUrl, controls, random }: NodePlace): SimulatedNode {
  const backoff = (): Backoff => new Backoff(50, 200, random);
  const feed = { servers: natsUrl, nodeId: identity.id, onLost: () => undefined };
  return new SimulatedNode({
    identity,
    random,
    feed: () => new JetStreamCommitFeed({ ...feed, backoff: backoff() }),
    session: (hello, host) => new HeldSession({ addresses: controls, hello, host, backoff: backoff(), random }),
  });
}

class HeldSession implements SimulatedSession {
  readonly #session: FleetSession;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;

  constructor(options: {
    addresses: readonly string[];
    hello: NodeHello;
    host: SessionHost;
    backoff: Backoff;
    random: () => number;
  }) {
    this.#session = new FleetSession({ ...options, onLost: () => undefined });
    this.#ended = this.#session.hold(this.#stop.signal);
  }

  /** It is sought for as long as the node lives. */
  get held(): boolean {
    return !this.#stop.signal.aborted;
  }

  reportSoon(): void {
    this.#session.reportSoon();
  }

  /** It has a timer for that. */
  trafficSoon(): void {
    this.reportSoon();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }
}
