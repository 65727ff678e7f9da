import { mkdirSync } from "node:fs";
import { joinSocketAddress } from "../../model/address.ts";
import { serverPorts } from "./server-ports.ts";
import { runTool } from "../support/run-tool.ts";
import { TlsFiles } from "./tls-files.ts";
import { type ResumptionMode, resumptionModes, serverIds, type TlsFarm, type TlsStack } from "./tls-farm.ts";
import { ToolProcess } from "./tool-process.ts";

/** Four nginx, each with a port per mode and two workers. A reload makes new ticket keys. */
export class NginxStack implements TlsStack {
  readonly name = "nginx";
  readonly version: string;
  readonly farms: readonly TlsFarm[];
  readonly #files: TlsFiles;
  readonly #processes: ReadonlyMap<string, ToolProcess>;

  private constructor(
    version: string,
    farms: readonly TlsFarm[],
    files: TlsFiles,
    processes: Map<string, ToolProcess>,
  ) {
    this.version = version;
    this.farms = farms;
    this.#files = files;
    this.#processes = processes;
  }

  static async start(host: string): Promise<NginxStack> {
    const files = await TlsFiles.make();
    const ids = serverIds();
    const ports = await serverPorts(ids.length * resumptionModes.length);
    const portOf = (server: number, mode: number): number => ports[server * resumptionModes.length + mode] as number;
    const processes = new Map<string, ToolProcess>();
    for (const [server, id] of ids.entries()) {
      const blocks = resumptionModes.map((mode, index) => serverBlock(host, portOf(server, index), mode, files));
      mkdirSync(files.path(id));
      const config = files.write(`${id}.conf`, nginxConfig(files.path(id), blocks));
      processes.set(id, new ToolProcess("nginx", ["-c", config, "-e", "stderr"], "nginx-light"));
    }
    const farms = resumptionModes.map((mode, index) => ({
      name: `nginx-${mode}`,
      stack: "nginx",
      mode,
      servers: ids.map((id, server) => ({ id, address: joinSocketAddress(host, portOf(server, index)) })),
      resumedBy: (answer: string): boolean => answer.includes("session=r"),
    }));
    for (const farm of farms) for (const { id, address } of farm.servers) await processes.get(id)?.takes(address);
    const { stderr } = await runTool("nginx", ["-v"], "nginx-light");
    const version = /nginx\/(\S+)/.exec(stderr)?.[1] ?? "";
    return new NginxStack(version, farms, files, processes);
  }

  /** New ticket keys for one server, in all its modes. The new ones are in use soon after, not at once. */
  reload(id: string): void {
    this.#processes.get(id)?.signal("SIGHUP");
  }

  async stop(): Promise<void> {
    for (const process of this.#processes.values()) await process.end();
    this.#files.remove();
  }
}

function nginxConfig(folder: string, blocks: readonly string[]): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (of) => `${of}_temp_path ${folder}/${of};`,
  );
  return `daemon off;
pid ${folder}/pid;
worker_processes 2;
events { worker_connections 256; }
http {
  access_log off;
  ${temporary.join("\n  ")}
${blocks.join("\n")}
}
`;
}

function serverBlock(host: string, port: number, mode: ResumptionMode, files: TlsFiles): string {
  return `  server {
    listen ${joinSocketAddress(host, port)} ssl;
    ssl_certificate ${files.cert};
    ssl_certificate_key ${files.key};
    ssl_protocols ${mode === "tls13-tickets" ? "TLSv1.3" : "TLSv1.2"};
    ssl_session_tickets ${mode === "tls12-ids" ? "off" : "on"};
    ssl_session_cache shared:${mode}:1m;
    ssl_early_data ${mode === "tls13-tickets" ? "on" : "off"};
    location / { return 200 "session=$ssl_session_reused early=$ssl_early_data\\n"; }
  }`;
}
