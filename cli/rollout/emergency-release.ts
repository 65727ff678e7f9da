import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import type { ReleaseEmergencyResponse } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import { CliFailure } from "../cli-failure.ts";
import { withClient } from "../client/with-client.ts";
import type { CliContext } from "../context.ts";
import { exitCode } from "../exit-code.ts";
import { outputOption } from "../output/output-form.ts";
import type { OutputForm } from "../output/output-form.ts";
import { examples } from "../run-cli.ts";
import { addWriteOptions, writeOf } from "../write-options.ts";
import { targetRevision } from "./rollout-argument.ts";
import { printStep } from "./rollout-steps.ts";

/** Where the call carries the token: never in the request, which may be logged. */
const tokenKey = "switchyard-emergency-token";

/** A header is not the place for a file that was named by mistake. */
const tokenBytesMax = 1024;

interface EmergencyOptions {
  readonly tokenFile: string;
  readonly revision?: string;
  readonly output: OutputForm;
}

export function registerEmergency(rollout: Command, context: CliContext): void {
  const command = rollout
    .command("emergency")
    .description("Release a revision to all nodes at once, past gates, policies and a rollout that is under way.")
    .requiredOption("--token-file <file>", "the emergency token, as the control plane has it")
    .option("--revision <revision>", "what to release (default: the newest that changed the configuration)")
    .addOption(outputOption());
  addWriteOptions(command)
    .addHelpText(
      "after",
      examples([
        "switchyard rollout emergency --token-file emergency.token --reason 'CVE-2026-1'",
        "the newest revision, everywhere, now",
      ]) + "\n\n--reason is needed: the history shows it with who did this.",
    )
    .action(async (options: EmergencyOptions) => release(command, context, options));
}

async function release(command: Command, context: CliContext, options: EmergencyOptions): Promise<void> {
  const write = writeOf(command, context);
  if (write.reason.trim() === "")
    throw new CliFailure(exitCode.usage, "an emergency needs a --reason: the history shows it");
  const token = await readToken(options.tokenFile);
  const request = { targetRevision: targetRevision(options.revision), write };
  const answer = await withClient(
    command,
    context,
    (client) =>
      client.unary<ReleaseEmergencyResponse>((metadata, ...tail) => {
        metadata.set(tokenKey, token);
        return client.rollout.releaseEmergency(request, metadata, ...tail);
      }),
    write.validateOnly ? {} : { requestId: write.requestId },
  );
  const revision = answer.rollout?.targetRevision ?? request.targetRevision;
  const said = write.validateOnly
    ? `revision ${revision} can be released to all nodes`
    : `EMERGENCY ${answer.rollout?.name ?? ""}: revision ${revision} released to all nodes`;
  await printStep(context, answer, { said, write, form: options.output });
}

/** The first line of the file. Its text is never shown, whatever is wrong with it. */
async function readToken(file: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const why =
      code === "ENOENT" ? "no such file" : code === "EACCES" ? "permission denied" : `can't be read (${code})`;
    throw new CliFailure(exitCode.usage, `--token-file ${file}: ${why}`);
  }
  const token = bytes.toString("latin1").trim();
  // What a header may hold: printable ASCII.
  if (bytes.length > tokenBytesMax || !/^[\u0021-\u007E]+$/.test(token))
    throw new CliFailure(
      exitCode.usage,
      `--token-file ${file}: must have one line, of at most ${tokenBytesMax} visible ASCII characters`,
    );
  return token;
}
