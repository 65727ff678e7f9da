import { Backoff } from "../../dataplane/feed/backoff.ts";
import { JetStreamCommitFeed } from "../../dataplane/nats/jetstream-commit-feed.ts";
import type { SessionParts } from "../../controlplane/fleet/session.ts";
import type { Position } from "../../model/commit.ts";
import { SlowLink } from "../fleet/slow-link.ts";
import { SharedFeed } from "./shared-feed.ts";
import { SimulatedNode } from "./simulated-node.ts";
import { WiredSession } from "./wired-session.ts";

/** The tail is asked for often, so that a region which comes back is soon seen to be back. */
const feedTimes = { pollMs: 200 } as const;

/** Nodes of one region, behind one connection to NATS and one link to the control plane, which can be cut. */
export class SimulatedRegion {
  readonly name: string;
  readonly nodes: readonly SimulatedNode[];
  readonly #link: SlowLink;
  readonly #sessions: () => SessionParts | undefined;
  readonly #feed = new SharedFeed();
  readonly #stop = new AbortController();
  readonly #followed: Promise<void>;
  readonly #open = new Set<WiredSession>();
  #isCut = false;

  private constructor(parts: {
    name: string;
    link: SlowLink;
    count: number;
    sessions: () => SessionParts | undefined;
    random: () => number;
  }) {
    const { name, link, count, sessions, random } = parts;
    this.name = name;
    this.#link = link;
    this.#sessions = sessions;
    this.nodes = Array.from({ length: count }, (_none, index) => {
      const identity = { id: `${name}-${index}`, region: name, labels: { rack: String(index % 10) } };
      return new SimulatedNode({
        identity,
        random,
        feed: () => this.#feed,
        session: (hello, host) => this.#session(new WiredSession(hello, host)),
      });
    });
    const upstream = new JetStreamCommitFeed({
      servers: `nats://127.0.0.1:${link.port}`,
      nodeId: name,
      backoff: new Backoff(20, 100, random),
      onLost: () => undefined,
      times: feedTimes,
    });
    this.#followed = upstream.follow(this.#feed, this.#stop.signal);
  }

  /** `sessions` is the control plane that has the nodes' sessions now. */
  static async start(options: {
    readonly name: string;
    readonly natsPort: number;
    readonly nodes: number;
    readonly sessions: () => SessionParts | undefined;
    readonly random: () => number;
  }): Promise<SimulatedRegion> {
    const { name, natsPort, nodes: count, sessions, random } = options;
    const link = await SlowLink.open({ host: "127.0.0.1", port: natsPort }, 0);
    return new SimulatedRegion({ name, link, count, sessions, random });
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  /** How far the log was heard here. */
  get heard(): Position {
    return this.#feed.position();
  }

  /** Nobody in the region hears anything, or is heard. */
  cut(): void {
    this.#isCut = true;
    this.#link.cut();
    for (const session of this.#open) session.cut();
  }

  mend(): void {
    this.#isCut = false;
    this.#link.mend();
    this.connect();
  }

  /** Every session ends, and is opened anew with whoever has the nodes' sessions now. */
  connect(): void {
    const parts = this.#sessions();
    for (const session of this.#open) {
      session.cut();
      if (parts !== undefined && !this.#isCut) session.open(parts);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()));
    this.#stop.abort();
    await this.#followed;
    await this.#link.close();
  }

  #session(session: WiredSession): WiredSession {
    this.#open.add(session);
    session.onClose = () => this.#open.delete(session);
    const parts = this.#sessions();
    if (parts !== undefined && !this.#isCut) queueMicrotask(() => session.open(parts));
    return session;
  }
}
