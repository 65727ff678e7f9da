import { availableParallelism } from "node:os";
import type { SocketAddress } from "../../model/address.ts";
import type { AlertName } from "../../model/alert.ts";
import type { CloseReason } from "../../model/reason.ts";
import { alertRecord } from "../hello/alert-record.ts";
import type {
  BindFailure,
  ConnectionHandler,
  ConnectionId,
  ConnectVerdict,
  Engine,
  EngineStats,
  ListenerSettings,
  RejectVerdict,
  Verdict,
} from "./engine.ts";
import { systemFault } from "./native-fault.ts";
import { loadNative, type NativeAddon, type NativeHandle } from "./native-addon.ts";
import { connectionId, generationOf, NativeArrival, NativeBatch, slotOf } from "./native-batch.ts";
import { NativeListeners } from "./native-listeners.ts";
import { laterTarget, NativeVerdicts, type VerdictTarget } from "./native-verdicts.ts";
import { NativeWaits } from "./native-waits.ts";
import { helloBehind } from "./proxy-gate.ts";
import { helloOffset, nativeStats, reasonCode, reportKind } from "./native-wire.ts";

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
  readonly sourceTransparent: boolean;
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
  /** By slot: the generation of the connection whose last verdict was `connect`; else 0. */
  readonly #connected: number[] = [];
  readonly #waits = new NativeWaits();
  /** What PROXY headers said of clients that have not closed yet, by slot. */
  readonly #proxied = new Map<number, SocketAddress>();
  /** Verdicts are handed over when the batch has been read, or else when this turn's code has run. */
  #flushing = false;
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
    this.sourceTransparent = addon.mayConnectFromAnywhere();
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

  answer(id: ConnectionId, verdict: ConnectVerdict | RejectVerdict): void {
    const slot = slotOf(id);
    if (this.#stopped || !this.#waits.answer(slot, id)) return;
    this.#follow(slot, laterTarget(id), () => verdict);
    this.#flushSoon();
  }

  visit(see: (id: ConnectionId, context: unknown) => void): void {
    for (const [slot, generation] of this.#connected.entries())
      if (generation > 0) see(connectionId(slot, generation), this.#contexts[slot]);
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
    this.#flushing = true;
    for (let at = 0; at < bytes; at += batch.size(at)) this.#readRecord(at);
    this.#flush();
  }

  /** Answers come one by one, often many in one go; the engine is told once. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    if (!this.#stopped) this.#verdicts.flush();
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
    const listener = batch.listener(at);
    const bytes = batch.helloBytes(at);
    const gate = this.#listeners.gate(listener).judge(bytes, () => batch.ip(at + helloOffset.source));
    const skippedBytes = gate.outcome === "passed" ? gate.bytes : 0;
    const hello = helloBehind(gate, bytes, batch.helloBytesMax(at));
    const helloComplete = hello.outcome === "complete";
    const target = { slot, generation: batch.generation(at), helloComplete, skippedBytes };
    if (hello.outcome === "incomplete") return this.#verdicts.moreBytes(target);
    this.#alertVersions[slot] = helloComplete ? hello.hello.alertRecordVersion : hello.recordVersion;
    const told = gate.outcome === "passed" ? gate.addresses : null;
    if (told !== null) this.#proxied.set(slot, told.source);
    const source = told?.source ?? batch.address(at + helloOffset.source);
    const local = told?.destination ?? batch.address(at + helloOffset.local);
    const arrival = new NativeArrival(batch.id(at), this.#listeners.name(listener), hello, source, local);
    this.#follow(slot, target, () => this.#handler.decide(arrival));
  }

  #redecide(at: number): void {
    const batch = this.#batch;
    const slot = batch.slot(at);
    const id = batch.id(at);
    this.#waits.delete(slot);
    this.#follow(slot, laterTarget(id), () =>
      this.#handler.redecide(id, this.#contexts[slot], batch.failure(at), batch.attempt(at)),
    );
  }

  /** Asks the handler, and hands its answer to the engine. What it throws ends that connection, and nothing else. */
  #follow(slot: number, target: VerdictTarget, ask: () => Verdict): void {
    try {
      const verdict = ask();
      this.#contexts[slot] = verdict.context;
      this.#connected[slot] = verdict.verdict === "connect" ? target.generation : 0;
      if (verdict.verdict === "connect") this.#verdicts.connect(target, verdict);
      else if (verdict.verdict === "wait") this.#wait(target, verdict.context);
      else this.#verdicts.reject(target, verdict.reason, this.#alert(slot, verdict.alert));
    } catch (error) {
      this.#connected[slot] = 0;
      this.#verdicts.reject(target, "internal", this.#alert(slot, "internal_error"));
      this.#fault("decide", error);
    }
  }

  #wait(target: VerdictTarget, context: unknown): void {
    this.#waits.begin(target.slot, connectionId(target.slot, target.generation), context);
    this.#verdicts.wait(target);
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
    // An answer that came too late has had no effect, and its context has not either.
    const context = this.#waits.end(slot, batch.endedUnanswered(at), this.#contexts[slot]);
    const source = this.#proxied.size > 0 ? this.#proxied.get(slot) : undefined;
    // The next connection of this slot may end without a verdict, and then has no context.
    this.#contexts[slot] = undefined;
    this.#connected[slot] = 0;
    if (source !== undefined) this.#proxied.delete(slot);
    try {
      this.#handler.closed(batch.closed(at, this.#listeners.name(batch.listener(at)), context, source));
    } catch (error) {
      this.#fault("closed", error);
    }
  }

  #fault(call: string, cause: unknown): void {
    this.#handler.fault(new Error(`the handler's ${call} failed`, { cause }));
  }
}
