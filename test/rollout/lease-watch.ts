import { connect, type NatsConnection } from "nats";
import { LeaseStream } from "../../controlplane/nats/lease-stream.ts";
import { logNames } from "../../model/log-names.ts";
import { until } from "../fleet/real-fleet.ts";

/** Reads who of the replicas has the lease. To be closed. */
export class LeaseWatch {
  readonly #connection: NatsConnection;
  readonly #stream: LeaseStream;
  /** The process that was found last, by its replica's id. */
  readonly #found = new Map<string, string>();
  /** What these wrote last says nothing. */
  readonly #dead = new Set<string>();

  private constructor(connection: NatsConnection, stream: LeaseStream) {
    this.#connection = connection;
    this.#stream = stream;
  }

  static async open(natsUrl: string): Promise<LeaseWatch> {
    const connection = await connect({ servers: natsUrl });
    const options = { connection, names: logNames(), replicas: 1, timeoutMs: 10_000 };
    return new LeaseWatch(connection, await LeaseStream.of(options));
  }

  /** The replica id of the living process that wrote the lease last; waits for one. */
  async leader(): Promise<string> {
    let holder = "";
    await until("a replica that leads", async () => {
      const { record } = await this.#stream.end();
      if (record === null || record.released || this.#dead.has(record.holder)) return false;
      holder = record.holder;
      return true;
    });
    const id = idOf(holder);
    this.#found.set(id, holder);
    return id;
  }

  /** The process of this replica that was seen to lead is dead. */
  bury(replicaId: string): void {
    const holder = this.#found.get(replicaId);
    if (holder !== undefined) this.#dead.add(holder);
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

/** A holder is a replica's id and what tells its processes apart. */
function idOf(holder: string): string {
  return holder.split(" ")[0] as string;
}
