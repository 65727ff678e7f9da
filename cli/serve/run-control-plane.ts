import { Registry } from "prom-client";
import { registerControlPlaneMetrics } from "../../controlplane/control-plane-metrics.ts";
import { type CliContext, print } from "../context.ts";
import { aborted, Lifetimes } from "./lifetimes.ts";
import { processLogger } from "./loggers.ts";
import { listenOps } from "./ops-server.ts";
import { checkedAddress } from "./serve-options.ts";
import { startControlPlane } from "./start-control-plane.ts";

/** Calls that run have this long to end. */
const callGraceMs = 3000;

export interface ControlPlaneOptions {
  readonly dataDir: string;
  readonly adminAddress: string;
  readonly httpAddress: string;
  readonly logLevel: string;
  readonly allowInsecureBind?: boolean;
}

export async function runControlPlane(context: CliContext, options: ControlPlaneOptions): Promise<void> {
  const insecure = options.allowInsecureBind ?? false;
  const adminAddress = checkedAddress(options.adminAddress, "--admin-address", insecure);
  const httpAddress = checkedAddress(options.httpAddress, "--http-address", insecure);
  const logger = processLogger(options.logLevel);
  const lifetimes = new Lifetimes();
  try {
    const controlPlane = await startControlPlane(options.dataDir, adminAddress, logger);
    lifetimes.add("control plane", () => controlPlane.close(callGraceMs));
    const registry = new Registry();
    registerControlPlaneMetrics(registry, controlPlane);
    const ops = await listenOps(httpAddress, { registry, unready: () => [] });
    lifetimes.add("health and metrics", () => ops.close());
    const { revision } = controlPlane.position;
    await print(
      context,
      `control plane at revision ${revision}: admin port ${controlPlane.port}, http port ${ops.port}\n`,
    );
    await aborted(context.signal);
  } finally {
    await lifetimes.close();
  }
}
