import { joinSocketAddress } from "../../model/address.ts";
import { serverPorts } from "./server-ports.ts";
import { runTool } from "../support/run-tool.ts";
import { TlsFiles } from "./tls-files.ts";
import { type ResumptionMode, resumptionModes, serverIds, type TlsStack } from "./tls-farm.ts";
import { ToolProcess } from "./tool-process.ts";

/** Four HAProxy that end TLS, each with a port per mode. */
export async function startHaproxyStack(host: string): Promise<TlsStack> {
  const files = await TlsFiles.make();
  const ids = serverIds();
  const ports = await serverPorts(ids.length * resumptionModes.length);
  const addressOf = (server: number, mode: number) =>
    joinSocketAddress(host, ports[server * resumptionModes.length + mode] as number);
  const processes = ids.map((id, server) => {
    const frontends = resumptionModes.map((mode, index) => frontend(mode, addressOf(server, index), files));
    const config = files.write(`${id}.cfg`, `${common}${frontends.join("")}`);
    return new ToolProcess("haproxy", ["-db", "-f", config], "haproxy");
  });
  const farms = resumptionModes.map((mode, index) => ({
    name: `haproxy-${mode}`,
    stack: "haproxy",
    mode,
    servers: ids.map((id, server) => ({ id, address: addressOf(server, index) })),
    resumedBy: (answer: string): boolean => answer.includes("session=1"),
  }));
  for (const { servers } of farms)
    for (const [index, { address }] of servers.entries()) await processes[index]?.takes(address);
  return {
    name: "haproxy",
    version: await haproxyVersion(),
    farms,
    stop: async () => {
      for (const process of processes) await process.end();
      files.remove();
    },
  };
}

export async function haproxyVersion(): Promise<string> {
  const { stdout } = await runTool("haproxy", ["-v"], "haproxy");
  return /version (\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? "";
}

const common = `global
  nbthread 2
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
`;

function frontend(mode: ResumptionMode, address: string, files: TlsFiles): string {
  const version = mode === "tls13-tickets" ? "TLSv1.3" : "TLSv1.2";
  const tickets = mode === "tls12-ids" ? " no-tls-tickets" : "";
  const tls = `ssl crt ${files.both} ssl-min-ver ${version} ssl-max-ver ${version}${tickets}`;
  return `frontend ${mode}
  bind ${address} ${tls}
  http-request return status 200 content-type text/plain lf-string "session=%[ssl_fc_is_resumed]" hdr connection close
`;
}
