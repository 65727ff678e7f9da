import type { Command } from "commander";
import { ChainBroken, type CommitSource, soundChain } from "../../controlplane/log/copy-log.ts";
import { LogCorrupt } from "../../controlplane/log/event-log.ts";
import { origin, type Position } from "../../model/commit.ts";
import { CliFailure } from "../cli-failure.ts";
import { type CliContext, print } from "../context.ts";
import { exitCode } from "../exit-code.ts";
import { commitsOfFile, openDataDirectory } from "./commit-sources.ts";
import type { SourceOptions } from "./log-options.ts";
import { withSource } from "./with-source.ts";

/** Checks everything from the first commit on; the first bad one is named, and the exit code is 1. */
export async function verifyLog(
  command: Command,
  context: CliContext,
  file: string | undefined,
  options: SourceOptions,
): Promise<void> {
  if (file !== undefined && options.dataDir !== undefined)
    throw new CliFailure(exitCode.usage, "a file or --data-dir, not both");
  if (file === undefined) {
    await withSource(command, context, options, (source) => verifyChain(context, source));
    if (options.dataDir !== undefined) await verifyStructure(options.dataDir);
  } else await verifyChain(context, commitsOfFile(file));
}

async function verifyChain(context: CliContext, source: CommitSource): Promise<void> {
  let head: Position = origin;
  try {
    for await (const { position } of soundChain(source)) head = position;
  } catch (error) {
    if (error instanceof ChainBroken || error instanceof LogCorrupt)
      throw new CliFailure(exitCode.failed, `commit ${head.revision + 1} is bad: ${error.message}`);
    throw error;
  }
  const hash = Buffer.from(head.hash).toString("hex") || "none";
  await print(context, `sound: ${head.revision} commits, epoch ${head.epoch}, hash ${hash}\n`);
}

/** What is not in the commits: SQLite's own pages and indexes, the columns beside the bodies. */
async function verifyStructure(dataDir: string): Promise<void> {
  const log = await openDataDirectory(dataDir);
  try {
    const found = await log.verify();
    if (!found.intact) throw new CliFailure(exitCode.failed, found.fault);
  } finally {
    await log.close();
  }
}
