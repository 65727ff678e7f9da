import { availableParallelism } from "node:os";
import { getSystemErrorName } from "node:util";
import type { SocketAddress } from "../../model/address.ts";
import type { AlertName } from "../../model/alert.ts";
import type { CloseReason } from "../../model/reason.ts";
import { alertRecord } from "../hello/alert-record.ts";
import { readHello } from "../hello/hello-reader.ts";
import type {
  BindFailure,
  ConnectionHandler,
  ConnectionId,
  Engine,
  EngineStats,
  ListenerSettings,
  Verdict,
} from "./engine.ts";
import { loadNative, type NativeAddon, type NativeHandle } from "./native-addon.ts";
import { generationOf, NativeArrival, NativeBatch, slotOf } from "./native-batch.ts";
import { NativeListeners } from "./native-listeners.ts";
import { NativeVerdicts, type VerdictTarget } from "./native-verdicts.ts";
import { faultPlaces, helloOffset, nativeStats, reasonCode, reportKind } from "./native-wire.ts";

/** Descriptors that connections never take: for health checks, the control link, files and whatever else is opened. */
const descriptorsReserved = 512;
/** As much as a thread's whole report ring. */
const batchBytes = 2 ** 20;
const threadsMax = 64;
const noBytes = new Uint8Array(0);

export interface NativeEngineOptions {
  /** Threads that move bytes, 1 to 64; as many as there are cores if left out. */
  readonly threads?: number;
}

export interface NativeEngine extends Engine {
  stats(): NativeEngineStats;
}

/** Of the native engine alone, beside {@link EngineStats}. */
export interface NativeEngineStats extends EngineStats {
  /** Questions that had to wait because this thread was behind with reading them, since start. */
  readonly queueWaits: number;
  /** Tapped server bytes that were not shown for the same reason, since start. */
  readonly tapBytesDropped: number;
}

/**
 * An engine whose bytes are moved by native threads (`dataplane/native/`), while this thread decides. Throws where the
 * addon is not to be had; ask `loadNative` first.
 */
export function createNativeEngine(handler: ConnectionHandler, options: NativeEngineOptions = {}): NativeEngine {
  const addon = loadNative();
  if ("unavailable" in addon) throw new Error(`no native engine: ${addon.unavailable}`);
  return new ThreadedEngine(addon, handler, Math.min(options.threads ?? availableParallelism(), threadsMax));
}

class ThreadedEngine implements NativeEngine {
  readonly kind = "native";
  readonly #addon: NativeAddon;
  readonly #handler: ConnectionHandler;
  readonly #handle: NativeHandle;
  readonly #threads: number;
  readonly #batch = new NativeBatch(batchBytes);
  readonly #verdicts: NativeVerdicts;
  readonly #listeners: NativeListeners;
  /** Of the last verdict, by slot; a slot has one connection at a time. */
  readonly #contexts: unknown[] = [];
  /** Of the record that an alert would go in, by slot; 0 for a client that speaks no TLS. */
  readonly #alertVersions: number[] = [];
  readonly #numbers = new Float64Array(nativeStats.length);
  #stopped = false;
  #threadsDrained = 0;
  #allDrained: (() => void) | null = null;
  #closing: Promise<void> | null = null;
  #graceEndsMs = Number.POSITIVE_INFINITY;
  #graceTimer: NodeJS.Timeout | undefined;

  constructor(addon: NativeAddon, handler: ConnectionHandler, threads: number) {
    this.#addon = addon;
    this.#handler = handler;
    this.#threads = threads;
    this.#handle = addon.start(threads, descriptorsReserved, this.#batch.bytes, (bytes) => this.#readBatch(bytes));
    this.#verdicts = new NativeVerdicts((records, length) => addon.submit(this.#handle, records, length));
    this.#listeners = new NativeListeners(addon, this.#handle, threads);
  }

  setListener(settings: ListenerSettings): Promise<readonly BindFailure[]> {
    return this.#listeners.set(settings);
  }

  removeListener(name: string): Promise<void> {
    return this.#listeners.remove(name);
  }

  boundAddresses(name: string): readonly SocketAddress[] {
    return this.#listeners.boundAddresses(name);
  }

