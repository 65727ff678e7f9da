import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { credentials } from "@grpc/grpc-js";
import { connect, type NatsConnection } from "nats";
import { ControlPlane } from "../../controlplane/control-plane.ts";
import { SqliteEventLog } from "../../controlplane/log/sqlite-event-log.ts";
import { NatsFleetBus } from "../../controlplane/nats/nats-fleet-bus.ts";
import { logNames } from "../../model/log-names.ts";
import {
  type DirectiveResult,
  type Directive,
  FleetServiceClient,
  type GetFleetResponse,
  type Node,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { answerOf } from "./answer-of.ts";
import { NodeSession } from "./node-session.ts";

/** A nats-server, and control planes that share their nodes over it; each has a log of its own, which they do not need. */
export class FleetRig {
  readonly nats: NatsServer;
  readonly faults: unknown[] = [];
  readonly #replicas: FleetReplica[] = [];

  private constructor(nats: NatsServer) {
    this.nats = nats;
  }

  static async start(): Promise<FleetRig> {
    return new FleetRig(await startNatsServer());
  }

  async replica(id: string): Promise<FleetReplica> {
    const replica = await FleetReplica.start(id, this.nats.url, this.faults);
    this.#replicas.push(replica);
    return replica;
  }

  /** @throws AggregateError where a replica met faults of its own */
  async close(): Promise<void> {
    for (const replica of this.#replicas) await replica.close();
    await this.nats.dispose();
    if (this.faults.length > 0) throw new AggregateError(this.faults, "the control planes met faults of their own");
  }
}

export class FleetReplica {
  readonly address: string;
  readonly #folder: string;
  readonly #connection: NatsConnection;
  readonly #bus: NatsFleetBus;
  readonly #plane: ControlPlane;
  readonly #client: FleetServiceClient;
  readonly #sessions: NodeSession[] = [];
  #closed = false;

  private constructor(folder: string, connection: NatsConnection, bus: NatsFleetBus, plane: ControlPlane) {
    this.#folder = folder;
    this.#connection = connection;
    this.#bus = bus;
    this.#plane = plane;
    this.address = `127.0.0.1:${plane.port}`;
    this.#client = new FleetServiceClient(this.address, credentials.createInsecure());
  }

  static async start(replicaId: string, url: string, faults: unknown[]): Promise<FleetReplica> {
    const folder = mkdtempSync(join(tmpdir(), "switchyard-fleet-"));
    const onFault = (error: unknown): void => void faults.push(error);
    const connection = await connect({ servers: url, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
    const bus = new NatsFleetBus({ connection, names: logNames(), replica: replicaId, onFault });
    const plane = await ControlPlane.start({
      log: await SqliteEventLog.open({ path: join(folder, "log.sqlite") }),
      adminAddress: "127.0.0.1:0",
      descriptors: readFileSync(new URL("../../proto/gen/image.binpb", import.meta.url)),
      softwareVersion: "test",
      now: Date.now,
      replicaId,
      fleetBus: bus,
      onFault,
    });
    return new FleetReplica(folder, connection, bus, plane);
  }

  node(): NodeSession {
    const session = new NodeSession(this.address);
    this.#sessions.push(session);
    return session;
  }

  getFleet(): Promise<GetFleetResponse> {
    return answerOf((answered) => this.#client.getFleet({}, answered));
  }

  async listNodes(): Promise<Node[]> {
    const request = { pageSize: 1000, pageToken: "" };
    const { nodes } = await answerOf<{ nodes: Node[] }>((answered) => this.#client.listNodes(request, answered));
    return nodes;
  }

  /** `n1@cp-1`, `n2@cp-2 gone`: who holds which node. */
  async holders(): Promise<string[]> {
    const nodes = await this.listNodes();
    return nodes.map(
      ({ name, replica, connected }) => `${name.slice("nodes/".length)}@${replica}${connected ? "" : " gone"}`,
    );
  }

  /** Looks until what is seen satisfies; replicas tell each other once a second. */
  async until<Seen>(look: () => Promise<Seen>, holds: (seen: Seen) => boolean): Promise<Seen> {
    const endMs = performance.now() + 30_000;
    for (;;) {
      const seen = await look();
      if (holds(seen)) return seen;
      if (performance.now() > endMs) throw new Error(`waited in vain; last seen: ${JSON.stringify(seen, asText)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async direct(name: string, action: NonNullable<Directive["action"]>): Promise<DirectiveResult | undefined> {
    const request = { name, directive: { id: "", action } };
    const { result } = await answerOf<{ result: DirectiveResult | undefined }>((answered) =>
      this.#client.directNode(request, answered),
    );
    return result;
  }

  /** As a process that is killed: nothing more is said on the bus, and the sessions break off. */
  async kill(): Promise<void> {
    await this.#connection.close();
    await this.close();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const session of this.#sessions) session.cancel();
    this.#client.close();
    await this.#plane.close(0);
    this.#bus.close();
    if (!this.#connection.isClosed()) await this.#connection.drain();
    rmSync(this.#folder, { recursive: true });
  }
}

function asText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
