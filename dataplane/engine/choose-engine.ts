import type { ConnectionHandler, Engine } from "./engine.ts";
import { loadNative } from "./native-addon.ts";
import { createNativeEngine } from "./native-engine.ts";
import { createPortableEngine } from "./portable-engine.ts";

/** What an operator may ask for. */
export type EngineWish = "auto" | "native" | "portable";

/** An engine to be made, and what to say about the choice. */
export interface EngineChoice {
  readonly kind: Engine["kind"];
  readonly create: (handler: ConnectionHandler) => Engine;
  /** Why the native engine is not used, in one line; undefined where it is, or was not wanted. */
  readonly fallback: string | undefined;
}

/**
 * The native engine where it can be had, else the portable one, which says why.
 *
 * @param threads of the native engine; undefined for one per core
 * @throws Error where the native engine is asked for and can't be had
 */
export function chooseEngine(wish: EngineWish, threads: number | undefined): EngineChoice {
  const portable = { kind: "portable", create: createPortableEngine } as const;
  if (wish === "portable") return { ...portable, fallback: undefined };
  const native = loadNative();
  if ("unavailable" in native) {
    if (wish === "native") throw new Error(`no native engine: ${native.unavailable}`);
    return { ...portable, fallback: `the portable engine is used: ${native.unavailable}` };
  }
  const create = (handler: ConnectionHandler): Engine =>
    createNativeEngine(handler, threads === undefined ? {} : { threads });
  return { kind: "native", create, fallback: undefined };
}
