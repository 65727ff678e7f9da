import { type Command, Option } from "commander";
import { namespaceDefault } from "../model/log-names.ts";
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

const controlOption = new Option("--control <host:port>", "a control plane's admin address; may be repeated")
  .default([], "none")
  .argParser((text: string, controls: readonly string[]): readonly string[] => [...controls, text]);

const stateDirOption = new Option(
  "--state-dir <dir>",
  "where the node keeps what it served last, to start without the log",
);

export function registerNode(program: Command, context: CliContext): void {
  program
    .command("node")
    .description("Run a data-plane node: it follows the log, from NATS or from a control plane, and routes by it.")
    .option("--nats <url>", "the region's NATS server, to follow the log from; may list several, with commas between")
    .option("--namespace <name>", "how streams and subjects of the installation are called", namespaceDefault)
    .addOption(controlOption)
    .addOption(stateDirOption)
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
      examples(
        [
          "switchyard node --control 127.0.0.1:7700 --id edge-1 --region eu --label rack=7",
          "one node of a fleet, which follows its control plane",
        ],
        [
          "switchyard node --nats nats://127.0.0.1:4222 --control 10.0.0.1:7700 --state-dir state",
          "follows NATS, reports to a control plane, and restarts without both",
        ],
      ),
    )
    .action(async (options: NodeOptions) => {
      // Loaded only now: the other verbs need none of it, and start in a third of the time.
      const { runNode } = await import("./serve/run-node.ts");
      await runNode(context, options);
    });
}
