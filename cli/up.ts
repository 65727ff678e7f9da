import type { Command } from "commander";
import type { CliContext } from "./context.ts";
import { examples } from "./run-cli.ts";
import type { UpOptions } from "./serve/run-up.ts";
import {
  accessLogOption,
  addressOption,
  emergencyTokenFileOption,
  engineOption,
  engineThreadsOption,
  insecureOption,
  logLevelOption,
  regionOption,
} from "./serve/serve-options.ts";

export function registerUp(program: Command, context: CliContext): void {
  program
    .command("up")
    .description("Run everything on one machine in one process: the log, the control plane and a node.")
    .option("--data-dir <folder>", "where the log is kept", ".switchyard")
    .addOption(addressOption("--admin-address", "where the admin API (gRPC) listens", "127.0.0.1:7700"))
    .addOption(addressOption("--http-address", "where /healthz, /readyz and /metrics are", "127.0.0.1:7780"))
    .option("--demo", "also run TLS servers to route to, and, on an empty log, apply examples/demo.yaml")
    .addOption(regionOption)
    .addOption(engineOption)
    .addOption(engineThreadsOption)
    .addOption(accessLogOption)
    .addOption(emergencyTokenFileOption)
    .addOption(logLevelOption)
    .addOption(insecureOption)
    .addHelpText(
      "after",
      examples(
        ["switchyard up --demo", "what `npm start` does"],
        ["switchyard up --data-dir /var/lib/switchyard --access-log -", "one machine, for real"],
      ),
    )
    .action(async (options: UpOptions) => {
      // Loaded only now: the other verbs need none of it, and start in a third of the time.
      const { runUp } = await import("./serve/run-up.ts");
      await runUp(context, options);
    });
}
