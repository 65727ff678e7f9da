import { joinSocketAddress } from "../../model/address.ts";
import { serverPorts } from "./server-ports.ts";
import type { Edge } from "./returning-client.ts";
import { serverNameOf, type TlsFarm } from "./tls-farm.ts";
import { TlsFiles } from "./tls-files.ts";
import { ToolProcess } from "./tool-process.ts";

/**
 * What HAProxy is compared with:
 * - `round robin`: no affinity at all;
 * - `as published`: the stick table on the TLS session id of HAProxy's own manual ("stick store-response", its example);
 * - `with delay`: the same with `tcp-response inspect-delay`, without which the ServerHello often comes too late to be seen.
 */
export const haproxyWays = ["round robin", "as published", "with delay"] as const;
export type HaproxyWay = (typeof haproxyWays)[number];

const stickTable = `  stick-table type binary len 32 size 30k expire 30m peers both
  acl clienthello req.ssl_hello_type 1
  acl serverhello res.ssl_hello_type 2
  tcp-request inspect-delay 5s
  tcp-request content accept if clienthello
  tcp-response content accept if serverhello
  stick on req.payload_lv(43,1) if clienthello
  stick store-response res.payload_lv(43,1) if serverhello
`;

const lines: Readonly<Record<HaproxyWay, string>> = {
  "round robin": "",
  "as published": stickTable,
  "with delay": `${stickTable}  tcp-response inspect-delay 5s\n`,
};

/** Two HAProxy before the same farms, which tell each other what is in their stick tables. */
export class HaproxyPair {
  readonly #processes: readonly ToolProcess[];
  readonly #files: TlsFiles;
  readonly #edges: ReadonlyMap<HaproxyWay, readonly Edge[]>;

  private constructor(files: TlsFiles, processes: readonly ToolProcess[], edges: Map<HaproxyWay, readonly Edge[]>) {
    this.#files = files;
    this.#processes = processes;
    this.#edges = edges;
  }

  static async start(farms: readonly TlsFarm[]): Promise<HaproxyPair> {
    const files = await TlsFiles.make();
    const peerPorts = await serverPorts(2);
    const edges = new Map<HaproxyWay, readonly Edge[]>();
    for (const way of haproxyWays) {
      const ports = await serverPorts(2);
      edges.set(
        way,
        ports.map((port) => ({ host: "127.0.0.1", port })),
      );
    }
    const processes = ["one", "two"].map((id, index) => {
      const ways = haproxyWays.map((way) => configOf(way, edges.get(way)?.[index] as Edge, farms));
      const config = files.write(`${id}.cfg`, `${head(peerPorts)}${ways.join("")}`);
      return new ToolProcess("haproxy", ["-db", "-L", id, "-f", config], "haproxy");
    });
    for (const pair of edges.values())
      for (const [index, { host, port }] of pair.entries())
        await processes[index]?.takes(joinSocketAddress(host, port));
    return new HaproxyPair(files, processes, edges);
  }

  edges(way: HaproxyWay): readonly Edge[] {
    return this.#edges.get(way) ?? [];
  }

  async stop(): Promise<void> {
    for (const process of this.#processes) await process.end();
    this.#files.remove();
  }
}

function head([one, two]: readonly number[]): string {
  return `global
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
peers both
  peer one 127.0.0.1:${one}
  peer two 127.0.0.1:${two}
`;
}

function configOf(way: HaproxyWay, { host, port }: Edge, farms: readonly TlsFarm[]): string {
  const id = way.replaceAll(" ", "-");
  const uses = farms.map((farm) => `  use_backend ${id}-${farm.name} if { req.ssl_sni ${serverNameOf(farm)} }\n`);
  const backends = farms.map((farm) => {
    const servers = farm.servers.map(({ id: server, address }) => `  server ${server} ${address}\n`);
    return `backend ${id}-${farm.name}\n  balance roundrobin\n${lines[way]}${servers.join("")}`;
  });
  return `frontend ${id}
  bind ${joinSocketAddress(host, port)}
  tcp-request inspect-delay 5s
  tcp-request content accept if { req.ssl_hello_type 1 }
${uses.join("")}${backends.join("")}`;
}
