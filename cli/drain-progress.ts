import type { Timestamp } from "../proto/gen/google/protobuf/timestamp.ts";
import type { Node, ServerStatus } from "../proto/gen/switchyard/fleet/v1/fleet_service.ts";

/** How far a server is on its way to having no connections. */
export interface DrainStand {
  readonly text: string;
  /** Connections that are known of. */
  readonly connections: bigint;
  readonly done: boolean;
}

/** Nodes that are named in a line. */
const namedMax = 3;

/**
 * Decides from what the control plane shows whether a server is drained: every connected node has the revision that says so,
 * and none has a connection to the server in two reports, one after another. Without a connected node nothing is known,
 * which is no end: a control plane that has just started has none for a moment.
 */
export class DrainProgress {
  readonly #revision: bigint;
  /** When each node had reported last, as the first of the two reports was seen. */
  #firstReports: ReadonlyMap<string, Timestamp | undefined> | undefined;

  constructor(revision: bigint) {
    this.#revision = revision;
  }

  /** `nodes` were asked for before `server` was. Where `done` is false and no connection is left, {@link seen} is to follow. */
  look(nodes: readonly Node[], server: ServerStatus): DrainStand {
    const { connections } = server;
    const connected = nodes.filter((node) => node.connected);
    const behind = connected.filter((node) => node.revision < this.#revision);
    if (connected.length === 0 || behind.length > 0 || connections > 0n) {
      this.#firstReports = undefined;
      return { text: waitingText(connected, behind, server, this.#revision), connections, done: false };
    }
    const first = this.#firstReports;
    const done = first !== undefined && connected.every((node) => reportedSince(node, first));
    return {
      text: done ? "no connections left" : "no connections left; waiting for one more report",
      connections,
      done,
    };
  }

  /** The nodes as they are after {@link look} found no connection. */
  seen(nodes: readonly Node[]): void {
    this.#firstReports ??= new Map(nodes.map((node) => [node.name, node.lastReportTime]));
  }
}

function reportedSince(node: Node, first: ReadonlyMap<string, Timestamp | undefined>): boolean {
  const [before, now] = [first.get(node.name), node.lastReportTime];
  if (before === undefined || now === undefined) return false;
  // Another time is another report; a clock that was set back must not make an operator wait.
  return now.seconds !== before.seconds || now.nanos !== before.nanos;
}

function waitingText(
  connected: readonly Node[],
  behind: readonly Node[],
  { connections, regions }: ServerStatus,
  revision: bigint,
): string {
  if (connected.length === 0) return "no node is connected: nothing is known of connections";
  const places = regions.filter((region) => region.connections > 0n);
  const by = places.length < 2 ? "" : ` (${places.map((each) => `${each.region} ${each.connections}`).join(", ")})`;
  const left = connections === 1n ? "1 connection left" : `${connections} connections left${by}`;
  if (behind.length === 0) return left;
  const names = behind.slice(0, namedMax).map(({ name }) => name.replace(/^nodes\//, ""));
  const more = behind.length > namedMax ? ", ..." : "";
  return `${left}; ${behind.length} of ${connected.length} nodes are not at revision ${revision} yet: ${names.join(", ")}${more}`;
}
