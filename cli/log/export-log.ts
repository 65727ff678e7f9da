import { once } from "node:events";
import { open, rename, rm } from "node:fs/promises";
import type { Command } from "commander";
import { soundChain } from "../../controlplane/log/copy-log.ts";
import { origin, type Position } from "../../model/commit.ts";
import { encodeExported, type ExportedRecord } from "../../model/wire/log-export.ts";
import { CliFailure } from "../cli-failure.ts";
import { type CliContext, note } from "../context.ts";
import { exitCode } from "../exit-code.ts";
import { softwareVersion } from "../package-root.ts";
import type { SourceOptions } from "./log-options.ts";
import { withSource } from "./with-source.ts";

type Write = (exported: ExportedRecord) => Promise<void>;

/** Writes the log to a file, which appears under its name once it is whole and on the disk. */
export async function exportLog(
  command: Command,
  context: CliContext,
  options: SourceOptions & { readonly output: string },
): Promise<void> {
  const { output } = options;
  await withSource(command, context, options, async (source) => {
    const exportTo = async (write: Write): Promise<void> => {
      await write({ record: "header", softwareVersion });
      let head: Position = origin;
      for await (const { sealed, position } of soundChain(source)) {
        await write({ record: "commit", commit: sealed });
        head = position;
      }
      await write({ record: "end", head });
      note(context, `${head.revision} commits exported`);
    };
    if (output === "-") await exportTo((exported) => writeOut(context, encodeExported(exported)));
    else await toFile(output, exportTo);
  });
}

async function writeOut(context: CliContext, bytes: Uint8Array): Promise<void> {
  if (!context.stdout.write(bytes)) await once(context.stdout, "drain");
}

async function toFile(path: string, exportTo: (write: Write) => Promise<void>): Promise<void> {
  const unfinished = `${path}.unfinished`;
  try {
    const file = await open(unfinished, "w", 0o600);
    try {
      await exportTo(async (exported) => {
        await file.writeFile(encodeExported(exported));
      });
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    if ((error as NodeJS.ErrnoException).syscall !== undefined)
      throw new CliFailure(exitCode.failed, `${path} can't be written: ${(error as Error).message}`);
    throw error;
  }
}
