import type { Command } from "commander";
import type { ApplyRequest, ApplyResponse } from "../proto/gen/switchyard/config/v1/config_service.ts";
import { CliFailure } from "./cli-failure.ts";
import type { FieldViolation } from "./client/refusal.ts";
import { withClient } from "./client/with-client.ts";
import type { CliContext } from "./context.ts";
import { exitCode } from "./exit-code.ts";
import { readSources } from "./manifest/manifest-files.ts";
import { readManifest } from "./manifest/manifest.ts";
import type { Manifest } from "./manifest/manifest.ts";
import { printPlan } from "./print-plan.ts";
import { examples } from "./run-cli.ts";
import { addWriteOptions, writeOf } from "./write-options.ts";

interface ApplyOptions {
  readonly file: readonly string[];
  readonly prune?: boolean;
  readonly quiet?: boolean;
}

export function registerApply(program: Command, context: CliContext): void {
  const command = program
    .command("apply")
    .description("Make the configuration as files say, in one commit: all of it or nothing.")
    .requiredOption(
      "-f, --file <file...>",
      "YAML or JSON files; a directory stands for those in it, - for standard input",
    )
    .option("--prune", "also delete every resource that the files do not have")
    .option("-q, --quiet", "print the last line only");
  addWriteOptions(command)
    .addHelpText(
      "after",
      examples(
        ["switchyard apply -f web.yaml --reason 'new shop'", "make it so"],
        ["switchyard apply -f config/ --prune --dry-run", "what differs from a whole directory"],
        ["switchyard get all -o yaml | switchyard apply -f -", "changes nothing"],
      ) +
        "\n\nA file has one resource a document, a list of them, or `resources:` with a list:\n" +
        "  farm: {name: farms/web, connectTimeout: 3s}\n  ---\n" +
        "  server: {name: farms/web/servers/a, address: 10.0.0.1:443}\n",
    )
    .action(async (options: ApplyOptions) => apply(command, context, options));
}

async function apply(command: Command, context: CliContext, options: ApplyOptions): Promise<void> {
  const manifest = await manifestOf(options.file, context);
  const write = writeOf(command, context);
  const request: ApplyRequest = { resources: [...manifest.resources], prune: options.prune ?? false, write };
  const site = {
    placeViolation: (violation: FieldViolation) => placed(manifest, violation),
    ...(write.validateOnly ? {} : { requestId: write.requestId }),
  };
  const answer = await withClient(
    command,
    context,
    (client) => client.unary<ApplyResponse>((...tail) => client.config.apply(request, ...tail)),
    site,
  );
  await printPlan(context, answer, { write, quiet: options.quiet ?? false });
}

async function manifestOf(files: readonly string[], context: CliContext): Promise<Manifest> {
  const manifest = readManifest(await readSources(files, context.stdin));
  if ("faults" in manifest) {
    const count = manifest.faults.length === 1 ? "1 error" : `${manifest.faults.length} errors`;
    throw new CliFailure(exitCode.usage, `${count}; nothing was sent`, manifest.faults);
  }
  // With --prune, an empty file would delete everything; it is more often a slip than a wish.
  if (manifest.resources.length === 0)
    throw new CliFailure(exitCode.usage, `no resources in ${files.join(", ")}; nothing was sent`);
  return manifest;
}

function placed(manifest: Manifest, { field, description }: FieldViolation): string {
  const found = manifest.locate(field);
  if (found === undefined) return `${field}: ${description}`;
  return `${found.place}: ${found.path === "" ? "" : `${found.path}: `}${description}`;
}
