import { echoOnce } from "./long-connections.ts";
import type { RealNode } from "./real-fleet.ts";

/** A node begins to lead new connections to another server. */
export interface Turn {
  readonly node: string;
  readonly server: string;
}

/** What is seen in place of a server where the connection breaks. */
export const nobody = "nobody";

/** Clients that come without a pause, to one node after another, until they are stopped, and see which server answers, or that nobody does. */
export class AnsweredConnections {
  /** In the order in which clients saw them; the first of each node are where it led at the start. */
  readonly turns: Turn[] = [];
  /** Rounds over all nodes. */
  rounds = 0;
  /** What broke, with the node's id first. */
  readonly failures: string[] = [];
  readonly #nodes: readonly RealNode[];
  readonly #name: string;
  readonly #leads = new Map<string, string>();
  readonly #running: Promise<void>;
  #stopping = false;

  constructor(nodes: readonly RealNode[], name: string) {
    this.#nodes = nodes;
    this.#name = name;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    for (; !this.#stopping; this.rounds += 1) for (const node of this.#nodes) await this.#visit(node);
  }

  async #visit(node: RealNode): Promise<void> {
    const { id } = node.process;
    const server = await echoOnce(node, this.#name).catch((error: unknown) => {
      this.failures.push(`${id}: ${String(error)}`);
      return nobody;
    });
    if (this.#leads.get(id) !== server) this.turns.push({ node: id, server });
    this.#leads.set(id, server);
  }
}
