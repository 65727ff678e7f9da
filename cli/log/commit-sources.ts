import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import { ChainBroken, type CommitSource } from "../../controlplane/log/copy-log.ts";
import { LogCorrupt, LogUnavailable } from "../../controlplane/log/event-log.ts";
import { SqliteEventLog } from "../../controlplane/log/sqlite-event-log.ts";
import { sameBytes, type SealedCommit } from "../../model/commit.ts";
import { ExportInvalid, ExportReader } from "../../model/wire/log-export.ts";
import { CliFailure } from "../cli-failure.ts";
import type { AdminClient } from "../client/admin-client.ts";
import { exitCode } from "../exit-code.ts";
import { logFile } from "../serve/log-file.ts";

const readBatch = 64;

/** Every commit of an exported file. @throws CliFailure where it can't be read, is none, or was cut off */
export async function* commitsOfFile(path: string): CommitSource {
  const reader = new ExportReader();
  let last: SealedCommit | undefined;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Uint8Array>) {
      for (const exported of reader.push(chunk)) {
        if (exported.record === "commit") {
          last = exported.commit;
          yield last;
        } else if (exported.record === "end" && !endsWith(exported.head, last))
          throw new ExportInvalid(`its end names revision ${exported.head.revision}, which is not its last commit`);
      }
    }
    reader.finish();
  } catch (error) {
    if (error instanceof ChainBroken) throw error;
    throw new CliFailure(exitCode.failed, `${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function endsWith(head: { readonly hash: Uint8Array }, last: SealedCommit | undefined): boolean {
  return sameBytes(head.hash, last?.hash ?? new Uint8Array(0));
}

/** Every commit that the control plane has now. */
export async function* commitsOfServer(client: AdminClient): CommitSource {
  const request = { afterRevision: 0n, afterHash: new Uint8Array(0), snapshotAllowed: false };
  for await (const { part } of client.follow(() => client.config.watchCommits(request))) {
    if (part?.$case === "beacon") return;
    if (part?.$case === "commit") yield part.value;
  }
  throw new CliFailure(exitCode.unreachable, "the control plane ended the stream before its last commit");
}

/** Opens the embedded log of a data directory, to be closed by the caller. */
export async function openDataDirectory(dataDir: string): Promise<SqliteEventLog> {
  const path = join(dataDir, logFile);
  if (!existsSync(path)) throw new CliFailure(exitCode.usage, `${dataDir}: there is no ${logFile} in it`);
  try {
    return await SqliteEventLog.open({ path });
  } catch (error) {
    if (error instanceof LogCorrupt || error instanceof LogUnavailable)
      throw new CliFailure(exitCode.failed, error.message);
    throw error;
  }
}

/** Every commit that the log has now. */
export async function* commitsOfLog(log: Pick<SqliteEventLog, "head" | "read">): CommitSource {
  const head = await log.head();
  for (let at = 0; at < head.revision; ) {
    const batch = await log.read(at, Math.min(readBatch, head.revision - at));
    if (batch.length === 0) throw new LogCorrupt(`revision ${at + 1} is missing`);
    for (const sealed of batch) yield sealed;
    at += batch.length;
  }
}
