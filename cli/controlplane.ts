import type { Command } from "commander";
import { Registry } from "prom-client";
import { registerControlPlaneMetrics } from "../controlplane/control-plane-metrics.ts";
import { type CliContext, print } from "./context.ts";
import { examples } from "./run-cli.ts";
import { aborted, Lifetimes } from "./serve/lifetimes.ts";
import { processLogger } from "./serve/loggers.ts";
import { listenOps } from "./serve/ops-server.ts";
import { addressOption, checkedAddress, insecureOption, logLevelOption } from "./serve/serve-options.ts";
import { startControlPlane } from "./serve/start-control-plane.ts";

/** Calls that run have this long to end. */
const callGraceMs = 3000;

interface ControlPlaneOptions {
  readonly dataDir: string;
  readonly adminAddress: string;
  readonly httpAddress: string;
  readonly logLevel: string;
  readonly allowInsecureBind?: boolean;
}

export function registerControlPlane(program: Command, context: CliContext): void {
  program
    .command("controlplane")
    .description("Run the log and the control plane, for nodes in other processes.")
    .option("--data-dir <folder>", "where the log is kept", ".switchyard")
    .addOption(addressOption("--admin-address", "where the admin API (gRPC) listens", "127.0.0.1:7700"))
    .addOption(addressOption("--http-address", "where /healthz, /readyz and /metrics are", "127.0.0.1:7780"))
    .addOption(logLevelOption)
    .addOption(insecureOption)
    .addHelpText(
      "after",
      examples(["switchyard controlplane --data-dir /var/lib/switchyard", "nodes: switchyard node"]),
    )
    .action(async (options: ControlPlaneOptions) => runControlPlane(context, options));
}

async function runControlPlane(context: CliContext, options: ControlPlaneOptions): Promise<void> {
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
