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

  /**
   * Carries out a commit's changes to listeners, each at most once: gone ones first, as their addresses may be wanted
   * again.
   */
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
    // Whatever could not be bound may have been waiting for one of these to let its address go.
    if (gone.length + put.length > 0) await this.#bindFailed();
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
    const failures = await this.#engine.setListener(listenerSettings(listener));
    // Meanwhile a commit may have changed the listener, or taken it away: then this is no news of it.
    if (this.#wanted.get(listener.name) === listener) this.#note(listener.name, failures);
  }

  async #bindFailed(): Promise<void> {
    for (const name of this.#failures.keys()) {
      const listener = this.#wanted.get(name);
      if (listener !== undefined) await this.#bind(listener);
    }
  }

  #note(name: string, failures: readonly BindFailure[]): void {
    if (sameFailures(failures, this.#failures.get(name) ?? [])) return;
    if (failures.length === 0) this.#failures.delete(name);
    else this.#failures.set(name, failures);
    this.#onChange();
  }

  /** A retry that is due is not put off: commits may follow each other faster than it comes. */
  #schedule(): void {
    if (this.#closed || this.#failures.size === 0 || this.#retry !== undefined) return;
    this.#retry = setTimeout(() => void this.#tryAgain(), retryIntervalMs);
  }

  async #tryAgain(): Promise<void> {
    await this.#bindFailed();
    this.#retry = undefined;
    this.#schedule();
  }
}

function sameFailures(left: readonly BindFailure[], right: readonly BindFailure[]): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
