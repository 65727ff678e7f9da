import { randomUUID } from "node:crypto";
import { Metadata, type ServiceError } from "@grpc/grpc-js";
import type { ApplyResponse, ConfigServiceClient, Write } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import { Server } from "../../proto/gen/switchyard/config/v1/resources.ts";
import type { RealFleet } from "./real-fleet.ts";

/** A commit that a replica acknowledged. */
export interface Acknowledged {
  readonly requestId: string;
  readonly revision: number;
}

/** How long one call may take before it is asked again, under the same request id. */
const callTimeoutMs = 3000;

/**
 * Commits without a pause, one after the other, on one replica after the other, until it is stopped: each sets the weight of
 * one server. A call that fails is repeated under the same request id by the next replica, as a client should.
 */
export class CommitStream {
  readonly acknowledged: Acknowledged[] = [];
  readonly #clients: readonly ConfigServiceClient[];
  readonly #server: { readonly name: string; readonly address: string };
  readonly #running: Promise<void>;
  #stopping = false;

  constructor(fleet: RealFleet, server: { readonly name: string; readonly address: string }) {
    this.#clients = fleet.replicas.map((replica) => fleet.client(replica));
    this.#server = server;
    this.#running = this.#run();
  }

  get lastRevision(): number {
    return this.acknowledged.at(-1)?.revision ?? 0;
  }

  /** Ends after the commit that is under way is acknowledged. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
    for (const client of this.#clients) client.close();
  }

  async #run(): Promise<void> {
    for (let made = 1; !this.#stopping; made += 1) {
      const requestId = randomUUID();
      const revision = await this.#until(requestId, 1 + (made % 250), made);
      this.acknowledged.push({ requestId, revision });
    }
  }

  async #until(requestId: string, weight: number, turn: number): Promise<number> {
    for (let attempt = turn; ; attempt += 1) {
      const client = this.#clients[attempt % this.#clients.length] as ConfigServiceClient;
      const revision = await this.#apply(client, requestId, weight);
      if (revision !== undefined) return revision;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #apply(client: ConfigServiceClient, requestId: string, weight: number): Promise<number | undefined> {
    const server = Server.fromPartial({ ...this.#server, weight });
    const resources = [{ kind: { $case: "server" as const, value: server } }];
    const write: Write = { requestId, author: "test", reason: "a weight", validateOnly: false };
    return new Promise((resolve) => {
      client.apply({ resources, prune: false, write }, new Metadata(), { deadline: Date.now() + callTimeoutMs }, done);
      function done(error: ServiceError | null, answer: ApplyResponse): void {
        resolve(error === null ? Number(answer.revision) : undefined);
      }
    });
  }
}
