import { fileURLToPath } from "node:url";
import { joinSocketAddress } from "../../model/address.ts";
import { runTool } from "../support/run-tool.ts";
import { TlsFiles } from "./tls-files.ts";
import { resumptionModes, serverIds, type TlsStack } from "./tls-farm.ts";
import { ToolProcess } from "./tool-process.ts";

const program = fileURLToPath(new URL("JavaTlsServers.java", import.meta.url));
const jdk = "default-jdk-headless";

/** Four servers for each mode, all in one JVM, each with an SSLContext of its own, which has its keys and its cache. */
export async function startJavaStack(host: string): Promise<TlsStack> {
  const files = await TlsFiles.make();
  const keystore = files.path("keys.p12");
  const pair = ["-in", files.cert, "-inkey", files.key, "-passout", "pass:affinity"];
  const made = await runTool("openssl", ["pkcs12", "-export", "-out", keystore, ...pair], "openssl");
  if (made.exitCode !== 0) throw new Error(made.stderr);
  const modes = resumptionModes.flatMap((mode) => serverIds().map(() => mode));
  const process = new ToolProcess("java", [program, host, keystore, ...modes], jdk);
  await process.printed(/^ready$/m);
  const farms = resumptionModes.map((mode) => {
    const ports = [...process.output.matchAll(new RegExp(`^server ${mode} (\\d+)$`, "gm"))].map(([, port]) =>
      Number(port),
    );
    const servers = serverIds().map((id, index) => ({ id, address: joinSocketAddress(host, ports[index] as number) }));
    const resumedBy = (answer: string): boolean => answer.includes("session=reused");
    return { name: `java-${mode}`, stack: "java", mode, servers, resumedBy };
  });
  return {
    name: "java",
    version: await process.printed(/^version (\S+)$/m),
    farms,
    stop: async () => {
      await process.end();
      files.remove();
    },
  };
}
