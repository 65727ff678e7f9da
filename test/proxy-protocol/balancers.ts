import { mkdirSync } from "node:fs";
import { joinSocketAddress, type SocketAddress } from "../../model/address.ts";
import { TlsFiles } from "../affinity/tls-files.ts";
import type { ToolProcess } from "../affinity/tool-process.ts";
import { freePorts } from "../e2e/running-switchyard.ts";
import { haproxyHead, nginxConfig, startHaproxy, startNginx } from "./header-reading-servers.ts";

/** A real balancer that passes TCP streams on, with a PROXY header in front. */
export interface Balancer {
  /** Where clients connect, per way. */
  readonly addresses: ReadonlyMap<string, SocketAddress>;
  stop(): Promise<void>;
}

/** How HAProxy sends it: options of its `server` line; `ssl` where it ends TLS itself, and so knows a name. */
export interface HaproxyWay {
  readonly title: string;
  readonly send: string;
  readonly host?: string;
  readonly ssl?: true;
}

/** Each way on a port of its own, all to one server. */
export async function haproxyBalancer(ways: readonly HaproxyWay[], server: SocketAddress): Promise<Balancer> {
  const files = await TlsFiles.make();
  const ports = await freePorts(ways.length);
  const addresses = new Map<string, SocketAddress>();
  const proxies = ways.map(({ title, send, host = "127.0.0.1", ssl }, index) => {
    const address = joinSocketAddress(host, ports[index] as number);
    addresses.set(title, address);
    return `listen way-${index}
  bind ${address}${ssl === true ? ` ssl crt ${files.both}` : ""}
  unique-id-format "id-${index}"
  server one ${server} ${send}
`;
  });
  const process = startHaproxy(files.write("haproxy.cfg", `${haproxyHead("tcp")}${proxies.join("")}`));
  return running(addresses, process, files);
}

/** nginx sends version 1 only. A way for each family that it listens on. */
export async function nginxBalancer(hosts: readonly string[], server: SocketAddress): Promise<Balancer> {
  const files = await TlsFiles.make();
  const folder = files.path("run");
  mkdirSync(folder);
  const ports = await freePorts(hosts.length);
  const addresses = new Map(hosts.map((host, index) => [host, joinSocketAddress(host, ports[index] as number)]));
  const servers = [...addresses.values()].map(
    (address) => `  server { listen ${address}; proxy_pass ${server}; proxy_protocol on; }`,
  );
  const config = nginxConfig(folder, `stream {\n${servers.join("\n")}\n}`);
  return running(addresses, startNginx(files.write("nginx.conf", config)), files);
}

/** A connection to each port shows that it is there: the server behind sees those too. */
async function running(
  addresses: ReadonlyMap<string, SocketAddress>,
  process: ToolProcess,
  files: TlsFiles,
): Promise<Balancer> {
  for (const address of addresses.values()) await process.takes(address);
  const stop = async (): Promise<void> => {
    await process.end();
    files.remove();
  };
  return { addresses, stop };
}
