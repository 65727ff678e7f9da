import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../../test/support/free-port.ts";
import { startPeer } from "./start-peer.ts";
import {
  type Availability,
  connectionsMax,
  holdSeconds,
  type RunningTarget,
  type Target,
  type TargetSetup,
} from "./target.ts";
import { toolVersion } from "./tool-version.ts";

/** Where Debian's libnginx-mod-stream puts the module. */
const streamModule = "/usr/lib/nginx/modules/ngx_stream_module.so";

/** nginx's stream proxy with `ssl_preread`. It has no affinity by session id, and so does less than the others. */
export const nginxTarget: Target = {
  name: "nginx",
  availability,
  async start(setup: TargetSetup): Promise<RunningTarget> {
    const port = await freePort();
    const file = join(setup.directory, "nginx.conf");
    await writeFile(file, nginxConfiguration(setup, port));
    const args = ["-p", setup.directory, "-c", file, "-e", join(setup.directory, "error.log")];
    return startPeer({ command: "nginx", args, cores: setup.cores }, port);
  },
};

async function availability(): Promise<Availability> {
  const version = await toolVersion("nginx", "-v");
  if (version === undefined) return { available: false, why: "not installed: sh bench/install-peers.sh" };
  return { available: true, version: version.replace("nginx version: nginx/", "") };
}

/** `proxy_half_close`: without it the end of one direction cuts the other off, and bulk transfers lose their tails. */
export function nginxConfiguration(setup: TargetSetup, port: number): string {
  return `load_module ${streamModule};
daemon off;
worker_processes ${setup.threads};
worker_rlimit_nofile 20000;
pid ${join(setup.directory, "nginx.pid")};
error_log ${join(setup.directory, "error.log")} error;
events { worker_connections ${connectionsMax * 2 + 100}; }
stream {
  map_hash_bucket_size 128;
  map $ssl_preread_server_name $farm {
${setup.names.map((name) => `    ${name} farm;`).join("\n")}
    default refused;
  }
  upstream farm {
${setup.serverPorts.map((server) => `    server 127.0.0.1:${server};`).join("\n")}
  }
  upstream refused { server 127.0.0.1:1 down; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    ssl_preread on;
    preread_timeout ${holdSeconds}s;
    proxy_timeout ${holdSeconds}s;
    proxy_half_close on;
    proxy_pass $farm;
  }
}
`;
}
