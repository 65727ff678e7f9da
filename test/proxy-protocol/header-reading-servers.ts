import { mkdirSync } from "node:fs";
import { joinSocketAddress, type SocketAddress } from "../../model/address.ts";
import { TlsFiles } from "../affinity/tls-files.ts";
import { ToolProcess } from "../affinity/tool-process.ts";
import { freePorts } from "../e2e/running-switchyard.ts";

/**
 * A real server that wants a PROXY header before TLS, and answers each request with what the header said, as words on a
 * line: source address and port, destination address and port; HAProxy, with its own words for the values, also the
 * authority and the unique id.
 */
export interface HeaderReadingServer {
  readonly name: string;
  readonly address: SocketAddress;
  stop(): Promise<void>;
}

export async function nginxServer(): Promise<HeaderReadingServer> {
  const files = await TlsFiles.make();
  const address = joinSocketAddress("127.0.0.1", (await freePorts(1))[0] as number);
  const folder = files.path("run");
  mkdirSync(folder);
  const said = ["addr", "port", "server_addr", "server_port"].map((word) => `$proxy_protocol_${word}`).join(" ");
  const config = nginxConfig(
    folder,
    `http {
  access_log off;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((of) => `${of}_temp_path ${folder}/${of};`).join("\n  ")}
  server {
    listen ${address} ssl proxy_protocol;
    ssl_certificate ${files.cert};
    ssl_certificate_key ${files.key};
    location / { return 200 "${said}"; }
  }
}`,
  );
  const process = startNginx(files.write("nginx.conf", config));
  return serving("nginx", address, process, files);
}

export async function haproxyServer(): Promise<HeaderReadingServer> {
  const files = await TlsFiles.make();
  const address = joinSocketAddress("127.0.0.1", (await freePorts(1))[0] as number);
  const words = ["src", "src_port", "dst", "dst_port", "fc_pp_authority", "fc_pp_unique_id"];
  const said = words.map((word) => `%[${word}]`).join(" ");
  const config = `${haproxyHead("http")}
frontend one
  bind ${address} accept-proxy ssl crt ${files.both}
  http-request return status 200 content-type text/plain lf-string "${said}" hdr connection close
`;
  const process = startHaproxy(files.write("haproxy.cfg", config));
  return serving("HAProxy", address, process, files);
}

async function serving(
  name: string,
  address: SocketAddress,
  process: ToolProcess,
  files: TlsFiles,
): Promise<HeaderReadingServer> {
  const stop = async (): Promise<void> => {
    await process.end();
    files.remove();
  };
  await process.takes(address);
  return { name, address, stop };
}

/** @param blocks `http` or `stream` */
export function nginxConfig(folder: string, blocks: string): string {
  return `daemon off;
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
pid ${folder}/pid;
error_log stderr;
worker_processes 1;
events { worker_connections 256; }
${blocks}
`;
}

export function startNginx(config: string): ToolProcess {
  return new ToolProcess("nginx", ["-c", config, "-e", "stderr"], "nginx-light libnginx-mod-stream");
}

export function haproxyHead(mode: "http" | "tcp"): string {
  return `global
  nbthread 1
defaults
  mode ${mode}
  timeout connect 5s
  timeout client 30s
  timeout server 30s
`;
}

export function startHaproxy(config: string): ToolProcess {
  return new ToolProcess("haproxy", ["-db", "-f", config], "haproxy");
}
