import type { Listener } from "../../model/resource.ts";
import type { ListenerSettings } from "./engine.ts";

/** What the engine needs to know of a listener. */
export function listenerSettings(listener: Listener): ListenerSettings {
  const { name, addresses, helloBytesMax, helloDeadlineMs, clientIdleTimeoutMs, connectionsMax } = listener;
  const { proxyNetworks } = listener;
  return { name, addresses, helloBytesMax, helloDeadlineMs, clientIdleTimeoutMs, connectionsMax, proxyNetworks };
}
