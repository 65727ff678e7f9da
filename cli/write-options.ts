import { randomUUID } from "node:crypto";
import type { Command } from "commander";
import type { Write } from "../proto/gen/switchyard/config/v1/config_service.ts";
import type { CliContext } from "./context.ts";

interface WriteOptions {
  readonly author?: string;
  readonly reason?: string;
  readonly requestId?: string;
  readonly dryRun?: boolean;
}

/** Adds what every changing verb may say about its commit. */
export function addWriteOptions(command: Command): Command {
  return command
    .option("--dry-run", "show what would change, or why it is refused, and change nothing")
    .option("--author <who>", "who: kept with the commit (default: the user's name here)")
    .option("--reason <why>", "why: kept with the commit")
    .option("--request-id <id>", "try again under this id: what was done under it already is not done twice");
}

/** The request id is made here, so that a command whose answer was lost can be repeated under it. */
export function writeOf(command: Command, context: CliContext): Write {
  const options = command.opts<WriteOptions>();
  return {
    requestId: options.requestId ?? randomUUID(),
    author: options.author ?? context.defaultAuthor,
    reason: options.reason ?? "",
    validateOnly: options.dryRun ?? false,
  };
}
