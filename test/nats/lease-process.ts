import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { waitFor } from "../support/wait-for.ts";

/** A replica in a process of its own, as far as the lease goes. */
export interface LeaseHolder {
  /** Resolves once it has printed that line. */
  says(line: string): Promise<unknown>;
  signal(signal: NodeJS.Signals): void;
  end(signal: NodeJS.Signals): Promise<void>;
}

const built = fileURLToPath(new URL("../../dist/", import.meta.url));

/** Looks at the lease each time round; two looks that are far apart had a stop between them. */
const script = `
const [, url, namespace, duration] = process.argv;
const { connectNats } = await import(process.env.BUILT + "controlplane/nats/connect.js");
const { NatsLease } = await import(process.env.BUILT + "controlplane/nats/nats-lease.js");
const { logNames } = await import(process.env.BUILT + "model/log-names.js");
const connection = await connectNats({ servers: url, name: "lease" });
const durationMs = Number(duration);
const lease = await NatsLease.of({ connection, names: logNames(namespace), replicaId: "own", replicas: 1, durationMs });
let looked = performance.now();
let told = false;
setInterval(() => {
  const { held } = lease;
  if (performance.now() - looked > durationMs) console.log(held ? "resumed held" : "resumed lost");
  if (held && !told) console.log("held");
  told ||= held;
  looked = performance.now();
}, 5);
`;

export function leaseHolder(url: string, namespace: string, durationMs: number): LeaseHolder {
  if (!existsSync(`${built}controlplane/nats/nats-lease.js`)) throw new Error("dist/ is missing: run `npm run build`");
  const words = ["--input-type=module", "-e", script, url, namespace, String(durationMs)];
  const child = spawn(process.execPath, words, {
    env: { ...process.env, BUILT: built },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines = new Set<string>();
  let errors = "";
  createInterface({ input: child.stdout }).on("line", (line) => lines.add(line));
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    says: (line) =>
      waitFor(`it says ${line}`, () => {
        if (child.exitCode !== null) throw new Error(`the replica ended with ${child.exitCode}: ${errors}`);
        if (line === "resumed lost" && lines.has("resumed held")) throw new Error("it thought that it held");
        return lines.has(line);
      }),
    signal: (signal) => void child.kill(signal),
    end: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}
