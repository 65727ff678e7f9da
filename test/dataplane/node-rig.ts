import { DataPlaneNode } from "../../dataplane/data-plane-node.ts";
import type { ClosedConnection, ConnectionHandler, Engine } from "../../dataplane/engine/engine.ts";
import { createPortableEngine } from "../../dataplane/engine/portable-engine.ts";
import { Backoff } from "../../dataplane/feed/backoff.ts";
import type { CommitFeed, CommitSink } from "../../dataplane/feed/commit-feed.ts";
import { GrpcCommitFeed } from "../../dataplane/feed/grpc-commit-feed.ts";
import type { RoutedConnection } from "../../dataplane/routed-connection.ts";
import type { LearntExchange } from "../../dataplane/sharing/learnt-exchange.ts";
import { FleetSession } from "../../dataplane/telemetry/fleet-session.ts";
import type { Node } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { leftOver, type OpenResources, openResources } from "../support/open-resources.ts";
import { TlsTestServer } from "../support/tls-test-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { TestControlPlane } from "./test-control-plane.ts";
import { TlsClient } from "./tls-client.ts";

type CreateEngine = (handler: ConnectionHandler) => Engine;

export interface EndedConnection {
  readonly closed: ClosedConnection;
  readonly routed: RoutedConnection | undefined;
}

/** A feed that tells up to where its sink has carried things out: a beacon comes when all before it has settled. */
class WatchedFeed implements CommitFeed {
  carriedOut = -1;
  readonly #feed: CommitFeed;

  constructor(feed: CommitFeed) {
    this.#feed = feed;
  }

  follow(sink: CommitSink, signal: AbortSignal): Promise<void> {
    const watched: CommitSink = {
      position: () => sink.position(),
      get snapshotRevisionMax() {
        return sink.snapshotRevisionMax;
      },
      commit: (sealed, more) => sink.commit(sealed, more),
      snapshot: (configuration) => sink.snapshot(configuration),
      beacon: async (head) => {
        await sink.beacon(head);
        this.carriedOut = head.revision;
      },
      state: (state) => sink.state(state),
      behind: (head) => sink.behind(head),
      forked: (detail) => sink.forked(detail),
    };
    return this.#feed.follow(watched, signal);
  }
}

/** A node, its control plane, and TLS servers behind it, for one test. Closing it proves that nothing is left. */
export class NodeRig {
  readonly controlPlane: TestControlPlane;
  readonly node: DataPlaneNode;
  readonly faults: Error[] = [];
  readonly ended: EndedConnection[] = [];
  readonly #feed: WatchedFeed;
  readonly #before: OpenResources;
  readonly #things: { close(): Promise<void> }[] = [];

  private constructor(
    before: OpenResources,
    controlPlane: TestControlPlane,
    createEngine: CreateEngine,
    exchange: LearntExchange | undefined,
  ) {
    this.#before = before;
    this.controlPlane = controlPlane;
    const { address } = controlPlane;
    const backoff = new Backoff(5, 50, Math.random);
    const parts = { addresses: [address], backoff, random: () => 0, onLost: () => undefined };
    const hello = {
      nodeId: "n1",
      region: "",
      labels: {},
      bootId: "b",
      softwareVersion: "test",
      engine: "portable",
      lastKnownGoodRevision: 0n,
      lastKnownGoodDigest: new Uint8Array(0),
    };
    this.#feed = new WatchedFeed(new GrpcCommitFeed(parts));
    this.node = new DataPlaneNode({
      createEngine,
      feed: this.#feed,
      session: (host) => new FleetSession({ ...parts, hello, host }),
      exchange: exchange && (() => exchange),
      identity: { id: "n1", region: "", labels: {} },
      instance: "n1",
      resolve: async () => ({ addresses: [], ttlMs: 1000, missing: null }),
      hashSeed: 1,
      random: Math.random,
      monotonicMs: () => performance.now(),
      wallMs: Date.now,
      onClosed: (closed, routed) => this.ended.push({ closed, routed }),
      onFault: (error) => this.faults.push(error),
      onHealth: () => undefined,
      onUnresolved: () => undefined,
      onState: () => undefined,
    });
    void this.node.start();
  }

  static async start(createEngine: CreateEngine = createPortableEngine, exchange?: LearntExchange): Promise<NodeRig> {
    const before = openResources();
    return new NodeRig(before, await TestControlPlane.start(), createEngine, exchange);
  }

  /** Commits, and waits until the node has it. */
  async apply(resources: readonly object[], prune = false): Promise<number> {
    const revision = await this.controlPlane.apply(resources, prune);
    await this.reaches(revision);
    return revision;
  }

  /** Waits until the node stands at a revision, and has carried it out as far as it can. */
  async reaches(revision: number): Promise<void> {
    await waitFor(`revision ${revision} at the node`, () => {
      const { loaded, position } = this.node.state;
      return loaded && position.revision === revision && this.#feed.carriedOut === revision;
    });
  }

  /** Waits until the fleet view has the node in such a state. */
  async reported(what: string, holds: (node: Node) => boolean): Promise<Node> {
    let seen: Node | undefined;
    let asking = false;
    return waitFor(`${what} in the node's report`, () => {
      if (seen !== undefined && holds(seen)) return seen;
      if (!asking) {
        asking = true;
        void this.controlPlane.node("n1").then((node) => {
          seen = node;
          asking = false;
        });
      }
      return undefined;
    });
  }

  async server(name: string): Promise<TlsTestServer> {
    return this.keep(await TlsTestServer.listen(name));
  }

  async client(port: number, serverName: string | undefined): Promise<TlsClient> {
    return this.keep(await TlsClient.connect(port, serverName));
  }

  /** Has something closed at the end, the last one first. */
  keep<Thing extends { close(): Promise<void> }>(thing: Thing): Thing {
    this.#things.unshift(thing);
    return thing;
  }

  /** The connection that ended as the n-th, from 1. */
  async endedAs(nth: number): Promise<EndedConnection> {
    return waitFor(`the end of connection ${nth}`, () => this.ended[nth - 1]);
  }

  async close(): Promise<void> {
    await this.node.close(0);
    for (const thing of this.#things) await thing.close();
    await this.controlPlane.close();
    let left = "";
    await waitFor(
      "everything to be closed",
      () => (left = leftOver(this.#before, openResources())) === "",
      10_000,
    ).catch((error: unknown) => {
      throw new Error(`left over: ${left}`, { cause: error });
    });
    if (this.faults.length > 0) throw new AggregateError(this.faults, "the engine met faults");
  }
}

export function listener(id: string, ports: readonly number[], more: object = {}): object {
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  return { listener: { name: `listeners/${id}`, addresses, ...more } };
}

export function farm(id: string, more: object = {}): object {
  return { farm: { name: `farms/${id}`, ...more } };
}

export function server(of: string, id: string, address: string, more: object = {}): object {
  return { server: { name: `farms/${of}/servers/${id}`, address, ...more } };
}

export function route(on: string, id: string, match: object, action: object): object {
  return { route: { name: `listeners/${on}/routes/${id}`, match, action } };
}
