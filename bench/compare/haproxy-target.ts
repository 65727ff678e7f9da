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

/** For splicing; by default a quarter of the connections, for which 20,000 descriptors do not suffice. */
const pipesMax = 250;

/** HAProxy in its classic configuration for TLS passthrough with session affinity; once as it comes, once tuned. */
export function haproxyTarget(variant: "default" | "tuned"): Target {
  return {
    name: variant === "default" ? "haproxy" : "haproxy-tuned",
    availability,
    async start(setup: TargetSetup): Promise<RunningTarget> {
      const port = await freePort();
      const file = join(setup.directory, "haproxy.cfg");
      await writeFile(file, haproxyConfiguration(setup, port, variant));
      return startPeer({ command: "haproxy", args: ["-db", "-f", file], cores: setup.cores }, port);
    },
  };
}

async function availability(): Promise<Availability> {
  const version = await toolVersion("haproxy", "-v");
  if (version === undefined) return { available: false, why: "not installed: sh bench/install-peers.sh" };
  return { available: true, version: version.replace(/^HAProxy version (\S+).*/, "$1") };
}

/**
 * The stick table on the session id is as HAProxy's documentation of `payload_lv` has it, `inspect-delay` and the
 * `req.ssl_sni` rules as its guides do. The delay is longer than theirs (5 s) only so that half hellos can be held; it
 * costs nothing while hellos come whole.
 */
export function haproxyConfiguration(setup: TargetSetup, port: number, variant: "default" | "tuned"): string {
  const tuned = variant === "tuned";
  const lines = [
    "global",
    `  nbthread ${setup.threads}`,
    `  maxconn ${connectionsMax}`,
    ...(tuned ? ["  tune.bufsize 262144", `  maxpipes ${pipesMax}`] : []),
    "defaults",
    "  mode tcp",
    "  timeout connect 5s",
    `  timeout client ${holdSeconds}s`,
    `  timeout server ${holdSeconds}s`,
    ...(tuned ? ["  option splice-auto"] : []),
    "frontend tls",
    `  bind 127.0.0.1:${port}`,
    `  maxconn ${connectionsMax}`,
    `  tcp-request inspect-delay ${holdSeconds}s`,
    "  tcp-request content accept if { req.ssl_hello_type 1 }",
    ...setup.names.map((name) => `  use_backend farm if { req.ssl_sni -i ${name} }`),
    "backend farm",
    "  balance roundrobin",
    "  stick-table type binary len 32 size 30k expire 30m",
    "  acl clienthello req.ssl_hello_type 1",
    "  acl serverhello res.ssl_hello_type 2",
    "  tcp-request inspect-delay 5s",
    "  tcp-request content accept if clienthello",
    "  tcp-response content accept if serverhello",
    "  stick on payload_lv(43,1) if clienthello",
    "  stick store-response payload_lv(43,1) if serverhello",
    ...setup.serverPorts.map((server, index) => `  server s${index} 127.0.0.1:${server}`),
  ];
  return `${lines.join("\n")}\n`;
}
