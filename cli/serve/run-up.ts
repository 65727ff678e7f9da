import { hostname } from "node:os";
import { join } from "node:path";
import { Registry } from "prom-client";
import { registerControlPlaneMetrics } from "../../controlplane/control-plane-metrics.ts";
import { registerNodeMetrics } from "../../dataplane/telemetry/node-metrics.ts";
import { type CliContext, print } from "../context.ts";
import type { Demo } from "../demo/start-demo.ts";
import { emergencyTokenFileOf } from "./emergency-token-option.ts";
import { aborted, Lifetimes } from "./lifetimes.ts";
import { logFile } from "./log-file.ts";
import { openAccessLog, processLogger } from "./loggers.ts";
import { listenOps } from "./ops-server.ts";
import { checkedAddress, type EngineOptions } from "./serve-options.ts";
import { startControlPlane } from "./start-control-plane.ts";
import { nodeUnready, startNode } from "./start-node.ts";
import { waitUntil } from "./wait-until.ts";
import { engineOf } from "./wanted-engine.ts";

/** Live connections have this long to end once the process is told to; with the rest it stays below five seconds. */
const connectionGraceMs = 2500;
const callGraceMs = 1000;

export interface UpOptions extends EngineOptions {
  readonly dataDir: string;
  readonly adminAddress: string;
  readonly httpAddress: string;
  readonly demo?: boolean;
  readonly accessLog?: string;
  readonly emergencyTokenFile?: string;
  readonly logLevel: string;
  readonly region: string;
  readonly allowInsecureBind?: boolean;
}

export async function runUp(context: CliContext, options: UpOptions): Promise<void> {
  const insecure = options.allowInsecureBind ?? false;
  const adminAddress = checkedAddress(options.adminAddress, "--admin-address", insecure);
  const httpAddress = checkedAddress(options.httpAddress, "--http-address", insecure);
  const emergencyTokenFile = emergencyTokenFileOf(options.emergencyTokenFile);
  const logger = processLogger(options.logLevel);
  const engine = engineOf(options);
  const lifetimes = new Lifetimes();
  try {
    const accessLog = options.accessLog === undefined ? undefined : await openAccessLog(options.accessLog);
    if (accessLog !== undefined) lifetimes.add("access log", () => accessLog.close());
    const demo = options.demo === true ? await demoIn(join(options.dataDir, "demo")) : undefined;
    if (demo !== undefined) lifetimes.add("demo servers", () => demo.close());
    const controlPlane = await startControlPlane(options.dataDir, adminAddress, logger, { emergencyTokenFile });
    lifetimes.add("control plane", () => controlPlane.close(callGraceMs));
    const admin = `127.0.0.1:${controlPlane.port}`;
    if (controlPlane.position.revision === 0) await demo?.apply(admin);
    const identity = { id: hostname(), region: options.region, labels: {} };
    const node = startNode({ identity, controls: [admin], engine, logger, accessLogger: accessLog?.logger });
    lifetimes.add("node", () => node.close(connectionGraceMs));
    const registry = new Registry();
    registerControlPlaneMetrics(registry, controlPlane);
    registerNodeMetrics(registry, node, () => performance.now());
    const ops = await listenOps(httpAddress, { registry, unready: () => nodeUnready(node) });
    lifetimes.add("health and metrics", () => ops.close());
    await waitUntil(() => node.state.loaded, context.signal);
    const lines = [
      "",
      `Switchyard is up, at revision ${node.state.position.revision}. Ctrl-C ends it.`,
      "",
      `  admin API (gRPC)     127.0.0.1:${controlPlane.port}     npx switchyard status`,
      `  health and metrics   http://127.0.0.1:${ops.port}   /healthz /readyz /metrics`,
      `  log                  ${join(options.dataDir, logFile)}`,
      `  node                 ${identity.id}, ${engine.fallback ?? `${engine.kind} engine`}`,
      ...nodeUnready(node).map((line) => `  NOT BOUND            ${line}`),
      ...(demo?.banner() ?? []),
      "",
    ];
    await print(context, `${lines.join("\n")}\n`);
    await aborted(context.signal);
  } finally {
    await lifetimes.close();
  }
}

/** Loaded only here: whoever runs no demo needs neither its servers nor what makes certificates. */
async function demoIn(folder: string): Promise<Demo> {
  const { startDemo } = await import("../demo/start-demo.ts");
  return startDemo(folder);
}
