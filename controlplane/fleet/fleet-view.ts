import { timestampMs } from "../../model/wire/timestamp.ts";
import type { Node, NodeHello, NodeReport, TrafficDelta } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { FleetNode as ToldNode, FleetUpdate } from "../../proto/gen/switchyard/log/v1/log.ts";
import type { SampledHello } from "../rollout/plan/sampled-hello.ts";
import { FleetNode, type LogView, nodeMessage } from "./fleet-node.ts";
import { HelloSamples, hellosFromWire, toldHellosMax } from "./hello-samples.ts";
import { helloFault, reportFault } from "./session-limits.ts";
import { SharedTexts } from "./shared-texts.ts";
import { NameBudget, TrafficTotals } from "./traffic-totals.ts";

/** Nodes that are remembered, connected or not, of this replica, and again of all others: the longest gone go first. */
export const nodesMax = 20_000;

/**
 * The fleet as its nodes report it: a fold over their messages, the latest of each. Nodes whose session is here are this
 * replica's own; of the others their replicas tell. A node that moves is known twice for a moment, and shown once.
 */
export class FleetView {
  readonly replica: string;
  /** What clients announced to the fleet lately. */
  readonly hellos = new HelloSamples();
  /** By id; those that are gone in the order in which they went. */
  readonly #own = new Map<string, FleetNode>();
  /** By id, each as the replica tells it that holds it. */
  readonly #others = new Map<string, FleetNode>();
  readonly #names = new NameBudget();
  readonly #texts = new SharedTexts();
  #connectedCount = 0;
  #sequence = 0;
  #forgotten = 0;

  constructor(replica: string) {
    this.replica = replica;
  }

  /** Counts every change; a node's `changedAt` is the count at its last one. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Grows whenever a node is forgotten. */
  get forgottenCount(): number {
    return this.#forgotten;
  }

  /** Sessions that this replica holds. */
  get connectedCount(): number {
    return this.#connectedCount;
  }

