import { joinSocketAddress, type SocketAddress } from "../../model/address.ts";
import type { Resource } from "../../model/resource.ts";
import { Routing } from "../../dataplane/choose/routing.ts";
import { ConnectionRouter } from "../../dataplane/connection-router.ts";
import type { ClosedConnection, ConnectVerdict, Verdict } from "../../dataplane/engine/engine.ts";
import { ServerHealthBoard } from "../../dataplane/health/server-health.ts";
import { readHello } from "../../dataplane/hello/hello-reader.ts";
import type { ServerAddresses } from "../../dataplane/resolve/server-addresses.ts";
import type { RoutedConnection } from "../../dataplane/routed-connection.ts";
import { ServerDispatch } from "../../dataplane/server-dispatch.ts";
import { ServerLoads } from "../../dataplane/server-loads.ts";
import { SessionAffinity } from "../../dataplane/session-affinity.ts";
import { Traffic } from "../../dataplane/telemetry/traffic.ts";
import { helloWith, serverName } from "../corpus/hello-builder.ts";
import { written } from "./arbitrary-resource.ts";

const source = joinSocketAddress("192.0.2.7", 50_000);
const local = joinSocketAddress("127.0.0.1", 443);

export function server(farm: string, id: string, port: number, more: object = {}): Resource {
  return written({ server: { name: `farms/${farm}/servers/${id}`, address: `127.0.0.1:${port}`, ...more } });
}

export function route(id: string, match: object, action: object): Resource {
  return written({ route: { name: `listeners/edge/routes/${id}`, match, action } });
}

export function edge(more: object = {}): Resource {
  return written({ listener: { name: "listeners/edge", addresses: ["127.0.0.1:443"], ...more } });
}

export const base: readonly Resource[] = [
  edge(),
  written({ farm: { name: "farms/web" } }),
  server("web", "a", 1),
  server("web", "b", 2),
  server("web", "c", 3),
  written({ farm: { name: "farms/empty" } }),
  written({ farm: { name: "farms/state" } }),
  server("state", "drain", 11, { state: "SERVER_STATE_DRAIN" }),
  server("state", "out", 12, { state: "SERVER_STATE_MAINTENANCE" }),
  server("state", "zero", 13, { weight: 0 }),
  route("web", { serverNames: ["web.test"] }, { farm: "farms/web" }),
  route("empty", { serverNames: ["empty.test"] }, { farm: "farms/empty" }),
  route("state", { serverNames: ["state.test"] }, { farm: "farms/state" }),
  route("drain", { serverNames: ["drain.test"] }, { server: "farms/state/servers/drain" }),
  route("out", { serverNames: ["out.test"] }, { server: "farms/state/servers/out" }),
  route("zero", { serverNames: ["zero.test"] }, { server: "farms/state/servers/zero" }),
  route("named", { serverNames: ["a.web.test"] }, { server: "farms/web/servers/a" }),
  route("refused", { serverNames: ["refused.test"] }, { reject: {} }),
  route("odd", { serverNames: ["odd.test"] }, { reject: { alert: "ALERT_NO_APPLICATION_PROTOCOL" } }),
  route("h2", { serverNames: ["web.test"], alpnProtocols: ["h2"] }, { server: "farms/web/servers/c" }),
  route("near", { serverNames: ["web.test"], sourceNetworks: ["192.0.2.0/24"], alpnProtocols: ["x"] }, { reject: {} }),
];

/** Servers are where they are configured to be. */
const addresses: ServerAddresses = {
  next: (of) => of.address as SocketAddress,
  isReachable: () => true,
  failed: () => undefined,
  succeeded: () => undefined,
};

/** A router over a configuration, with a clock that is a number. */
export class RouterRig {
  nowMs = 0;
  readonly routing = new Routing(7);
  readonly health = new ServerHealthBoard();
  readonly loads = new ServerLoads();
  readonly affinity: SessionAffinity;
  readonly traffic = new Traffic();
  readonly ended: (RoutedConnection | undefined)[] = [];
  /** What waiting connections were answered. */
  readonly answered: (readonly [id: number, told: string])[] = [];
  readonly router: ConnectionRouter;
  #connections = 0;

  constructor(...more: readonly Resource[]) {
    const nowMs = (): number => this.nowMs;
    const { routing, health, loads } = this;
    this.affinity = new SessionAffinity({
      nowMs,
      publish: () => undefined,
      knows: (name) => routing.server(name) !== undefined,
    });
    const { affinity } = this;
    const known = { affinity, health, addresses, loads };
    const own = { region: "", instance: "n1", sourceTransparent: () => false, random: () => 0 };
    this.router = new ConnectionRouter({
      routing,
      servers: { ...known, dispatch: new ServerDispatch({ routing, ...known, ...own, nowMs }) },
      traffic: this.traffic,
      revision: () => 5,
      nowMs,
      answer: (id, verdict) => this.answered.push([id, told(verdict)]),
      onClosed: (_closed, routed) => this.ended.push(routed),
      onFault: (error) => {
        throw error;
      },
    });
    const resources = new Map([...base, ...more].map((resource) => [resource.name, resource]));
    const changes = [...resources.values()].map((after) => ({ before: null, after }));
    routing.apply(changes);
    affinity.apply(changes);
    health.apply(changes, 0);
  }

  decide(hello: Uint8Array, listener = "listeners/edge"): Verdict {
    this.#connections += 1;
    const id = this.#connections;
    return this.router.decide({ id, listener, source, local, hello: readHello(hello, 16_384) });
  }

  /** Of the servers that are not well. */
  unwell(): readonly string[] {
    return Array.from(this.health.states(this.nowMs), ({ server: name }) => name);
  }

  connected(name: string): ConnectVerdict {
    const verdict = this.decide(helloWith(serverName(name)));
    if (verdict.verdict !== "connect") throw new Error(`not connected: ${told(verdict)}`);
    return verdict;
  }

  close(verdict: Verdict, more: Partial<ClosedConnection> = {}): void {
    const { context } = verdict;
    const times = { acceptedAtMs: 0, helloMs: 0, connectMs: 1, totalMs: 1, connectAttempts: 1 };
    const bytes = { bytesFromClient: 10, bytesFromServer: 20 };
    const record = { id: 1, listener: "listeners/edge", source, reason: "done" as const, context, ...times, ...bytes };
    this.router.closed({ ...record, ...more });
  }
}

/** `reason alert`, or where it goes: `farm's server`. */
export function told(verdict: Verdict): string {
  if (verdict.verdict === "wait") return "waits";
  if (verdict.verdict === "reject") return `${verdict.reason} ${verdict.alert}`;
  const { farm, server: to } = verdict.context as RoutedConnection;
  if (to?.address !== verdict.address) throw new Error("another address than the server's");
  return `${farm?.name ?? ""} ${to.name.split("/").at(-1) ?? ""}`;
}
