import { hostname } from "node:os";
import type { Command } from "commander";
import { Registry } from "prom-client";
import { registerNodeMetrics } from "../dataplane/telemetry/node-metrics.ts";
import { parseServerAddress } from "./client/server-address.ts";
import { type CliContext, print } from "./context.ts";
import { examples } from "./run-cli.ts";
import { aborted, Lifetimes } from "./serve/lifetimes.ts";
import { openAccessLog, processLogger } from "./serve/loggers.ts";
import { listenOps } from "./serve/ops-server.ts";
import {
  accessLogOption,
  addressOption,
  checkedAddress,
  engineOf,
  engineOption,
  type EngineOptions,
  engineThreadsOption,
  insecureOption,
  labelOption,
  logLevelOption,
  nodeIdOption,
  regionOption,
} from "./serve/serve-options.ts";
import { nodeUnready, startNode } from "./serve/start-node.ts";
import { waitUntil } from "./serve/wait-until.ts";

/** Live connections have this long to end once the process is told to. */
const connectionGraceMs = 4000;

interface NodeOptions extends EngineOptions {
  readonly control: string;
  readonly id?: string;
  readonly region: string;
  readonly label: Readonly<Record<string, string>>;
  readonly httpAddress: string;
  readonly accessLog?: string;
  readonly logLevel: string;
  readonly allowInsecureBind?: boolean;
}

export function registerNode(program: Command, context: CliContext): void {
  program
    .command("node")
    .description("Run a data-plane node that follows a control plane.")
    .requiredOption("--control <host:port>", "the control plane's admin address")
    .addOption(nodeIdOption)
    .addOption(regionOption)
    .addOption(labelOption)
    .addOption(addressOption("--http-address", "where /healthz, /readyz and /metrics are", "127.0.0.1:7781"))
    .addOption(engineOption)
    .addOption(engineThreadsOption)
    .addOption(accessLogOption)
    .addOption(logLevelOption)
    .addOption(insecureOption)
    .addHelpText(
      "after",
      examples([
        "switchyard node --control 127.0.0.1:7700 --id edge-1 --region eu --label rack=7",
        "one node of a fleet",
      ]),
    )
    .action(async (options: NodeOptions) => runNode(context, options));
}

async function runNode(context: CliContext, options: NodeOptions): Promise<void> {
  const httpAddress = checkedAddress(options.httpAddress, "--http-address", options.allowInsecureBind ?? false);
  const control = parseServerAddress(options.control);
  const logger = processLogger(options.logLevel);
  const engine = engineOf(options);
  const lifetimes = new Lifetimes();
  try {
    const accessLog = options.accessLog === undefined ? undefined : await openAccessLog(options.accessLog);
    if (accessLog !== undefined) lifetimes.add("access log", () => accessLog.close());
    const identity = { id: options.id ?? hostname(), region: options.region, labels: options.label };
    const node = startNode(identity, control, engine, logger, accessLog?.logger);
    lifetimes.add("node", () => node.close(connectionGraceMs));
    const registry = new Registry();
    registerNodeMetrics(registry, node, () => performance.now());
    const ops = await listenOps(httpAddress, { registry, unready: () => nodeUnready(node) });
    lifetimes.add("health and metrics", () => ops.close());
    await waitUntil(() => node.state.loaded, context.signal);
    const { revision } = node.state.position;
    await print(context, `node ${identity.id} at revision ${revision}: http port ${ops.port}\n`);
    await aborted(context.signal);
  } finally {
    await lifetimes.close();
  }
}