  /**
   * A node's session begins; what it says from now on comes with what is given back here. Another session of the same
   * id is superseded. Undefined where {@link nodesMax} others are connected already.
   */
  connect(hello: NodeHello, nowMs: number): FleetNode | undefined {
    const before = this.#own.get(hello.nodeId);
    if (before === undefined && !this.#makeRoom(this.#own)) return undefined;
    const other = this.#others.get(hello.nodeId);
    const traffic = this.#continued(hello, this.#shown(before, other));
    for (const gone of [before, other]) if (gone !== undefined && gone.traffic !== traffic) gone.traffic.release();
    this.#others.delete(hello.nodeId);
    const node = new FleetNode(hello, this.replica, traffic, nowMs);
    if (before?.connected !== true) this.#connectedCount += 1;
    this.#own.set(node.id, node);
    this.#changed(node);
    return node;
  }

  report(node: FleetNode, report: NodeReport, nowMs: number): void {
    if (this.#own.get(node.id) !== node) return;
    node.take(this.#texts.shareIn(report), nowMs);
    this.#changed(node);
  }

  traffic(node: FleetNode, delta: TrafficDelta): void {
    if (this.#own.get(node.id) !== node) return;
    node.traffic.add(delta);
    this.#changed(node);
  }

  sampled(node: FleetNode, hellos: readonly SampledHello[]): void {
    if (this.#own.get(node.id) === node) this.hellos.take(node.id, hellos);
  }

  /** What clients announced to all nodes lately, the most frequent first. */
  recentHellos(): readonly SampledHello[] {
    return this.hellos.recent();
  }

  disconnect(node: FleetNode): void {
    if (this.#own.get(node.id) !== node) return;
    node.connected = false;
    this.#connectedCount -= 1;
    this.hellos.forget(node.id);
    this.#own.delete(node.id);
    this.#own.set(node.id, node);
    this.#changed(node);
  }

  /** What another replica tells of the nodes that it holds. */
  hear(update: FleetUpdate): void {
    const { replica } = update;
    if (replica === this.replica) return;
    for (const told of update.nodes) this.#hearNode(replica, told);
    const hellos = update.helloSample && hellosFromWire(update.helloSample, toldHellosMax);
    if (typeof hellos === "object") this.hellos.hear(replica, hellos);
    if (!update.complete) return;
    const kept = new Set(update.nodes.map(({ hello }) => hello?.nodeId));
    for (const node of this.#others.values()) if (node.replica === replica && !kept.has(node.id)) this.#dropOther(node);
  }

  /** A replica is silent: nobody knows what became of the nodes that it held. */
  lose(replica: string): void {
    this.hellos.lose(replica);
    for (const node of this.#others.values()) {
      if (node.replica !== replica || !node.connected) continue;
      node.connected = false;
      this.#changed(node);
    }
  }

  /** The node as it is shown, whoever holds it. */
  find(id: string): FleetNode | undefined {
    return this.#shown(this.#own.get(id), this.#others.get(id));
  }

  /** Whether this replica holds the node's session. */
  holds(id: string): boolean {
    return this.#own.get(id)?.connected === true;
  }

  /** Every node once, in no order. */
  *shown(): Generator<FleetNode> {
    for (const node of this.#own.values()) yield this.#shown(node, this.#others.get(node.id)) ?? node;
    for (const node of this.#others.values()) if (!this.#own.has(node.id)) yield node;
  }

  /** The nodes that this replica holds, or held last. */
  own(): IterableIterator<FleetNode> {
    return this.#own.values();
  }

  node(id: string, log: LogView): Node | undefined {
    const node = this.find(id);
    return node && nodeMessage(node, log);
  }

  /** All nodes by id. */
  sorted(): FleetNode[] {
    return [...this.shown()].sort((left, right) => (left.id < right.id ? -1 : 1));
  }

  /** Servers that every connected node sees as failing. */
  failingServers(): ReadonlySet<string> {
    const connected = [...this.shown()].filter((node) => node.connected && node.report !== undefined);
    const counts = new Map<string, number>();
    for (const { report } of connected) {
      const failing = (report?.serverHealth ?? []).filter((health) => health.failing).map((health) => health.server);
      for (const server of new Set(failing)) counts.set(server, (counts.get(server) ?? 0) + 1);
    }
    return new Set([...counts].filter(([, count]) => count === connected.length).map(([server]) => server));
  }

  #hearNode(replica: string, told: ToldNode): void {
    const { hello, report } = told;
    // What a node may not say to us it may not say through another replica either.
    if (hello === undefined || helloFault(hello) !== undefined) return;
    if (report !== undefined && reportFault(report) !== undefined) return;
    const lastReportMs = told.lastReportTime === undefined ? 0 : timestampMs(told.lastReportTime);
    const before = this.#others.get(hello.nodeId);
    if (before !== undefined && before.replica !== replica)
      if (!supersedes({ connected: told.connected, lastReportMs }, before)) return;
    if (before === undefined && !this.#makeRoom(this.#others)) return;
    // A node that was here and is there now has moved: whoever has it tells everybody.
    const own = this.#own.get(hello.nodeId);
    const moved = told.connected && own?.connected === false ? own : undefined;
    if (moved !== undefined) this.#own.delete(moved.id);
    const known = this.#continued(hello, before ?? moved);
    for (const gone of [before, moved]) if (gone !== undefined && gone.traffic !== known) gone.traffic.release();
    const node = new FleetNode(hello, replica, this.#told(known, told.traffic), lastReportMs);
    if (report !== undefined) node.take(this.#texts.shareIn(report), lastReportMs);
    node.connected = told.connected;
    this.#others.delete(node.id);
    this.#others.set(node.id, node);
    this.#changed(node);
  }

  /** Totals go on for as long as the node's process runs, whichever replica it reports to. */
  #continued(hello: NodeHello, known: FleetNode | undefined): TrafficTotals {
    return known?.hello.bootId === hello.bootId ? known.traffic : new TrafficTotals(this.#names);
  }

  #told(known: TrafficTotals, totals: TrafficDelta | undefined): TrafficTotals {
    if (totals === undefined) return known;
    known.release();
    const traffic = new TrafficTotals(this.#names);
    traffic.add(totals);
    return traffic;
  }

  #dropOther(node: FleetNode): void {
    this.#others.delete(node.id);
    node.traffic.release();
    this.#forgotten += 1;
    const own = this.#own.get(node.id);
    if (own !== undefined) this.#changed(own);
  }

  #makeRoom(nodes: Map<string, FleetNode>): boolean {
    if (nodes.size < nodesMax) return true;
    for (const [id, node] of nodes) {
      if (node.connected) continue;
      node.traffic.release();
      this.#forgotten += 1;
      return nodes.delete(id);
    }
    return false;
  }

  #shown(own: FleetNode | undefined, other: FleetNode | undefined): FleetNode | undefined {
    if (own === undefined || other === undefined) return own ?? other;
    return supersedes(other, own) ? other : own;
  }

  #changed(node: FleetNode): void {
    this.#sequence += 1;
    node.changedAt = this.#sequence;
  }
}

/** One place at a time has a node: where it is connected, and among equals where it was heard last. */
function supersedes(
  one: { readonly connected: boolean; readonly lastReportMs: number },
  other: { readonly connected: boolean; readonly lastReportMs: number },
): boolean {
  if (one.connected !== other.connected) return one.connected;
  return one.lastReportMs > other.lastReportMs;
}
