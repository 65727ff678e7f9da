import type { Change } from "../model/configuration.ts";
import type { Listener } from "../model/resource.ts";
import type { BindFailure, Engine } from "./engine/engine.ts";
import { listenerSettings } from "./engine/listener-settings.ts";
import { Backoff } from "./feed/backoff.ts";

/** An address that could not be bound is tried again after so long, doubled up to the maximum while nothing changes. */
const retryMinMs = 1000;
const retryMaxMs = 10_000;

/** A listener's address that it should have and has not. */
export interface UnboundAddress extends BindFailure {
  readonly listener: string;
  /** Of the commit that could not be carried out in this. */
  readonly revision: number;
}

/** A listener as a commit made it. */
interface Wanted {
  readonly listener: Listener;
  readonly revision: number;
}

/**
 * Makes the engine's listeners what the configuration says. What can't be bound is kept as a list, and tried again with
 * back-off; everything else goes on.
 *
 * While the node drains, nothing is bound, and commits only change what will be.
 */
export class Bindings {
  readonly #engine: Engine;
  readonly #onChange: () => void;
  readonly #wanted = new Map<string, Wanted>();
  readonly #failures = new Map<string, { readonly wanted: Wanted; readonly failures: readonly BindFailure[] }>();
  // No jitter: what is in the way is on this machine, and nobody else waits for it.
  readonly #backoff = new Backoff(retryMinMs, retryMaxMs, () => 1);
  #retries = 0;
  #retry: NodeJS.Timeout | undefined;
  #draining = false;
  #closed = false;

  /** `onChange` is called when the list of unbound addresses is another. */
  constructor(engine: Engine, onChange: () => void) {
    this.#engine = engine;
    this.#onChange = onChange;
  }

  /**
   * Carries out the changes to listeners of the commit at `revision`, each at most once: gone ones first, as their
   * addresses may be wanted again.
   */
  async apply(changes: readonly Change[], revision: number): Promise<void> {
    const gone: Listener[] = [];
    const put: Wanted[] = [];
    for (const { before, after } of changes) {
      if (before?.kind === "listener" && after === null) gone.push(before);
      if (after?.kind === "listener") put.push({ listener: after, revision });
    }
    for (const { name } of gone) {
      this.#wanted.delete(name);
      this.#note(name, undefined, []);
      await this.#engine.removeListener(name);
    }
    for (const wanted of put) this.#wanted.set(wanted.listener.name, wanted);
    for (const wanted of put) await this.#bind(wanted);
    // Whatever could not be bound may have been waiting for one of these to let its address go.
    if (gone.length + put.length > 0) await this.#bindFailed();
    this.#schedule();
  }

  unbound(): readonly UnboundAddress[] {
    return [...this.#failures].flatMap(([listener, { wanted, failures }]) =>
      failures.map((each) => ({ listener, revision: wanted.revision, ...each })),
    );
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Gives every address back; what was accepted goes on. Resolves when nobody can connect any more. */
  async drain(): Promise<void> {
    this.#draining = true;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    for (const name of this.#wanted.keys()) this.#note(name, undefined, []);
    await Promise.all([...this.#wanted.keys()].map((name) => this.#engine.removeListener(name)));
  }

  /** Binds everything again, as the configuration is by now. */
  async undrain(): Promise<void> {
    if (!this.#draining) return;
    this.#draining = false;
    for (const wanted of this.#wanted.values()) await this.#bind(wanted);
    this.#schedule();
  }

  /** Stops trying. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
  }

  async #bind(wanted: Wanted): Promise<void> {
    if (this.#closed || this.#draining) return;
    const { name } = wanted.listener;
    const failures = await this.#engine.setListener(listenerSettings(wanted.listener));
    // Meanwhile a commit may have changed the listener, or taken it away, or the node drains: then this is no news of it.
    if (this.#wanted.get(name) === wanted && !this.#draining) this.#note(name, wanted, failures);
  }

  async #bindFailed(): Promise<void> {
    for (const name of this.#failures.keys()) {
      const wanted = this.#wanted.get(name);
      if (wanted !== undefined) await this.#bind(wanted);
    }
  }

  #note(name: string, wanted: Wanted | undefined, failures: readonly BindFailure[]): void {
    const before = this.#failures.get(name);
    if (before?.wanted === wanted && sameFailures(failures, before?.failures ?? [])) return;
    if (wanted === undefined || failures.length === 0) {
      if (!this.#failures.delete(name)) return;
    } else this.#failures.set(name, { wanted, failures });
    this.#retries = 0;
    this.#onChange();
  }

  /** A retry that is due is not put off: commits may follow each other faster than it comes. */
  #schedule(): void {
    if (this.#closed || this.#failures.size === 0 || this.#retry !== undefined) return;
    this.#retry = setTimeout(() => void this.#tryAgain(), this.#backoff.delayMs(this.#retries));
  }

  async #tryAgain(): Promise<void> {
    this.#retries += 1;
    await this.#bindFailed();
    this.#retry = undefined;
    this.#schedule();
  }
}

function sameFailures(left: readonly BindFailure[], right: readonly BindFailure[]): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
