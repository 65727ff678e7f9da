import type { Change } from "../model/configuration.ts";
import type { Listener } from "../model/resource.ts";
import type { BindFailure, Engine } from "./engine/engine.ts";
import { listenerSettings } from "./engine/listener-settings.ts";

/** A listener's address that could not be bound is tried again this often. */
const retryIntervalMs = 5000;

/** An address that a listener should have and has not. */
export interface UnboundAddress extends BindFailure {
  readonly listener: string;
}

/**
 * Makes the engine's listeners what the configuration says. What can't be bound is kept as a list, and tried again now
 * and then; everything else goes on.
 */
export class Bindings {
  readonly #engine: Engine;
  readonly #onChange: () => void;
  readonly #wanted = new Map<string, Listener>();
  readonly #failures = new Map<string, readonly BindFailure[]>();
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  /** `onChange` is called when the list of unbound addresses is another. */
  constructor(engine: Engine, onChange: () => void) {
    this.#engine = engine;
    this.#onChange = onChange;
  }

  /** Carries out a commit's changes to listeners: gone ones first, as their addresses may be wanted again. */
  async apply(changes: readonly Change[]): Promise<void> {
    const gone: Listener[] = [];
    const put: Listener[] = [];
    for (const { before, after } of changes) {
      if (before?.kind === "listener" && after === null) gone.push(before);
      if (after?.kind === "listener") put.push(after);
    }
    for (const listener of gone) {
      this.#wanted.delete(listener.name);
      this.#note(listener.name, []);
      await this.#engine.removeListener(listener.name);
    }
    for (const listener of put) this.#wanted.set(listener.name, listener);
    for (const listener of put) await this.#bind(listener);
    // An address may have been waiting for another listener of the same commit to let it go.
    for (const listener of put) if (this.#failures.has(listener.name)) await this.#bind(listener);
    this.#schedule();
  }

  unbound(): readonly UnboundAddress[] {
    return [...this.#failures].flatMap(([listener, failures]) => failures.map((each) => ({ listener, ...each })));
  }

  /** Stops trying. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
  }

  async #bind(listener: Listener): Promise<void> {
    if (this.#closed) return;
    this.#note(listener.name, await this.#engine.setListener(listenerSettings(listener)));
  }

  #note(name: string, failures: readonly BindFailure[]): void {
    if (failures.length === 0 && !this.#failures.has(name)) return;
    if (failures.length === 0) this.#failures.delete(name);
    else this.#failures.set(name, failures);
    this.#onChange();
  }

  #schedule(): void {
    clearTimeout(this.#retry);
    if (this.#closed || this.#failures.size === 0) return;
    this.#retry = setTimeout(() => void this.#tryAgain(), retryIntervalMs);
  }

  async #tryAgain(): Promise<void> {
    for (const name of this.#failures.keys()) {
      const listener = this.#wanted.get(name);
      if (listener !== undefined && !this.#closed) await this.#bind(listener);
    }
    this.#schedule();
  }
}
