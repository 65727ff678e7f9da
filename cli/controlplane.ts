import type { Command } from "commander";
import type { CliContext } from "./context.ts";
import { examples } from "./run-cli.ts";
import type { ControlPlaneOptions } from "./serve/run-control-plane.ts";
import { addressOption, insecureOption, logLevelOption } from "./serve/serve-options.ts";

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
    .action(async (options: ControlPlaneOptions) => {
      // Loaded only now: the other verbs need none of it, and start in a third of the time.
      const { runControlPlane } = await import("./serve/run-control-plane.ts");
      await runControlPlane(context, options);
    });
}
