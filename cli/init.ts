import { type Command, InvalidArgumentError, Option } from "commander";
import { namespaceDefault } from "../model/log-names.ts";
import type { CliContext } from "./context.ts";
import type { InitNatsOptions } from "./init/init-nats.ts";
import { examples } from "./run-cli.ts";

const replicasOption = new Option("--replicas <count>", "servers that keep each commit: 1, or 3 in a cluster of three")
  .default(1)
  .argParser((text: string): number => {
    if (!/^[135]$/.test(text)) throw new InvalidArgumentError("1, 3 or 5");
    return Number(text);
  });

/** A region and a JetStream domain are one token of a subject. */
function token(text: string): string {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(text)) throw new InvalidArgumentError("1 to 64 of A-Z a-z 0-9 _ -");
  return text;
}

export function registerInit(program: Command, context: CliContext): void {
  const init = program
    .command("init")
    .description("Make what an installation needs, once; again changes nothing.")
    .addHelpText("after", examples(["switchyard init nats --nats nats://hub:4222", "the streams of the log"]));
  init
    .command("nats")
    .description("Make the streams of the log on NATS JetStream, and check that the server took each setting.")
    .requiredOption("--nats <urls>", "nats://HOST:PORT of the server, several with commas between")
    .option("--namespace <name>", "another one for each installation on the same server", namespaceDefault)
    .addOption(replicasOption)
    .addOption(new Option("--region <name>", "make a region's mirrors, on its leaf server at --nats").argParser(token))
    .addOption(
      new Option("--hub-domain <domain>", "with --region: the JetStream domain of the hub that is mirrored").argParser(
        token,
      ),
    )
    .addHelpText(
      "after",
      examples(
        ["switchyard init nats --nats nats://hub:4222 --replicas 3", "a hub of three servers"],
        ["switchyard init nats --nats nats://leaf-eu:4222 --region eu --hub-domain hub", "a region's mirrors"],
      ),
    )
    .action(async (options: InitNatsOptions) => {
      // Loaded only now: the other verbs need none of it.
      const { initNats } = await import("./init/init-nats.ts");
      await initNats(context, options);
    });
}
