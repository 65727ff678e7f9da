import type { Socket } from "node:net";
import type { SocketAddress } from "../../model/address.ts";
import type { CloseReason } from "../../model/reason.ts";
import { Connection } from "./connection.ts";
import type { ConnectionHost } from "./connection-host.ts";
import { DeadlineWheel, type Timed } from "./deadline-wheel.ts";
import { DescriptorReserve } from "./descriptor-reserve.ts";
import type {
  BindFailure,
  ClosedConnection,
  ConnectionHandler,
  ConnectionId,
  ConnectVerdict,
  Engine,
  EngineStats,
  ListenerSettings,
  RejectVerdict,
} from "./engine.ts";
import { errorCode, isExhaustion } from "./error-code.ts";
import { ListenerBinding, type ListenerHost } from "./listener-binding.ts";

/** An engine on node:net: runs wherever Node does, on the JavaScript thread. */
export function createPortableEngine(handler: ConnectionHandler): Engine {
  return new PortableEngine(handler);
}

class PortableEngine implements Engine, ConnectionHost, ListenerHost {
  readonly kind = "portable";
  /** node:net binds to this machine's addresses only. */
  readonly sourceTransparent = false;
  readonly handler: ConnectionHandler;
  readonly wheel = new DeadlineWheel();
  readonly #reserve: DescriptorReserve;
  readonly #listeners = new Map<string, ListenerBinding>();
  readonly #connections = new Map<
    ConnectionId,
    { readonly connection: Connection; readonly binding: ListenerBinding }
  >();
  #accepted = 0;
  #closing: Promise<void> | null = null;
  #graceEndsMs = Number.POSITIVE_INFINITY;
  #allClosed: (() => void) | null = null;
  readonly #grace: Timed = {
    deadlineMs: () => this.#graceEndsMs,
    expire: () => {
      for (const { connection } of this.#connections.values()) connection.abort("shutdown");
    },
  };

  constructor(handler: ConnectionHandler) {
    this.handler = handler;
    this.#reserve = new DescriptorReserve(this.wheel, (error) => handler.fault(error));
  }

  async setListener(settings: ListenerSettings): Promise<readonly BindFailure[]> {
    if (this.#closing !== null)
      return settings.addresses.map((address) => ({ address, reason: "other", detail: "the engine is closed" }));
    let binding = this.#listeners.get(settings.name);
    if (binding === undefined) {
      binding = new ListenerBinding(settings, this);
      this.#listeners.set(settings.name, binding);
    }
    return binding.apply(settings);
  }

  async removeListener(name: string): Promise<void> {
    const binding = this.#listeners.get(name);
    if (binding === undefined) return;
    await binding.release();
    this.#dropUnused(binding);
  }

  boundAddresses(name: string): readonly SocketAddress[] {
    return this.#listeners.get(name)?.boundAddresses() ?? [];
  }

  stats(): EngineStats {
    let hellosPending = 0;
    for (const { connection } of this.#connections.values()) if (connection.phase === "hello") hellosPending += 1;
    const { pauses } = this.#reserve;
    return { connections: this.#connections.size, hellosPending, accepted: this.#accepted, acceptPauses: pauses };
  }

  answer(id: ConnectionId, verdict: ConnectVerdict | RejectVerdict): void {
    this.#connections.get(id)?.connection.answer(verdict);
  }

  visit(see: (id: ConnectionId, context: unknown) => void): void {
    for (const { connection } of this.#connections.values()) connection.visit(see);
  }

  abort(id: ConnectionId, reason: CloseReason): void {
    this.#connections.get(id)?.connection.abort(reason);
  }

  close(graceMs: number): Promise<void> {
    // Called again, it can shorten the grace, and never lengthens it.
    this.#graceEndsMs = Math.min(this.#graceEndsMs, performance.now() + graceMs);
    this.#closing ??= this.#shutDown();
    if (this.#connections.size > 0) this.wheel.watch(this.#grace);
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    await Promise.all([...this.#listeners.values()].map((binding) => binding.release()));
    if (this.#connections.size > 0)
      await new Promise<void>((resolve) => {
        this.#allClosed = resolve;
      });
    this.#listeners.clear();
    this.#reserve.close();
    this.wheel.forget(this.#grace);
  }

  accepted(binding: ListenerBinding, client: Socket): void {
    this.#accepted += 1;
    const connection = new Connection(this, this.#accepted, binding, client);
    binding.connections += 1;
    this.#connections.set(connection.id, { connection, binding });
    if (this.#closing !== null) connection.refuse("shutdown");
    else if (!this.#reserve.admits(client)) connection.refuse("connections_max");
    else if (binding.connections > binding.settings.connectionsMax) connection.refuse("connections_max");
    else connection.start();
  }

  acceptFailed(error: Error): void {
    if (isExhaustion(errorCode(error))) this.#reserve.pause();
    else this.handler.fault(error);
  }

  exhausted(): void {
    this.#reserve.pause();
  }

  closed(record: ClosedConnection): void {
    const { id } = record;
    const binding = this.#connections.get(id)?.binding;
    this.#connections.delete(id);
    if (binding !== undefined) {
      binding.connections -= 1;
      this.#dropUnused(binding);
    }
    try {
      this.handler.closed(record);
    } catch (error) {
      this.handler.fault(new Error(`the handler failed on the end of connection ${id}`, { cause: error }));
    }
    if (this.#connections.size === 0) this.#allClosed?.();
  }

  #dropUnused(binding: ListenerBinding): void {
    if (binding.unused && this.#listeners.get(binding.name) === binding) this.#listeners.delete(binding.name);
  }
}
