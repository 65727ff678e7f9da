import type { Command } from "commander";
import type { CommitSource } from "../../controlplane/log/copy-log.ts";
import { withClient } from "../client/with-client.ts";
import type { CliContext } from "../context.ts";
import { commitsOfLog, commitsOfServer, openDataDirectory } from "./commit-sources.ts";
import type { SourceOptions } from "./log-options.ts";

/** Works on the commits of a data directory, or of the control plane, and lets go of it afterwards. */
export async function withSource(
  command: Command,
  context: CliContext,
  { dataDir }: SourceOptions,
  work: (source: CommitSource) => Promise<void>,
): Promise<void> {
  if (dataDir === undefined) {
    await withClient(command, context, (client) => work(commitsOfServer(client)));
    return;
  }
  const log = await openDataDirectory(dataDir);
  try {
    await work(commitsOfLog(log));
  } finally {
    await log.close();
  }
}
