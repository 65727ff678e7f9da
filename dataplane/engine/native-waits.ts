import type { ConnectionId } from "./engine.ts";

interface Wait {
  readonly id: ConnectionId;
  readonly context: unknown;
  answered: boolean;
}

/**
 * Connections that were told to wait, by slot. One is kept beyond its answer, until it is heard that the answer had an
 * effect: the client may have gone while the answer was on its way, and then the wait's context is the last that holds.
 */
export class NativeWaits {
  readonly #bySlot = new Map<number, Wait>();

  begin(slot: number, id: ConnectionId, context: unknown): void {
    this.#bySlot.set(slot, { id, context, answered: false });
  }

  /** True where that connection waits, as far as is known here: then it does no more. */
  answer(slot: number, id: ConnectionId): boolean {
    const wait = this.#bySlot.get(slot);
    if (wait === undefined || wait.id !== id || wait.answered) return false;
    wait.answered = true;
    return true;
  }

  /** The answer had an effect. */
  delete(slot: number): void {
    if (this.#bySlot.size > 0) this.#bySlot.delete(slot);
  }

  /** The connection has ended: the context that it ended with. */
  end(slot: number, unanswered: boolean, lastContext: unknown): unknown {
    if (this.#bySlot.size === 0) return lastContext;
    const wait = this.#bySlot.get(slot);
    this.#bySlot.delete(slot);
    return unanswered && wait !== undefined ? wait.context : lastContext;
  }
}