  stats(): NativeEngineStats {
    // After the end the last numbers stand.
    if (!this.#stopped) this.#addon.stats(this.#handle, this.#numbers);
    const [connections = 0, hellosPending = 0, accepted = 0, acceptPauses = 0, queueWaits = 0, tapBytesDropped = 0] =
      this.#numbers;
    return { connections, hellosPending, accepted, acceptPauses, queueWaits, tapBytesDropped };
  }

  abort(id: ConnectionId, reason: CloseReason): void {
    if (!this.#stopped) this.#addon.abort(this.#handle, slotOf(id), generationOf(id), reasonCode(reason));
  }

  close(graceMs: number): Promise<void> {
    // Called again, it can shorten the grace, and never lengthens it.
    this.#graceEndsMs = Math.min(this.#graceEndsMs, performance.now() + graceMs);
    this.#closing ??= this.#shutDown();
    if (this.#graceTimer !== undefined) this.#startGrace();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    const drained = new Promise<void>((resolve) => {
      this.#allDrained = resolve;
    });
    await this.#listeners.close();
    this.#startGrace();
    await drained;
    clearTimeout(this.#graceTimer);
    this.#graceTimer = undefined;
    this.#addon.stats(this.#handle, this.#numbers);
    this.#stopped = true;
    this.#addon.stop(this.#handle);
  }

  #startGrace(): void {
    clearTimeout(this.#graceTimer);
    // setTimeout counts to 2^31 ms at most; a longer grace is none.
    const leftMs = Math.min(Math.max(this.#graceEndsMs - performance.now(), 0), 2 ** 31 - 1);
    this.#graceTimer = setTimeout(() => this.#addon.endAll(this.#handle, reasonCode("shutdown")), leftMs);
  }

  #readBatch(bytes: number): void {
    const batch = this.#batch;
    for (let at = 0; at < bytes; at += batch.size(at)) this.#readRecord(at);
    this.#verdicts.flush();
  }

  #readRecord(at: number): void {
    const batch = this.#batch;
    switch (batch.kind(at)) {
      case reportKind.hello:
        return this.#decide(at);
      case reportKind.redecide:
        return this.#redecide(at);
      case reportKind.serverBytes:
        return this.#serverBytes(at);
      case reportKind.closed:
        return this.#closed(at);
      case reportKind.unbound:
        return this.#listeners.threadUnbound(batch.slot(at));
      case reportKind.drained:
        this.#threadsDrained += 1;
        if (this.#threadsDrained === this.#threads) this.#allDrained?.();
        return;
      case reportKind.fault:
        return this.#handler.fault(systemFault(batch.code(at), batch.faultError(at)));
      default:
        throw new Error(`a record of kind ${batch.kind(at)} from the native engine`);
    }
  }

  #decide(at: number): void {
    const batch = this.#batch;
    const slot = batch.slot(at);
    const hello = readHello(batch.helloBytes(at), batch.helloBytesMax(at));
    const helloComplete = hello.outcome === "complete";
    const target = { slot, generation: batch.generation(at), helloComplete };
    if (hello.outcome === "incomplete") return this.#verdicts.moreBytes(target);
    this.#alertVersions[slot] = helloComplete ? hello.hello.alertRecordVersion : hello.recordVersion;
    const source = batch.address(at + helloOffset.source);
    const local = batch.address(at + helloOffset.local);
    const arrival = new NativeArrival(batch.id(at), this.#listeners.name(batch.listener(at)), hello, source, local);
    this.#follow(target, () => this.#handler.decide(arrival));
  }

  #redecide(at: number): void {
    const batch = this.#batch;
    const slot = batch.slot(at);
    // The engine remembers from the first verdict whether the hello was complete.
    const target = { slot, generation: batch.generation(at), helloComplete: false };
    this.#follow(target, () =>
      this.#handler.redecide(batch.id(at), this.#contexts[slot], batch.failure(at), batch.attempt(at)),
    );
  }

  /** Asks the handler, and hands its answer to the engine. What it throws ends that connection, and nothing else. */
  #follow(target: VerdictTarget, ask: () => Verdict): void {
    try {
      const verdict = ask();
      this.#contexts[target.slot] = verdict.context;
      if (verdict.verdict === "connect") this.#verdicts.connect(target, verdict);
      else this.#verdicts.reject(target, verdict.reason, this.#alert(target.slot, verdict.alert));
    } catch (error) {
      this.#verdicts.reject(target, "internal", this.#alert(target.slot, "internal_error"));
      this.#fault("decide", error);
    }
  }

  #alert(slot: number, alert: AlertName | null): Uint8Array {
    const version = this.#alertVersions[slot] ?? 0;
    return alert === null || version === 0 ? noBytes : alertRecord(alert, version);
  }

  #serverBytes(at: number): void {
    const batch = this.#batch;
    const id = batch.id(at);
    try {
      this.#handler.serverBytes(id, this.#contexts[slotOf(id)], batch.serverBytes(at));
    } catch (error) {
      this.abort(id, "internal");
      this.#fault("serverBytes", error);
    }
  }

  #closed(at: number): void {
    const batch = this.#batch;
    const slot = batch.slot(at);
    const context = this.#contexts[slot];
    // The next connection of this slot may end without a verdict, and then has no context.
    this.#contexts[slot] = undefined;
    try {
      this.#handler.closed(batch.closed(at, this.#listeners.name(batch.listener(at)), context));
    } catch (error) {
      this.#fault("closed", error);
    }
  }

  #fault(call: string, cause: unknown): void {
    this.#handler.fault(new Error(`the handler's ${call} failed`, { cause }));
  }
}

function systemFault(place: number, error: number): Error {
  const code = getSystemErrorName(-error);
  return Object.assign(new Error(`native engine: ${faultPlaces[place] ?? "somewhere"}: ${code}`), { code });
}
