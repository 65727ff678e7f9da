import { getSystemErrorName } from "node:util";
import type { SocketAddress } from "../../model/address.ts";
import { bindFailure } from "./bind-failure.ts";
import type { BindFailure, ListenerSettings } from "./engine.ts";
import { packAddress, unpackAddress } from "./native-address.ts";
import type { NativeAddon, NativeHandle } from "./native-addon.ts";
import { ProxyGate } from "./proxy-gate.ts";

const listenersMax = 4096;
/** Below this deadline TCP_DEFER_ACCEPT, which shows a silent client a second late, would lengthen it; `limits.h`. */
const deferAcceptDeadlineMs = 3000;
const noNetworks = new ProxyGate([]);

/** One address of a listener, with a socket in each of the engine's threads. */
interface Bind {
  readonly requested: SocketAddress;
  readonly bound: SocketAddress;
  readonly number: number;
}

interface NativeListener {
  readonly name: string;
  /** Its number in the engine, kept for the name for ever, as connections may outlive the listener. */
  readonly index: number;
  binds: Bind[];
}

interface Unbinding {
  threadsLeft: number;
  readonly done: () => void;
}

/** The engine's listeners by name. Changes of all of them are carried out one after the other, in the order of the calls. */
export class NativeListeners {
  readonly #addon: NativeAddon;
  readonly #handle: NativeHandle;
  readonly #threads: number;
  readonly #byName = new Map<string, NativeListener>();
  readonly #names: string[] = [];
  readonly #gates: ProxyGate[] = [];
  readonly #unbinding = new Map<number, Unbinding>();
  #lastChange: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(addon: NativeAddon, handle: NativeHandle, threads: number) {
    this.#addon = addon;
    this.#handle = handle;
    this.#threads = threads;
  }

  name(index: number): string {
    return this.#names[index] ?? "";
  }

  /** What the listener believes of PROXY headers, by its last settings. */
  gate(index: number): ProxyGate {
    return this.#gates[index] ?? noNetworks;
  }

  set(settings: ListenerSettings): Promise<readonly BindFailure[]> {
    return this.#inOrder(() => this.#apply(settings));
  }

  remove(name: string): Promise<void> {
    return this.#inOrder(async () => {
      const listener = this.#byName.get(name);
      if (listener === undefined || this.#closed) return;
      const { binds } = listener;
      listener.binds = [];
      await this.#release(binds);
    });
  }

  boundAddresses(name: string): readonly SocketAddress[] {
    return this.#byName.get(name)?.binds.map(({ bound }) => bound) ?? [];
  }

  /** Nothing is bound from now on; the engine closes the sockets by itself. Resolves when it has. */
  close(): Promise<void> {
    return this.#inOrder(async () => {
      this.#closed = true;
      const closing = [...this.#byName.values()].flatMap(({ binds }) => binds.map((bind) => this.#unbound(bind)));
      this.#addon.drain(this.#handle);
      await Promise.all(closing);
      for (const listener of this.#byName.values()) listener.binds = [];
    });
  }

  /** A thread has closed its socket of this bind. */
  threadUnbound(number: number): void {
    const unbinding = this.#unbinding.get(number);
    if (unbinding === undefined) return;
    unbinding.threadsLeft -= 1;
    if (unbinding.threadsLeft > 0) return;
    this.#unbinding.delete(number);
    unbinding.done();
  }

  async #apply(settings: ListenerSettings): Promise<readonly BindFailure[]> {
    if (this.#closed) return settings.addresses.map((address) => otherFailure(address, "the engine is closed"));
    const listener = this.#byName.get(settings.name) ?? this.#make(settings.name);
    if (listener === undefined)
      return settings.addresses.map((address) => otherFailure(address, `more than ${listenersMax} listeners`));
    const { helloBytesMax, helloDeadlineMs, clientIdleTimeoutMs, connectionsMax } = settings;
    this.#gates[listener.index] = new ProxyGate(settings.proxyNetworks);
    this.#addon.setLimits(
      this.#handle,
      listener.index,
      helloBytesMax,
      Math.ceil(helloDeadlineMs),
      Math.ceil(clientIdleTimeoutMs),
      connectionsMax,
    );
    const wanted = new Set(settings.addresses);
    const kept = new Map(
      listener.binds.filter(({ requested }) => wanted.has(requested)).map((bind) => [bind.requested, bind]),
    );
    // First those that go: they may hold the port of one that comes, as a wildcard does.
    const gone = listener.binds.filter(({ requested }) => !wanted.has(requested));
    listener.binds = [...kept.values()];
    await this.#release(gone);
    const failures: BindFailure[] = [];
    const binds: Bind[] = [];
    for (const address of wanted) {
      const bind = kept.get(address) ?? this.#bind(listener, address, helloDeadlineMs);
      if ("number" in bind) binds.push(bind);
      else failures.push(bind);
    }
    listener.binds = binds;
    return failures;
  }

  #make(name: string): NativeListener | undefined {
    if (this.#names.length === listenersMax) return undefined;
    const listener = { name, index: this.#names.length, binds: [] };
    this.#names.push(name);
    this.#byName.set(name, listener);
    return listener;
  }

  #bind(listener: NativeListener, requested: SocketAddress, helloDeadlineMs: number): Bind | BindFailure {
    const packed = packAddress(requested);
    const number = this.#addon.bind(this.#handle, listener.index, packed, helloDeadlineMs >= deferAcceptDeadlineMs);
    if (number >= 0) return { requested, bound: unpackAddress(packed), number };
    const code = getSystemErrorName(number);
    return bindFailure(requested, Object.assign(new Error(`bind ${code} ${requested}`), { code }));
  }

  async #release(binds: readonly Bind[]): Promise<void> {
    const released = binds.map((bind) => this.#unbound(bind));
    for (const { number } of binds) this.#addon.unbind(this.#handle, number);
    await Promise.all(released);
  }

  /** Resolves when all threads have closed their sockets of this bind. */
  #unbound({ number }: Bind): Promise<void> {
    return new Promise((done) => {
      this.#unbinding.set(number, { threadsLeft: this.#threads, done });
    });
  }

  #inOrder<Result>(change: () => Promise<Result>): Promise<Result> {
    const changed = this.#lastChange.then(change);
    this.#lastChange = changed.catch(() => undefined);
    return changed;
  }
}

function otherFailure(address: SocketAddress, detail: string): BindFailure {
  return { address, reason: "other", detail };
}
