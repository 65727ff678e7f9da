import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";

/** One nginx on every address of loopback: the same few sockets answer for as many servers as are wanted. */
export interface CheckedServers {
  readonly port: number;
  stop(): Promise<void>;
}

const readyWithinMs = 10_000;

/** Throws where nginx is missing, or does not come up. */
export async function startCheckedServers(port: number): Promise<CheckedServers> {
  const directory = mkdtempSync(join(tmpdir(), "switchyard-checks-"));
  const certificate = await generate([{ name: "commonName", value: "a.test" }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
  });
  writeFileSync(join(directory, "key.pem"), certificate.private);
  writeFileSync(join(directory, "cert.pem"), certificate.cert);
  writeFileSync(join(directory, "nginx.conf"), configuration(directory, port));
  const child = spawn("nginx", ["-c", join(directory, "nginx.conf"), "-p", directory, "-e", "stderr"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = Promise.race([once(child, "exit"), once(child, "error")]);
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await ended;
    rmSync(directory, { recursive: true, force: true });
  };
  const endMs = performance.now() + readyWithinMs;
  while (!(await accepts(port))) {
    if (child.exitCode === null && child.pid !== undefined && performance.now() < endMs) continue;
    await stop();
    throw new Error("nginx did not come up; if it is missing: apt-get install -y nginx-light");
  }
  return { port, stop };
}

function configuration(directory: string, port: number): string {
  return `
    daemon off; master_process off; pid ${directory}/pid; error_log stderr crit; worker_rlimit_nofile 8192;
    events { worker_connections 4096; }
    http {
      access_log off;
      client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/fastcgi;
      uwsgi_temp_path ${directory}/uwsgi; scgi_temp_path ${directory}/scgi;
      server {
        listen 0.0.0.0:${port} ssl backlog=4096;
        ssl_certificate ${directory}/cert.pem; ssl_certificate_key ${directory}/key.pem;
      }
    }`;
}

async function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    // A moment between two attempts, as refusals come at once.
    socket.once("error", () => setTimeout(() => resolve(false), 20));
  });
}
