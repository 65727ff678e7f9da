import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ChainBroken, type CommitSource, copyLog, OtherHistory } from "../../controlplane/log/copy-log.ts";
import { LogCorrupt, LogUnavailable } from "../../controlplane/log/event-log.ts";
import { SqliteEventLog } from "../../controlplane/log/sqlite-event-log.ts";
import type { Position } from "../../model/commit.ts";
import { CliFailure } from "../cli-failure.ts";
import { type CliContext, note, print } from "../context.ts";
import { exitCode } from "../exit-code.ts";
import { logFile } from "../serve/log-file.ts";
import { commitsOfFile } from "./commit-sources.ts";
import type { ImportOptions } from "./log-options.ts";

/** Every so many commits a line says how far it is. */
const progressEvery = 10_000;

/** Fills an empty log from an exported file: the one of a data directory, and from there on the streams of NATS. */
export async function importLog(context: CliContext, file: string, options: ImportOptions): Promise<void> {
  const { nats, dataDir } = options;
  if (nats === undefined) {
    await copyTo(context, commitsOfFile(file), dataDir, `imported from ${file}`);
    return;
  }
  const { fillNats, refuseFilled } = await import("./move-to-nats.ts");
  await refuseFilled({ ...options, nats });
  const head = await copyTo(context, commitsOfFile(file), dataDir, `imported from ${file}`);
  await fillNats(context, dataDir, head, { ...options, nats });
}

async function copyTo(context: CliContext, source: CommitSource, dataDir: string, reason: string): Promise<Position> {
  let shown = 0;
  const progress = (revision: number): void => {
    if (revision - shown < progressEvery) return;
    shown = revision;
    note(context, `${revision} commits`);
  };
  try {
    mkdirSync(dataDir, { recursive: true });
    const target = await SqliteEventLog.open({ path: join(dataDir, logFile) });
    try {
      const head = await copyLog(source, target, { reason, timeMs: Date.now() }, progress);
      await print(context, `${reason}: revision ${head.revision}, epoch ${head.epoch}\n`);
      return head;
    } finally {
      await target.close();
    }
  } catch (error) {
    if (error instanceof ChainBroken)
      throw new CliFailure(exitCode.failed, `commit ${error.after.revision + 1} is bad: ${error.message}`);
    if (error instanceof OtherHistory || error instanceof LogCorrupt || error instanceof LogUnavailable)
      throw new CliFailure(exitCode.failed, error.message);
    throw error;
  }
}
