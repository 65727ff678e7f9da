import { timestampToWire } from "../../model/wire/timestamp.ts";
import type { FleetNode as ToldNode, FleetUpdate } from "../../proto/gen/switchyard/log/v1/log.ts";
import type { FleetBus } from "./fleet-bus.ts";
import type { FleetNode } from "./fleet-node.ts";
import { hellosToWire } from "./hello-samples.ts";
import type { FleetView } from "./fleet-view.ts";

/** How often the others are told of what changed; also where nothing did, so that silence means something. */
const tellEveryMs = 1000;

/** Each so many times all nodes are told, so that whoever missed something has it right again. */
const completeEvery = 10;

/** After this, nobody knows what became of a replica's nodes. */
export const replicaSilentMs = 5000;

/** Replicas that are remembered. */
const replicasMax = 64;

/** Traffic is told in turns: of a tenth of the nodes each time, and no more names than this. */
const trafficTurns = 10;
const trafficNamesMax = 20_000;

export interface ExchangeParts {
  readonly view: FleetView;
  readonly bus: FleetBus;
  /** Milliseconds by a clock that never goes back. */
  readonly monotonicMs: () => number;
}

/** Keeps the views of all replicas alike: tells of this one's nodes, and hears of those of the others. */
export class FleetExchange {
  readonly #parts: ExchangeParts;
  /** When each other replica was heard last; undefined once it is silent. */
  readonly #heard = new Map<string, number | undefined>();
  readonly #stop: (() => void)[];
  #ticks = 0;
  #completeDue = true;
  #toldUpTo = 0;
  #trafficTurn = 0;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    const { bus } = parts;
    const timer = setInterval(() => this.#tick(), tellEveryMs);
    this.#stop = [
      () => clearInterval(timer),
      bus.onUpdate((update) => this.#hear(update)),
      bus.onSyncRequest(() => {
        this.#completeDue = true;
      }),
    ];
    bus.requestSync();
  }

  /** Those that were heard of in the last seconds, this one first. */
  replicas(): string[] {
    const others = [...this.#heard].filter(([, heardMs]) => heardMs !== undefined).map(([replica]) => replica);
    return [this.#parts.view.replica, ...others.sort()];
  }

  /** Says once more how things stand, which is that the sessions are over, and ends. */
  close(): void {
    this.#tick();
    for (const stop of this.#stop) stop();
  }

  #hear(update: FleetUpdate): void {
    const { view, bus, monotonicMs } = this.#parts;
    const { replica } = update;
    if (replica === view.replica || !this.#remember(replica)) return;
    // New, or back after a silence: what it said meanwhile was missed.
    if (this.#heard.get(replica) === undefined) bus.requestSync();
    this.#heard.set(replica, monotonicMs());
    view.hear(update);
  }

  #remember(replica: string): boolean {
    if (this.#heard.has(replica) || this.#heard.size < replicasMax) return true;
    for (const [known, heardMs] of this.#heard) if (heardMs === undefined) return this.#heard.delete(known);
    return false;
  }

  #tick(): void {
    const { view, bus, monotonicMs } = this.#parts;
    const nowMs = monotonicMs();
    for (const [replica, heardMs] of this.#heard) {
      if (heardMs === undefined || nowMs - heardMs <= replicaSilentMs) continue;
      this.#heard.set(replica, undefined);
      view.lose(replica);
    }
    const complete = this.#completeDue || this.#ticks % completeEvery === 0;
    this.#ticks += 1;
    this.#completeDue = false;
    const helloSample = complete ? hellosToWire(view.hellos.own()) : undefined;
    bus.publish({ replica: view.replica, nodes: this.#news(complete), complete, helloSample });
  }

  #news(complete: boolean): ToldNode[] {
    const { view } = this.#parts;
    const nodes = [...view.own()];
    const withTraffic = this.#takeTurn(nodes);
    const since = complete ? -1 : this.#toldUpTo;
    this.#toldUpTo = view.sequence;
    const news: ToldNode[] = [];
    for (const node of nodes) {
      const changed = node.changedAt > since;
      // The last word of a session carries everything: another replica may go on with the node's sums.
      const traffic = withTraffic.has(node) || (changed && !complete && !node.connected);
      if (changed || traffic) news.push(toldNode(node, traffic));
    }
    return news;
  }

  #takeTurn(nodes: readonly FleetNode[]): ReadonlySet<FleetNode> {
    const taken = new Set<FleetNode>();
    let names = 0;
    for (let count = Math.ceil(nodes.length / trafficTurns); count > 0 && names < trafficNamesMax; count -= 1) {
      const node = nodes[this.#trafficTurn % nodes.length];
      this.#trafficTurn = (this.#trafficTurn + 1) % nodes.length;
      if (node === undefined) break;
      taken.add(node);
      names += node.traffic.size;
    }
    return taken;
  }
}

function toldNode(node: FleetNode, traffic: boolean): ToldNode {
  return {
    hello: node.hello,
    report: node.report,
    connected: node.connected,
    lastReportTime: timestampToWire(node.lastReportMs),
    traffic: traffic ? node.traffic.toWire() : undefined,
  };
}
