import { fileURLToPath } from "node:url";
import { runTool, type ToolRun } from "../support/run-tool.ts";
import type { Edge } from "./returning-client.ts";
import type { TlsFiles } from "./tls-files.ts";

const pythonProgram = fileURLToPath(new URL("resume_by_python.py", import.meta.url));
const request = "GET / HTTP/1.0\r\n\r\n";

/** A client that visits a name several times, and answers with what came back, for each visit after the first. */
export type OtherClient = (name: string, edges: readonly Edge[], files: TlsFiles) => Promise<readonly string[]>;

/** Tools that resume sessions, each by a TLS library's own rules. All of them ask nginx, whose answer says `session=r`. */
export const otherClients: Readonly<Record<string, OtherClient>> = {
  "openssl s_client": async (name, edges, files) => {
    const answers: string[] = [];
    for (const edge of [...edges, ...edges]) answers.push(await opensslVisit(name, edge, files, []));
    return answers.slice(1);
  },
  "openssl s_client with early data": async (name, edges, files) => {
    const early = ["-early_data", files.write("early-request", request)];
    const [first, ...others] = [...edges, ...edges, ...edges] as [Edge, ...Edge[]];
    await opensslVisit(name, first, files, []);
    const answers: string[] = [];
    for (const edge of others) {
      const answer = await opensslVisit(name, edge, files, early);
      answers.push(answer.includes("Early data was accepted") ? answer : "early data was refused");
    }
    return answers;
  },
  "gnutls-cli": async (name, edges) => {
    const answers: string[] = [];
    // It goes twice to the same node by itself.
    for (const { host, port } of edges) {
      const words = ["--resume", "--insecure", "--sni-hostname", name, "--port", String(port), host];
      answers.push(outputOf(await runTool("gnutls-cli", words, "gnutls-bin", request)));
    }
    return answers;
  },
  curl: async (name, edges) => {
    const answers: string[] = [];
    for (const { host, port } of edges) {
      const to = ["--connect-to", `${name}:443:${host}:${port}`];
      const ended = await runTool("curl", ["-sk", "--http1.0", ...to, `https://${name}/`, `https://${name}/`], "curl");
      answers.push(...outputOf(ended).trim().split("\n").slice(1));
    }
    return answers;
  },
  python: async (name, edges) => {
    const visits = [...edges, ...edges].map(({ host, port }) => `${host}:${port}`);
    const output = outputOf(await runTool("python3", [pythonProgram, name, ...visits], "python3"));
    const answers = output.split("\n").filter((line) => line.startsWith("session="));
    return answers.slice(1);
  },
};

async function opensslVisit(name: string, edge: Edge, files: TlsFiles, more: readonly string[]): Promise<string> {
  const kept = files.path("session.pem");
  const session = ["-sess_out", kept, ...(files.has("session.pem") ? ["-sess_in", kept] : [])];
  const to = ["-connect", `${edge.host}:${edge.port}`, "-servername", name];
  const words = ["s_client", ...to, "-ign_eof", ...session, ...more];
  return outputOf(await runTool("openssl", words, "openssl", more.length === 0 ? request : ""));
}

function outputOf({ exitCode, stdout, stderr }: ToolRun): string {
  return exitCode === 0 ? stdout : `ended with ${exitCode}: ${stderr}`;
}
