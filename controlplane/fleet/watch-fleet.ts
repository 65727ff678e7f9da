import { setTimeout } from "node:timers/promises";
import type { Node, WatchFleetRequest, WatchFleetResponse } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { Send } from "../admin/handler.ts";
import { Refused } from "../admin/refused.ts";
import type { LiveConfiguration } from "../state/live-configuration.ts";
import { lookAtLog } from "./look-at-log.ts";
import { type LogView, messageLoadMax, nodeLoad, nodeMessage } from "./fleet-node.ts";
import type { FleetView } from "./fleet-view.ts";

/** Streams of one control plane at once. */
const watchersMax = 200;

const intervalDefaultMs = 1000;
const intervalMinMs = 100;
const intervalMaxMs = 3_600_000;

/** Nodes in one message. */
const nodesPerMessage = 256;

export interface WatchParts {
  readonly live: LiveConfiguration;
  readonly view: FleetView;
  readonly log: LogView;
}

/** Counts the streams that are open. */
export class FleetWatchers {
  #count = 0;

  /** @throws Refused where there are too many, or the interval is out of range */
  async watch(
    parts: WatchParts,
    request: WatchFleetRequest,
    send: Send<WatchFleetResponse>,
    signal: AbortSignal,
  ): Promise<void> {
    const intervalMs = wantedIntervalMs(request);
    if (this.#count >= watchersMax) throw new Refused("TOO_MANY", `${watchersMax} watch the fleet already`);
    this.#count += 1;
    try {
      const watcher = new FleetWatcher(parts, send);
      while (!signal.aborted) {
        await watcher.pass();
        await setTimeout(intervalMs, undefined, { signal }).catch(() => undefined);
      }
    } finally {
      this.#count -= 1;
    }
  }
}

function wantedIntervalMs({ minInterval }: WatchFleetRequest): number {
  if (minInterval === undefined) return intervalDefaultMs;
  const ms = Number(minInterval.seconds) * 1000 + minInterval.nanos / 1e6;
  if (ms >= intervalMinMs && ms <= intervalMaxMs) return ms;
  const description = `${ms} ms; ${intervalMinMs} ms to an hour`;
  throw Refused.by("INVALID_FIELD", [{ field: "min_interval", reason: "out_of_range", description }]);
}

/**
 * One stream. It has no queue: each pass compares the view's count of changes with its own and sends what is newer, as
 * it is by then. A reader that is slow gets fewer passes, never older news.
 */
class FleetWatcher {
  readonly #parts: WatchParts;
  readonly #send: Send<WatchFleetResponse>;
  /** Nodes that the reader has been told of. */
  readonly #told = new Set<string>();
  #seen = 0;
  #seenRevision = -1;
  #seenForgotten = 0;
  #first = true;

  constructor(parts: WatchParts, send: Send<WatchFleetResponse>) {
    this.#parts = parts;
    this.#send = send;
  }

  async pass(): Promise<void> {
    const { live, view, log } = this.#parts;
    await lookAtLog(live);
    const { revision } = log;
    // Lag and the comparison of digests are the log's as much as the node's.
    const since = revision === this.#seenRevision ? this.#seen : -1;
    const changed: string[] = [];
    for (const node of view.shown()) if (node.changedAt > since) changed.push(node.id);
    const removed = this.#removed();
    this.#seen = view.sequence;
    this.#seenRevision = revision;
    let nodes: Node[] = [];
    let load = 0;
    const flush = async (part: { readonly removed: string[]; readonly complete: boolean }): Promise<void> => {
      const message = { nodes, ...part, revision: BigInt(log.revision) };
      nodes = [];
      load = 0;
      await this.#send(message);
    };
    for (const id of changed) {
      const node = view.find(id);
      if (node === undefined) continue;
      if (nodes.length >= nodesPerMessage || (nodes.length > 0 && load + nodeLoad(node) > messageLoadMax))
        await flush({ removed: [], complete: false });
      this.#told.add(id);
      nodes.push(nodeMessage(node, log));
      load += nodeLoad(node);
    }
    if (nodes.length > 0 || removed.length > 0 || this.#first) await flush({ removed, complete: this.#first });
    this.#first = false;
  }

  #removed(): string[] {
    const { view } = this.#parts;
    if (view.forgottenCount === this.#seenForgotten) return [];
    this.#seenForgotten = view.forgottenCount;
    const removed = [...this.#told].filter((id) => view.find(id) === undefined);
    for (const id of removed) this.#told.delete(id);
    return removed.map((id) => `nodes/${id}`);
  }
}
