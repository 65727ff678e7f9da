import type { Server } from "../../model/resource.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";

/**
 * Smooth weighted round robin (as nginx does it): each choice goes to the server whose turn is furthest due, so that
 * servers of weight 5, 1 and 1 come as a a b a c a a, not in bursts. Turns are kept by name and survive every change of
 * the farm that does not touch the server.
 *
 * What is due is counted in shares of a connection, and a connection is as many shares as the weights of those that may
 * be chosen add up to. When that sum changes, what is due is converted: taken as it is, the turns of servers of weight
 * 1 beside one of 256 would be worth bursts of a hundred connections once the large one is gone.
 */
export class RoundRobin {
  readonly #due = new Map<ServerResourceName, number>();
  #sharesPerConnection = 0;

  /** The server whose turn it is, of those that may be chosen; undefined for none. Weights are 1 or more. */
  choose(servers: readonly Server[]): Server | undefined {
    let total = 0;
    for (const server of servers) total += server.weight;
    if (total === 0) return undefined;
    this.#convert(total);
    let best: Server | undefined;
    let bestDue = Number.NEGATIVE_INFINITY;
    for (const server of servers) {
      const due = (this.#due.get(server.name) ?? 0) + server.weight;
      this.#due.set(server.name, due);
      if (due > bestDue) {
        best = server;
        bestDue = due;
      }
    }
    if (best !== undefined) this.#due.set(best.name, bestDue - total);
    return best;
  }

  /** Drops what is kept for a server that has gone, or that begins anew. */
  forget(name: ServerResourceName): void {
    this.#due.delete(name);
  }

  #convert(sharesPerConnection: number): void {
    if (sharesPerConnection === this.#sharesPerConnection) return;
    const factor = sharesPerConnection / this.#sharesPerConnection;
    for (const [name, due] of this.#due) this.#due.set(name, due * factor);
    this.#sharesPerConnection = sharesPerConnection;
  }
}
