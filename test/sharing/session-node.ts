import { Backoff } from "../../dataplane/feed/backoff.ts";
import { SessionLearntExchange } from "../../dataplane/sharing/session-learnt-exchange.ts";
import { FleetSession } from "../../dataplane/telemetry/fleet-session.ts";
import type { SessionHost } from "../../dataplane/telemetry/node-session.ts";
import { PendingTraffic } from "../../dataplane/telemetry/pending-traffic.ts";
import { followedTo, quietState } from "../support/node-state.ts";
import { RecordingHost } from "./recording-host.ts";

/** A node's exchange by way of its session with a control plane. */
export class SessionNode {
  readonly host = new RecordingHost();
  readonly lost: string[] = [];
  readonly exchange = new SessionLearntExchange(this.host, () => performance.now());
  readonly #stop = new AbortController();
  readonly #holding: Promise<void>;

  constructor(address: string, nodeId: string, region = "eu", before: (node: SessionNode) => void = () => undefined) {
    before(this);
    const session = new FleetSession({
      addresses: [address],
      hello: {
        nodeId,
        region,
        labels: {},
        bootId: "b",
        softwareVersion: "t",
        engine: "portable",
        lastKnownGoodRevision: 0n,
        lastKnownGoodDigest: new Uint8Array(0),
      },
      host: quietNode(),
      learnt: this.exchange,
      backoff: new Backoff(1, 20, () => 0.5),
      random: () => 0,
      onLost: (_address, why) => this.lost.push(why),
    });
    this.#holding = session.hold(this.#stop.signal);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#holding;
  }
}

/** A node of which there is nothing to tell. */
function quietNode(): SessionHost {
  const state = quietState(followedTo(1));
  const nothing = async (): Promise<void> => undefined;
  return {
    state: () => state,
    traffic: new PendingTraffic(),
    drain: nothing,
    undrain: nothing,
    resync: () => undefined,
    setLogLevel: () => undefined,
    table: async () => ({ position: state.follower.position, entries: [], truncated: false }),
    explain: () => "nothing is known",
  };
}
