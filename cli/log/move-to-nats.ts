import { join } from "node:path";
import { LogCorrupt, LogUnavailable } from "../../controlplane/log/event-log.ts";
import { JetStreamEventLog, type JetStreamLogStatus } from "../../controlplane/nats/jetstream-event-log.ts";
import { presentEnd } from "../../controlplane/nats/present-stream.ts";
import type { Position } from "../../model/commit.ts";
import type { LogNames } from "../../model/log-names.ts";
import { CliFailure } from "../cli-failure.ts";
import { type CliContext, note, print } from "../context.ts";
import { exitCode } from "../exit-code.ts";
import { connectedNats, type Connection, namesOf } from "../init/connected-nats.ts";
import { logFile } from "../serve/log-file.ts";
import { openDataDirectory } from "./commit-sources.ts";
import type { MoveOptions, NatsOptions } from "./log-options.ts";

/** A stream that takes no commit for so long is given up. */
const stuckMs = 60_000;

/** Moves the log of a data directory into streams that are empty. The directory is a replica's from then on. */
export async function moveLog(context: CliContext, { dataDir, ...options }: MoveOptions): Promise<void> {
  await fillNats(context, dataDir, await headOf(dataDir), options);
}

async function headOf(dataDir: string): Promise<Position> {
  const log = await openDataDirectory(dataDir);
  try {
    return await log.head();
  } finally {
    await log.close();
  }
}

/**
 * Fills empty streams from a data directory, by what replicas do when a stream was lost: the longest copy rebuilds it, and
 * marks a new epoch.
 */
export async function fillNats(
  context: CliContext,
  dataDir: string,
  head: Position,
  options: NatsOptions,
): Promise<void> {
  const names = namesOf(options.namespace);
  const connection = await connectedNats(options.nats, "switchyard log");
  try {
    await expectEmpty(connection, names);
    const status = await rebuilt(context, connection, dataDir, head, options);
    const { revision, epoch } = status.head;
    await print(context, `the log is on NATS: revision ${revision}, epoch ${epoch}\n`);
  } catch (error) {
    if (error instanceof LogCorrupt || error instanceof LogUnavailable)
      throw new CliFailure(exitCode.failed, error.message);
    throw error;
  } finally {
    await connection.close();
  }
}

/** Fails where the streams have commits already, before anything is written anywhere. */
export async function refuseFilled({ nats, namespace }: NatsOptions): Promise<void> {
  const names = namesOf(namespace);
  const connection = await connectedNats(nats, "switchyard log");
  try {
    await expectEmpty(connection, names);
  } finally {
    await connection.close();
  }
}

/** Two histories can't be made one: a stream that has commits is left alone. */
async function expectEmpty(connection: Connection, names: LogNames): Promise<void> {
  const end = await presentEnd(connection, names);
  if (end === 0) return;
  throw new CliFailure(exitCode.failed, `${names.logStream} has ${end} commits already: it is left as it is`);
}

/** Resolves when the stream has what the directory has. */
async function rebuilt(
  context: CliContext,
  connection: Connection,
  dataDir: string,
  head: Position,
  { namespace, replicaId, replicas }: NatsOptions,
): Promise<JetStreamLogStatus> {
  let heard = performance.now();
  const log = await JetStreamEventLog.open({
    connection,
    namespace,
    replicaId,
    localPath: join(dataDir, logFile),
    limits: { replicas },
    report: (_level, message) => {
      heard = performance.now();
      note(context, message);
    },
  });
  try {
    for (;;) {
      const status = log.status();
      const whole = status.state === "following" && (head.revision === 0 || status.head.revision > head.revision);
      if (whole) return status;
      if (context.signal.aborted) throw new CliFailure(exitCode.interrupted, "interrupted; the directory is whole");
      if (performance.now() - heard > stuckMs) {
        const why = status.detail ?? status.state;
        throw new CliFailure(exitCode.failed, `NATS takes no commits: ${why}; the directory is whole`);
      }
      if (status.head.revision > head.revision) heard = performance.now();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  } finally {
    await log.close();
  }
}
