import { runTool } from "../support/run-tool.ts";

/** What curl got from `https://name:port/`, or the error that it ended with. */
export async function curl(name: string, port: number, ...options: string[]): Promise<string> {
  const to = ["--resolve", `${name}:${port}:127.0.0.1`, `https://${name}:${port}/`];
  const run = await runTool("curl", ["--silent", "--show-error", "--insecure", ...options, ...to], "curl");
  return run.exitCode === 0 ? run.stdout.trim() : run.stderr.trim();
}

/** The subject's CN of the certificate that openssl was shown; a null name announces none. */
export async function subjectSeen(
  port: number,
  name: string | null,
  ...options: string[]
): Promise<string | undefined> {
  const output = await openssl(port, name, ...options);
  return /subject=CN ?= ?(\S+)/.exec(output)?.[1];
}

/** All that `openssl s_client` printed; it sends `input`, then ends its side. */
export async function openssl(port: number, name: string | null, ...options: string[]): Promise<string> {
  const announced = name === null ? ["-noservername"] : ["-servername", name];
  const words = ["s_client", "-connect", `127.0.0.1:${port}`, ...announced, ...options];
  const run = await runTool("openssl", words, "openssl");
  return run.stdout + run.stderr;
}
