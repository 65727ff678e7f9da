import type { ConnectionHandler, Engine } from "../../dataplane/engine/engine.ts";
import { createPortableEngine } from "../../dataplane/engine/portable-engine.ts";

/** Opens an engine by its kind. Rejects where the native one can't be loaded, with why. */
export async function openEngine(
  kind: "native" | "portable",
  handler: ConnectionHandler,
  threads: number,
): Promise<Engine> {
  if (kind === "portable") return createPortableEngine(handler);
  // Loaded only here: without its addon the module may refuse to load, and the portable engine is measured alone.
  const address = new URL("../../dataplane/engine/native-engine.js", import.meta.url).href;
  const module = (await import(address)) as NativeEngineModule;
  return module.createNativeEngine(handler, { threads });
}

interface NativeEngineModule {
  createNativeEngine(handler: ConnectionHandler, options: { readonly threads: number }): Engine | Promise<Engine>;
}
