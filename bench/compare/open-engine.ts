import type { ConnectionHandler, Engine } from "../../dataplane/engine/engine.ts";
import { createNativeEngine } from "../../dataplane/engine/native-engine.ts";
import { createPortableEngine } from "../../dataplane/engine/portable-engine.ts";

/** Opens an engine by its kind. Throws where the native one can't be loaded, with why. */
export function openEngine(kind: "native" | "portable", handler: ConnectionHandler, threads: number): Engine {
  return kind === "native" ? createNativeEngine(handler, { threads }) : createPortableEngine(handler);
}
