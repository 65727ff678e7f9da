import { type Command, InvalidArgumentError, Option } from "commander";
import { namespaceDefault } from "../model/log-names.ts";
import type { CliContext } from "./context.ts";
import type { ImportOptions, MoveOptions, SourceOptions } from "./log/log-options.ts";
import { examples } from "./run-cli.ts";

const dataDirOption = "--data-dir <folder>";

/** Where a log goes to on NATS. */
const natsOptions = (command: Command): Command =>
  command
    .option("--namespace <name>", "how streams and subjects of the installation are called", namespaceDefault)
    .option("--replica-id <id>", "the replica that the data directory is of", "cp-1")
    .addOption(
      new Option("--replicas <count>", "servers that keep each commit: 1, or 3 in a cluster of three")
        .default(1)
        .argParser((text: string): number => {
          if (!/^[135]$/.test(text)) throw new InvalidArgumentError("1, 3 or 5");
          return Number(text);
        }),
    );

/** Working on whole logs. Each is loaded only when it is asked for: the other verbs need none of it. */
export function registerLog(program: Command, context: CliContext): void {
  const log = program
    .command("log")
    .description("Export, verify, import or move the log.")
    .addHelpText("after", examples(["switchyard log export -o backup.log", "the whole history, into a file"]));
  registerExport(log, context);
  registerVerify(log, context);
  registerImport(log, context);
  registerMove(log, context);
}

function registerExport(log: Command, context: CliContext): void {
  const exporting = log
    .command("export")
    .description("Write every commit to a file, from the control plane, or from a data directory that nobody runs on.")
    .requiredOption("-o, --output <file>", "where to; - is standard output")
    .option(dataDirOption, "take it from here instead of from the control plane")
    .addHelpText(
      "after",
      examples(["switchyard log export -o backup.log", "the whole history, from the control plane"]),
    )
    .action(async (options: SourceOptions & { readonly output: string }) => {
      const { exportLog } = await import("./log/export-log.ts");
      await exportLog(exporting, context, options);
    });
}

function registerVerify(log: Command, context: CliContext): void {
  const verifying = log
    .command("verify")
    .argument("[file]", "an exported log; without it the control plane's, or that of --data-dir")
    .description("Check every hash and the chain, and name the first bad commit.")
    .option(dataDirOption, "the log of a data directory that nobody runs on")
    .addHelpText("after", examples(["switchyard log verify backup.log", "is the backup whole and sound?"]))
    .action(async (file: string | undefined, options: SourceOptions) => {
      const { verifyLog } = await import("./log/verify-log.ts");
      await verifyLog(verifying, context, file, options);
    });
}

function registerImport(log: Command, context: CliContext): void {
  natsOptions(
    log
      .command("import")
      .argument("<file>", "an exported log")
      .description("Fill an empty log from a file, under a new epoch.")
      .option(dataDirOption, "the data directory of the control plane, or of this replica", ".switchyard")
      .option("--nats <urls>", "and from there the streams of a fleet, which must be empty"),
  )
    .addHelpText(
      "after",
      examples(
        ["switchyard log import backup.log --data-dir /var/lib/switchyard", "one machine"],
        ["switchyard log import backup.log --nats nats://10.0.0.5:4222", "a fleet whose streams and replicas are gone"],
      ),
    )
    .action(async (file: string, options: ImportOptions) => {
      const { importLog } = await import("./log/import-log.ts");
      await importLog(context, file, options);
    });
}

function registerMove(log: Command, context: CliContext): void {
  natsOptions(
    log
      .command("move")
      .description("Move the log of one machine to NATS, under a new epoch. The data directory is a replica's then.")
      .addOption(new Option("--from <engine>", "where it is").choices(["sqlite"]).makeOptionMandatory())
      .addOption(new Option("--to <engine>", "where it goes").choices(["nats"]).makeOptionMandatory())
      .requiredOption("--nats <urls>", "nats://HOST:PORT of the server, several with commas between")
      .option(dataDirOption, "the data directory that it is in; nobody may run on it", ".switchyard"),
  )
    .addHelpText(
      "after",
      examples([
        "switchyard log move --from sqlite --to nats --nats nats://10.0.0.5:4222",
        "from one machine to a fleet",
      ]),
    )
    .action(async (options: MoveOptions) => {
      const { moveLog } = await import("./log/move-to-nats.ts");
      await moveLog(context, options);
    });
}
