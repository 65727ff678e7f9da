import type { ConnectionHandler, Engine } from "../../dataplane/engine/engine.ts";
import { joinSocketAddress, type SocketAddress } from "../../model/address.ts";
import { type EndedConnection, farm, listener, NodeRig, route, server } from "../dataplane/node-rig.ts";
import { freePorts } from "../e2e/running-switchyard.ts";
import { waitFor } from "../support/wait-for.ts";
import { haproxyBalancer, nginxBalancer } from "./balancers.ts";
import { haproxyServer, nginxServer } from "./header-reading-servers.ts";

const allTlvs = ["ALPN", "AUTHORITY", "CRC32C", "UNIQUE_ID"].map((name) => `PROXY_TLV_${name}`);

/** Farms by what the node sends them; each has one real server, and is reached by `<id>.test`. */
export const farms = [
  { id: "nginx-1", of: "nginx", proxyProtocol: { version: "PROXY_VERSION_1" } },
  { id: "nginx-2", of: "nginx", proxyProtocol: { tlvs: allTlvs } },
  { id: "haproxy-1", of: "haproxy", proxyProtocol: { version: "PROXY_VERSION_1" } },
  { id: "haproxy-2", of: "haproxy", proxyProtocol: { tlvs: allTlvs } },
] as const;

/** Listeners by whom they believe. */
const listeners = [
  { id: "believes", more: { proxyNetworks: ["127.0.0.0/8"] } },
  { id: "hurries", more: { proxyNetworks: ["127.0.0.0/8"], helloDeadline: { nanos: 300_000_000 } } },
  { id: "stranger", more: { proxyNetworks: ["192.0.2.0/24", "2001:db8::/32"] } },
  { id: "plain", more: {} },
] as const;
export type ListenerId = (typeof listeners)[number]["id"];

const haproxyWays = [
  { title: "HAProxy, version 1", send: "send-proxy" },
  { title: "HAProxy, version 2", send: "send-proxy-v2 proxy-v2-options crc32c,unique-id" },
] as const;

/** What can stand between a client and the node. */
export const fronts = ["nothing", "HAProxy, version 1", "HAProxy, version 2", "nginx"] as const;
export type Front = (typeof fronts)[number];

/** A node with real balancers in front of it and real servers behind it, on the loopback. */
export class NodeBetween {
  readonly rig: NodeRig;
  readonly #ports: ReadonlyMap<ListenerId, number>;
  readonly #fronts = new Map<string, SocketAddress>();
  #addressesGiven = 0;

  private constructor(rig: NodeRig, ports: ReadonlyMap<ListenerId, number>) {
    this.rig = rig;
    this.#ports = ports;
  }

  static async start(createEngine: (handler: ConnectionHandler) => Engine): Promise<NodeBetween> {
    const rig = await NodeRig.start(createEngine);
    const free = await freePorts(listeners.length);
    const ports = new Map(listeners.map(({ id }, index) => [id, free[index] as number]));
    const between = new NodeBetween(rig, ports);
    await between.#configure();
    await between.#putInFront();
    return between;
  }

  async #configure(): Promise<void> {
    const servers = { nginx: this.#kept(await nginxServer()), haproxy: this.#kept(await haproxyServer()) };
    await this.rig.apply([
      ...farms.flatMap(({ id, of, proxyProtocol }) => [
        farm(id, { proxyProtocol }),
        server(id, "one", servers[of].address),
      ]),
      ...listeners.flatMap(({ id, more }) => [
        listener(id, [this.#ports.get(id) as number], more),
        ...farms.map((each) => route(id, each.id, { serverNames: [`${each.id}.test`] }, { farm: `farms/${each.id}` })),
      ]),
    ]);
  }

  async #putInFront(): Promise<void> {
    this.#fronts.set("nothing", this.listener("plain"));
    const haproxy = this.#kept(await haproxyBalancer(haproxyWays, this.listener("believes")));
    for (const [title, address] of haproxy.addresses) this.#fronts.set(title, address);
    const nginx = this.#kept(await nginxBalancer(["127.0.0.1"], this.listener("believes")));
    this.#fronts.set("nginx", nginx.addresses.get("127.0.0.1") as SocketAddress);
  }

  #kept<Thing extends { stop(): Promise<void> }>(thing: Thing): Thing {
    this.rig.keep({ close: () => thing.stop() });
    return thing;
  }

  /** Where a client connects to be behind it. */
  front(front: Front): SocketAddress {
    return this.#fronts.get(front) as SocketAddress;
  }

  listener(id: ListenerId): SocketAddress {
    return joinSocketAddress("127.0.0.1", this.#ports.get(id) as number);
  }

  /** A loopback address that no client of this node had before: the node's records are told apart by it. */
  newAddress(): string {
    this.#addressesGiven += 1;
    return `127.0.1.${this.#addressesGiven}`;
  }

  /** What the node said of a connection that ended so, once it has. */
  async ended(what: string, holds: (ended: EndedConnection) => boolean): Promise<EndedConnection> {
    return waitFor(what, () => this.rig.ended.find(holds));
  }

  close(): Promise<void> {
    return this.rig.close();
  }
}
