import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { wireVersion } from "./native-wire.ts";

/**
 * What `dataplane/native/src/addon.cc` exports. Wrong arguments, a handle of something else and an engine that is
 * stopped throw. Records are those of `native-wire.ts`.
 */
export interface NativeAddon {
  readonly wireVersion: number;
  /**
   * Starts the engine's threads. `onBatch` is called on this thread with the number of bytes of records in `batch`,
   * which may be written again as soon as it returns.
   *
   * @param threads 1 to 64
   * @param descriptorsReserved how many of the process's descriptors connections may never take
   * @param batch of 512 KiB or more; the engine's until `stop`
   */
  start(
    threads: number,
    descriptorsReserved: number,
    batch: Uint8Array,
    onBatch: (bytes: number) => void,
  ): NativeHandle;
  /** Ends the threads at once. What is still open is closed without a record. */
  stop(handle: NativeHandle): void;
  /** @param listener 0 to 4095, a number that the caller gives */
  setLimits(
    handle: NativeHandle,
    listener: number,
    helloBytesMax: number,
    helloDeadlineMs: number,
    clientIdleTimeoutMs: number,
    connectionsMax: number,
  ): void;
  /**
   * Binds an address, given as its 20 bytes; the port that the system chose for port 0 is written into them.
   * @returns the bind's number, or an errno below zero
   */
  bind(handle: NativeHandle, listener: number, address: Uint8Array, deferAccept: boolean): number;
  /** Each thread answers with an `unbound` record. */
  unbind(handle: NativeHandle, bind: number): void;
  /** Verdicts in the first `length` bytes. */
  submit(handle: NativeHandle, verdicts: Uint8Array, length: number): void;
  abort(handle: NativeHandle, slot: number, generation: number, reason: number): void;
  /** Stops accepting; each thread answers with a `drained` record when it has no connection left. */
  drain(handle: NativeHandle): void;
  /** Ends every connection. */
  endAll(handle: NativeHandle, reason: number): void;
  /** Whether this process may connect from an address of another machine (IP_TRANSPARENT). Needs no engine. */
  mayConnectFromAnywhere(): boolean;
  /** Writes {@link nativeStats} in their order. */
  stats(handle: NativeHandle, into: Float64Array): void;
}

/** An engine that was started; only the addon looks inside. */
export type NativeHandle = object & { readonly __brand: "NativeHandle" };

/** Why there is no native engine here, in one line. */
export interface NativeUnavailable {
  readonly unavailable: string;
}

const addonPath = "dataplane/native/build/Release/switchyard_engine.node";

/** Loads the addon that `dataplane/native/build.mjs` built. */
export function loadNative(): NativeAddon | NativeUnavailable {
  if (process.platform !== "linux") return { unavailable: `${process.platform} is not Linux` };
  const path = findAddon(dirname(fileURLToPath(import.meta.url)));
  if (path === undefined) return { unavailable: "the addon is not built (node dataplane/native/build.mjs)" };
  try {
    const addon = createRequire(import.meta.url)(path) as NativeAddon;
    if (addon.wireVersion === wireVersion) return addon;
    return { unavailable: `the addon is of version ${addon.wireVersion}, not ${wireVersion}: build it again` };
  } catch (error) {
    const [line] = String(error instanceof Error ? error.message : error).split("\n");
    return { unavailable: `the addon can't be loaded: ${line}` };
  }
}

/** Sources and what is compiled from them (`dist/`) lie at different depths of the package. */
function findAddon(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, addonPath);
    if (existsSync(path)) return path;
    if (dirname(folder) === folder) return undefined;
  }
}
