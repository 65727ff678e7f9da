import type { ServerResourceName } from "../model/resource-name.ts";

/** Live connections of this node by server, those that are being made among them. */
export class ServerLoads {
  readonly #connections = new Map<ServerResourceName, number>();

  opened(server: ServerResourceName): void {
    this.#connections.set(server, this.of(server) + 1);
  }

  closed(server: ServerResourceName): void {
    const left = this.of(server) - 1;
    if (left > 0) this.#connections.set(server, left);
    else this.#connections.delete(server);
  }

  of(server: ServerResourceName): number {
    return this.#connections.get(server) ?? 0;
  }

  /** Servers that have any. */
  entries(): Iterable<readonly [ServerResourceName, number]> {
    return this.#connections;
  }
}
