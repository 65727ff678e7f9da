import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Logger } from "pino";
import type { EmergencyTokenFile } from "../../controlplane/admin/emergency-token-file.ts";
import type { ControlPlane } from "../../controlplane/control-plane.ts";
import { connectNats } from "../../controlplane/nats/connect.ts";
import { JetStreamEventLog, type JetStreamLogStatus } from "../../controlplane/nats/jetstream-event-log.ts";
import { NatsFleetBus } from "../../controlplane/nats/nats-fleet-bus.ts";
import { NatsLease } from "../../controlplane/nats/nats-lease.ts";
import { NatsUnusable } from "../../controlplane/nats/server-version.ts";
import { presentReplicas } from "../../controlplane/nats/present-stream.ts";
import type { SocketAddress } from "../../model/address.ts";
import { logNames } from "../../model/log-names.ts";
import { CliFailure } from "../cli-failure.ts";
import { exitCode } from "../exit-code.ts";
import { logFile } from "./log-file.ts";
import { startControlPlaneOn } from "./start-control-plane.ts";

/** Between two attempts to reach NATS before it was reached at all; later the connection comes back by itself. */
const tryAgainMs = 1000;

/** What was published is sent off in this time, or left. */
const drainMs = 1000;

type Connection = Awaited<ReturnType<typeof connectNats>>;

export interface NatsControlPlaneOptions {
  readonly nats: string;
  readonly namespace: string;
  readonly replicaId: string;
  /** Undefined: as the streams are now, or 1. */
  readonly streamReplicas: number | undefined;
  readonly dataDir: string;
  readonly adminAddress: SocketAddress;
  readonly emergencyTokenFile?: EmergencyTokenFile | undefined;
}

export interface NatsControlPlane {
  readonly controlPlane: ControlPlane;
  readonly logStatus: () => JetStreamLogStatus;
  /** Resolves when what was folded is not the log's history any more: everything has to begin anew. */
  readonly replaced: Promise<string>;
  readonly close: (graceMs: number) => Promise<void>;
}

/** Starts one replica on the log that is in NATS, with its own copy in `dataDir`. Undefined where it is aborted first. */
export async function startNatsControlPlane(
  options: NatsControlPlaneOptions,
  logger: Logger,
  signal: AbortSignal,
): Promise<NatsControlPlane | undefined> {
  try {
    const connection = await connected(options, logger, signal);
    return connection && (await startOn(connection, options, logger));
  } catch (error) {
    const code = error instanceof RangeError ? exitCode.usage : exitCode.failed;
    throw new CliFailure(code, error instanceof Error ? error.message : String(error));
  }
}

/** Waits for as long as no server answers: replicas and servers may be started in any order. */
async function connected(
  { nats, replicaId }: NatsControlPlaneOptions,
  logger: Logger,
  signal: AbortSignal,
): Promise<Connection | undefined> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      return await connectNats({ servers: nats, name: `switchyard controlplane ${replicaId}` });
    } catch (error) {
      if (error instanceof NatsUnusable || error instanceof RangeError) throw error;
      if (attempt % 10 === 0) logger.warn({ err: error }, "NATS can't be reached yet");
      await setTimeout(tryAgainMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}

async function startOn(
  connection: Connection,
  options: NatsControlPlaneOptions,
  logger: Logger,
): Promise<NatsControlPlane> {
  const { namespace, replicaId, dataDir } = options;
  let bus: NatsFleetBus | undefined;
  const disconnect = async (): Promise<void> => {
    bus?.close();
    if (connection.isClosed()) return;
    await Promise.race([connection.drain(), setTimeout(drainMs)]).catch(() => undefined);
    await connection.close();
  };
  try {
    const names = logNames(namespace);
    mkdirSync(dataDir, { recursive: true });
    const replicas = options.streamReplicas ?? (await presentReplicas(connection, names)) ?? 1;
    let replace: (detail: string) => void = () => undefined;
    const replaced = new Promise<string>((resolve) => (replace = resolve));
    const log = await JetStreamEventLog.open({
      connection,
      namespace,
      replicaId,
      localPath: join(dataDir, logFile),
      limits: { replicas },
      report: (level, message) => logger[level](message),
      onState: ({ state, detail }) => logger.info({ state, detail }, "the log"),
      onReplaced: replace,
    });
    const onFault = (error: unknown): void => logger.warn({ err: error }, "a message of another replica");
    bus = new NatsFleetBus({ connection, names, replica: replicaId, onFault });
    const onChange = (held: boolean): void => logger.info({ held }, "the lease of the replicas");
    const lease = await NatsLease.of({ connection, names, replicaId, replicas, onChange });
    const replica = { replicaId, fleetBus: bus, lease, emergencyTokenFile: options.emergencyTokenFile };
    const controlPlane = await startControlPlaneOn(log, options.adminAddress, logger, replica);
    const close = async (graceMs: number): Promise<void> => {
      await controlPlane.close(graceMs);
      await disconnect();
    };
    return { controlPlane, logStatus: () => log.status(), replaced, close };
  } catch (error) {
    await disconnect();
    throw error;
  }
}
