import type { FarmName, ServerResourceName } from "../model/resource-name.ts";
import { ConnectionQueue } from "./choose/connection-queue.ts";
import type { ConnectionId, ConnectVerdict, RejectVerdict } from "./engine/engine.ts";
import type { RoutedConnection } from "./routed-connection.ts";

export interface WaitingHost {
  /** Milliseconds of a monotonic clock. */
  readonly nowMs: () => number;
  /** Tries again to place a connection; undefined while there is no room. */
  readonly place: (routed: RoutedConnection) => ConnectVerdict | RejectVerdict | undefined;
  readonly timedOut: (routed: RoutedConnection) => RejectVerdict;
  readonly answer: (id: ConnectionId, verdict: ConnectVerdict | RejectVerdict) => void;
}

/** What is waited for: any server of a farm, or the one server that a route names. */
export type WaitedFor = FarmName | ServerResourceName;

/**
 * Connections that wait for a server with room, in the order in which they came: a queue for each farm, and one for each
 * server that routes name. One timer ends all waits.
 */
export class WaitingConnections {
  readonly #host: WaitingHost;
  readonly #queues = new Map<WaitedFor, ConnectionQueue>();
  readonly #waiting = new Map<ConnectionId, { readonly for: WaitedFor; readonly routed: RoutedConnection }>();
  #timer: NodeJS.Timeout | undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;

  constructor(host: WaitingHost) {
    this.#host = host;
  }

  get count(): number {
    return this.#waiting.size;
  }

  /** Whether there was room in the queue. */
  push(wanted: WaitedFor, routed: RoutedConnection, lengthMax: number, timeoutMs: number): boolean {
    const known = this.#queues.get(wanted);
    if ((known?.length ?? 0) >= lengthMax) return false;
    const queue = known ?? new ConnectionQueue();
    this.#queues.set(wanted, queue);
    queue.push(routed.id, this.#host.nowMs() + timeoutMs);
    this.#waiting.set(routed.id, { for: wanted, routed });
    this.#arm();
    return true;
  }

  /** The connection has ended, whether it was waiting or not. */
  gone(id: ConnectionId): void {
    const waiting = this.#waiting.get(id);
    if (waiting !== undefined) this.#drop(waiting.for, id);
  }

  /**
   * There may be room: those that wait for it are placed, first come first served. Who tried servers in vain may wait for
   * others than where the room is, and holds nobody up; where there is no room for one that tried none, there is for no one.
   */
  roomAt(wanted: WaitedFor): void {
    for (const id of this.#queues.get(wanted)?.ids() ?? []) {
      const routed = this.#waiting.get(id)?.routed;
      // Where one is placed may change what others find: then they are placed already.
      if (routed === undefined) continue;
      const verdict = this.#host.place(routed);
      if (verdict !== undefined) {
        this.#drop(wanted, id);
        this.#host.answer(id, verdict);
      } else if (routed.tried.size === 0) return;
    }
  }

  /** Health, limits or servers have changed. */
  roomAnywhere(): void {
    for (const wanted of this.#queues.keys()) this.roomAt(wanted);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #drop(wanted: WaitedFor, id: ConnectionId): void {
    this.#waiting.delete(id);
    const queue = this.#queues.get(wanted);
    queue?.remove(id);
    if (queue?.length === 0) this.#queues.delete(wanted);
    if (this.#waiting.size === 0) this.close();
  }

  #arm(): void {
    let dueMs = Number.POSITIVE_INFINITY;
    for (const queue of this.#queues.values()) dueMs = Math.min(dueMs, queue.nextDeadlineMs);
    if (this.#timer !== undefined && this.#timerDueMs <= dueMs) return;
    clearTimeout(this.#timer);
    this.#timerDueMs = dueMs;
    this.#timer = setTimeout(() => this.#expire(), Math.max(dueMs - this.#host.nowMs(), 0));
  }

  #expire(): void {
    this.#timer = undefined;
    const nowMs = this.#host.nowMs();
    for (const [wanted, queue] of this.#queues)
      for (const id of queue.expired(nowMs)) {
        const routed = this.#waiting.get(id)?.routed;
        this.#drop(wanted, id);
        if (routed !== undefined) this.#host.answer(id, this.#host.timedOut(routed));
      }
    if (this.#waiting.size > 0) this.#arm();
  }
}
