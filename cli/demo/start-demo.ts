import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import type { Server } from "node:https";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import type { ApplyResponse } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import { CliFailure } from "../cli-failure.ts";
import { AdminClient } from "../client/admin-client.ts";
import { exitCode } from "../exit-code.ts";
import { readManifest } from "../manifest/manifest.ts";
import { readSources } from "../manifest/manifest-files.ts";
import { packageRoot } from "../package-root.ts";
import { makeAuthority, makeCertificate } from "./demo-certificates.ts";
import { startDemoServer } from "./demo-server.ts";

/** The servers that examples/demo.yaml names: id, port on 127.0.0.1, and the name that leads there. */
const servers = [
  ["app1-a", 9101, "app1.demo.test"],
  ["app1-b", 9102, "app1.demo.test"],
  ["app2-a", 9103, "app2.demo.test"],
  ["app2-b", 9104, "app2.demo.test"],
  ["sorry-a", 9105, "sorry.demo.test"],
  ["s1", 9106, "s1.demo.test"],
  ["s2", 9107, "s2.demo.test"],
  ["s3", 9108, "s3.demo.test"],
] as const;

const applyTimeoutMs = 10_000;

/** The demo's TLS servers, and what makes them reachable. */
export interface Demo {
  /** Puts examples/demo.yaml in through the admin API. */
  readonly apply: (adminAddress: string) => Promise<void>;
  /** Lines for a person: what to try. */
  readonly banner: () => readonly string[];
  readonly close: () => Promise<void>;
}

/** Starts the servers with certificates made now; the authority's certificate is written to `folder`/ca.pem. */
export async function startDemo(folder: string): Promise<Demo> {
  const ca = await makeAuthority();
  const caFile = join(folder, "ca.pem");
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(caFile, ca.cert);
  } catch (error) {
    throw new CliFailure(exitCode.failed, `the demo's folder can't be written: ${(error as Error).message}`);
  }
  const running: Server[] = [];
  const close = async (): Promise<void> => {
    for (const server of running) server.closeAllConnections();
    await Promise.all(running.map((server) => new Promise((resolve) => server.close(resolve))));
  };
  try {
    for (const [id, port, name] of servers)
      running.push(await startDemoServer(id, port, await makeCertificate(ca, id, [name])));
  } catch (error) {
    await close();
    throw error;
  }
  return { apply: applyExample, banner: () => banner(caFile), close };
}

async function applyExample(adminAddress: string): Promise<void> {
  const file = fileURLToPath(new URL("examples/demo.yaml", packageRoot));
  const manifest = readManifest(await readSources([file], new PassThrough()));
  if ("faults" in manifest) throw new CliFailure(exitCode.usage, "examples/demo.yaml can't be read", manifest.faults);
  const client = new AdminClient(adminAddress, applyTimeoutMs);
  const write = { requestId: randomUUID(), author: "demo", reason: "examples/demo.yaml", validateOnly: false };
  const request = { resources: [...manifest.resources], prune: false, write };
  try {
    await client.unary<ApplyResponse>((...tail) => client.config.apply(request, ...tail));
  } finally {
    client.close();
  }
}

function banner(caFile: string): readonly string[] {
  const curl = (name: string, port: number, trust: string): string =>
    `    curl ${trust} --resolve ${name}:${port}:127.0.0.1 https://${name}:${port}/`;
  const trusted = `--cacert ${caFile}`;
  return [
    "",
    "The demo. Farm by name on 127.0.0.1:8443 (each twice: the farm has two servers):",
    curl("app1.demo.test", 8443, trusted),
    curl("app2.demo.test", 8443, trusted),
    "  An unknown name, and no name at all, reach the sorry farm:",
    curl("other.demo.test", 8443, "--insecure"),
    "    curl --insecure https://127.0.0.1:8443/",
    "",
    "Server by name on 127.0.0.1:8444, s3 for everything else:",
    curl("s1.demo.test", 8444, trusted),
    "    openssl s_client -connect 127.0.0.1:8444 -servername s2.demo.test </dev/null 2>/dev/null | grep subject",
    "",
    "What is decided, and why:",
    "    npx switchyard explain --listener listeners/farm-by-name --sni app1.demo.test",
    "    npx switchyard get all",
  ];
}
