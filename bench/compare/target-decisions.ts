import type { Resource } from "../../model/resource.ts";
import { Routing } from "../../dataplane/choose/routing.ts";
import { ConnectionRouter } from "../../dataplane/connection-router.ts";
import type { ConnectionHandler, Engine } from "../../dataplane/engine/engine.ts";
import { ServerSide } from "../../dataplane/server-side.ts";
import { Traffic } from "../../dataplane/telemetry/traffic.ts";

export interface TargetParts {
  readonly resources: Iterable<Resource>;
  /** The engine that asks; called when it exists. */
  readonly engine: () => Engine;
  readonly onFault: (error: Error) => void;
}

/**
 * The decisions of the bench's target: a node's own, affinity by TLS session, health, balancing and counts among them.
 * Only the log is missing, and the telemetry that would tell of it.
 */
export function targetDecisions({ resources, engine, onFault }: TargetParts): ConnectionHandler {
  const routing = new Routing(Math.floor(Math.random() * 2 ** 32));
  const nowMs = (): number => performance.now();
  const servers = new ServerSide({
    routing,
    resolve: async (host) => {
      throw new Error(`the bench's servers have no names, and ${host} is one`);
    },
    region: "",
    instance: "bench",
    sourceTransparent: () => false,
    nowMs,
    random: Math.random,
    publish: () => undefined,
    onTransition: ({ server, to, reason }) => onFault(new Error(`${server} is ${to}: ${reason ?? "no reason"}`)),
    onUnresolved: () => undefined,
    onAddresses: () => undefined,
  });
  const changes = Array.from(resources, (after) => ({ before: null, after }));
  routing.apply(changes);
  servers.apply(changes);
  return new ConnectionRouter({
    routing,
    servers,
    traffic: new Traffic(),
    revision: () => 1,
    nowMs,
    answer: (id, verdict) => engine().answer(id, verdict),
    onClosed: () => undefined,
    onFault,
  });
}
