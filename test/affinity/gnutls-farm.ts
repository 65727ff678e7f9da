import { joinSocketAddress } from "../../model/address.ts";
import { serverPorts } from "./server-ports.ts";
import { runTool } from "../support/run-tool.ts";
import { TlsFiles } from "./tls-files.ts";
import { type ResumptionMode, resumptionModes, serverIds, type TlsFarm, type TlsStack } from "./tls-farm.ts";
import { ToolProcess } from "./tool-process.ts";

const modeWords: Readonly<Record<ResumptionMode, readonly string[]>> = {
  "tls13-tickets": ["--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3"],
  "tls12-tickets": ["--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2"],
  "tls12-ids": ["--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2", "--noticket"],
};

/** Four `gnutls-serv` for each mode. Their page says nothing of resumption: the client's word counts. */
export async function startGnutlsStack(host: string): Promise<TlsStack> {
  const files = await TlsFiles.make();
  const processes: ToolProcess[] = [];
  const farms: TlsFarm[] = [];
  const certificate = ["--x509keyfile", files.key, "--x509certfile", files.cert];
  for (const mode of resumptionModes) {
    const ids = serverIds();
    const ports = await serverPorts(ids.length);
    const servers = ids.map((id, index) => ({ id, address: joinSocketAddress(host, ports[index] as number) }));
    for (const [index, { address }] of servers.entries()) {
      const words = ["--http", "--port", String(ports[index]), ...certificate, ...modeWords[mode]];
      const process = new ToolProcess("gnutls-serv", words, "gnutls-bin");
      processes.push(process);
      await process.takes(address);
    }
    farms.push({ name: `gnutls-${mode}`, stack: "gnutls", mode, servers, resumedBy: () => null });
  }
  const { stdout } = await runTool("gnutls-serv", ["--version"], "gnutls-bin");
  return {
    name: "gnutls",
    version: /gnutls-serv (\S+)/.exec(stdout)?.[1] ?? "",
    farms,
    stop: async () => {
      await Promise.all(processes.map((process) => process.end()));
      files.remove();
    },
  };
}
