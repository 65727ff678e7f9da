import type { Command } from "commander";
import type { CliContext } from "./context.ts";
import type { ImportOptions, SourceOptions } from "./log/log-options.ts";
import { examples } from "./run-cli.ts";

const dataDirOption = "--data-dir <folder>";

/** Working on whole logs. Each is loaded only when it is asked for: the other verbs need none of it. */
export function registerLog(program: Command, context: CliContext): void {
  const log = program.command("log").description("Export, verify, import or move the log.");

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

  log
    .command("import")
    .argument("<file>", "an exported log")
    .description("Fill an empty log from a file, under a new epoch.")
    .option(dataDirOption, "the control plane's data directory", ".switchyard")
    .addHelpText("after", examples(["switchyard log import backup.log --data-dir /var/lib/switchyard", "one machine"]))
    .action(async (file: string, options: ImportOptions) => {
      const { importLog } = await import("./log/import-log.ts");
      await importLog(context, file, options);
    });
}
