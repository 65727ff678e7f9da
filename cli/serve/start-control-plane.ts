import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import { ControlPlane, type ReplicaOptions } from "../../controlplane/control-plane.ts";
import type { EventLog } from "../../controlplane/log/event-log.ts";
import { SqliteEventLog } from "../../controlplane/log/sqlite-event-log.ts";
import type { SocketAddress } from "../../model/address.ts";
import { CliFailure } from "../cli-failure.ts";
import { descriptorsFile } from "../descriptors.ts";
import { exitCode } from "../exit-code.ts";
import { softwareVersion } from "../package-root.ts";
import { logFile } from "./log-file.ts";

/** Starts a control plane on the embedded log in `dataDir`, which is made where it is not there. */
export async function startControlPlane(
  dataDir: string,
  adminAddress: SocketAddress,
  logger: Logger,
  replica: ReplicaOptions = {},
): Promise<ControlPlane> {
  try {
    mkdirSync(dataDir, { recursive: true });
    const log = await SqliteEventLog.open({ path: join(dataDir, logFile) });
    return await startControlPlaneOn(log, adminAddress, logger, replica);
  } catch (error) {
    throw new CliFailure(exitCode.failed, error instanceof Error ? error.message : String(error));
  }
}

/** Starts a control plane on a log, which is the control plane's from then on. */
export function startControlPlaneOn(
  log: EventLog,
  adminAddress: SocketAddress,
  logger: Logger,
  replica: ReplicaOptions = {},
): Promise<ControlPlane> {
  return ControlPlane.start({
    log,
    adminAddress,
    descriptors: readFileSync(descriptorsFile),
    softwareVersion,
    now: Date.now,
    ...replica,
    onFault: (error) => logger.error({ err: error }, "control plane fault"),
    onWarning: (message) => logger.warn(message),
  });
}
