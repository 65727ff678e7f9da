import { joinSocketAddress, type SocketAddress } from "../../model/address.ts";
import { serverPorts } from "./server-ports.ts";
import { runTool } from "../support/run-tool.ts";
import { TlsFiles } from "./tls-files.ts";
import { type ResumptionMode, resumptionModes, serverIds, type TlsFarm, type TlsStack } from "./tls-farm.ts";
import { ToolProcess } from "./tool-process.ts";

const modeWords: Readonly<Record<ResumptionMode, readonly string[]>> = {
  "tls13-tickets": ["-tls1_3"],
  "tls12-tickets": ["-tls1_2"],
  "tls12-ids": ["-tls1_2", "-no_ticket"],
};

/** An `openssl s_server` that shows New or Reused in the page that it serves. It takes one client after the other. */
export class OpensslServer {
  readonly address: SocketAddress;
  readonly #words: readonly string[];
  #process: ToolProcess;

  private constructor(address: SocketAddress, words: readonly string[]) {
    this.address = address;
    this.#words = words;
    this.#process = this.#started();
  }

  static async start(address: SocketAddress, files: TlsFiles, words: readonly string[]): Promise<OpensslServer> {
    const certificate = ["-key", files.key, "-cert", files.cert];
    const server = new OpensslServer(address, ["-accept", address, ...certificate, "-www", ...words]);
    await server.#process.takes(address);
    return server;
  }

  /** Ends it and starts it again on its port: new ticket keys, and an empty session cache. */
  async restart(): Promise<void> {
    await this.stop();
    this.#process = this.#started();
    await this.#process.takes(this.address);
  }

  async stop(): Promise<void> {
    await this.#process.end();
  }

  #started(): ToolProcess {
    return new ToolProcess("openssl", ["s_server", ...this.#words], "openssl");
  }
}

/** `words` come after those of the mode: `-Verify 1`, `-groups P-256`. */
export class OpensslFarm {
  readonly farm: TlsFarm;
  readonly files: TlsFiles;
  readonly servers: readonly OpensslServer[];

  private constructor(farm: TlsFarm, files: TlsFiles, servers: readonly OpensslServer[]) {
    this.farm = farm;
    this.files = files;
    this.servers = servers;
  }

  static async start(
    host: string,
    mode: ResumptionMode,
    { name = `openssl-${mode}`, words = [] }: { readonly name?: string; readonly words?: readonly string[] } = {},
  ): Promise<OpensslFarm> {
    const files = await TlsFiles.make();
    const ids = serverIds();
    const ports = await serverPorts(ids.length);
    const addresses = ports.map((port) => joinSocketAddress(host, port));
    const servers = await Promise.all(
      addresses.map((address) => OpensslServer.start(address, files, [...modeWords[mode], ...words])),
    );
    const farm: TlsFarm = {
      name,
      stack: "openssl",
      mode,
      servers: ids.map((id, index) => ({ id, address: addresses[index] as SocketAddress })),
      resumedBy: (answer) => /^Reused, TLS/m.test(answer),
    };
    return new OpensslFarm(farm, files, servers);
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
    this.files.remove();
  }
}

export async function startOpensslStack(host: string): Promise<TlsStack> {
  const farms: OpensslFarm[] = [];
  for (const mode of resumptionModes) farms.push(await OpensslFarm.start(host, mode));
  return {
    name: "openssl",
    version: await opensslVersion(),
    farms: farms.map(({ farm }) => farm),
    stop: async () => {
      for (const farm of farms) await farm.stop();
    },
  };
}

export async function opensslVersion(): Promise<string> {
  const { stdout } = await runTool("openssl", ["version"], "openssl");
  return /OpenSSL (\S+)/.exec(stdout)?.[1] ?? "";
}
