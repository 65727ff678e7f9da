import { type Command, InvalidArgumentError, Option } from "commander";
import { namespaceDefault } from "../model/log-names.ts";
import type { CliContext } from "./context.ts";
import { examples } from "./run-cli.ts";
import type { ControlPlaneOptions } from "./serve/run-control-plane.ts";
import { addressOption, emergencyTokenFileOption, insecureOption, logLevelOption } from "./serve/serve-options.ts";

const replicaIdOption = new Option(
  "--replica-id <id>",
  "with --nats: this replica's id, unique, and the same after a restart",
).argParser((text: string) => {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(text))
    throw new InvalidArgumentError("1 to 128 of A-Z a-z 0-9 . _ -, a letter or digit first");
  return text;
});

const streamReplicasOption = new Option(
  "--stream-replicas <count>",
  "with --nats: servers that keep the log, where it has to be rebuilt (default: as it is now)",
).argParser((text: string) => {
  if (!/^[135]$/.test(text)) throw new InvalidArgumentError("1, 3 or 5");
  return Number(text);
});

export function registerControlPlane(program: Command, context: CliContext): void {
  program
    .command("controlplane")
    .description("Run the log and the control plane, for nodes in other processes.")
    .option("--data-dir <folder>", "where the log is kept, or with --nats this replica's copy of it", ".switchyard")
    .option(
      "--nats <url>",
      "keep the log in NATS JetStream, for several replicas; may list servers, with commas between",
    )
    .option("--namespace <name>", "how streams and subjects of the installation are called", namespaceDefault)
    .addOption(replicaIdOption)
    .addOption(streamReplicasOption)
    .addOption(addressOption("--admin-address", "where the admin API (gRPC) listens", "127.0.0.1:7700"))
    .addOption(addressOption("--http-address", "where /healthz, /readyz and /metrics are", "127.0.0.1:7780"))
    .addOption(emergencyTokenFileOption)
    .addOption(logLevelOption)
    .addOption(insecureOption)
    .addHelpText(
      "after",
      examples(
        ["switchyard controlplane --data-dir /var/lib/switchyard", "nodes: switchyard node"],
        ["switchyard controlplane --nats nats://10.0.0.5:4222 --replica-id cp-1", "one of several replicas"],
      ),
    )
    .action(async (options: ControlPlaneOptions) => {
      // Loaded only now: the other verbs need none of it, and start in a third of the time.
      const { runControlPlane } = await import("./serve/run-control-plane.ts");
      await runControlPlane(context, options);
    });
}
