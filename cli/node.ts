import type { Command } from "commander";
import type { CliContext } from "./context.ts";
import { examples } from "./run-cli.ts";
import type { NodeOptions } from "./serve/run-node.ts";
import {
  accessLogOption,
  addressOption,
  engineOption,
  engineThreadsOption,
  insecureOption,
  labelOption,
  logLevelOption,
  nodeIdOption,
  regionOption,
} from "./serve/serve-options.ts";

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
    .action(async (options: NodeOptions) => {
      // Loaded only now: the other verbs need none of it, and start in a third of the time.
      const { runNode } = await import("./serve/run-node.ts");
      await runNode(context, options);
    });
}
