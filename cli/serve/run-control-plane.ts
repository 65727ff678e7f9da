import { Registry } from "prom-client";
import type { Logger } from "pino";
import { registerControlPlaneMetrics, registerLogMetrics } from "../../controlplane/control-plane-metrics.ts";
import type { ControlPlane } from "../../controlplane/control-plane.ts";
import type { JetStreamLogStatus } from "../../controlplane/nats/jetstream-event-log.ts";
import { joinSocketAddress, type SocketAddress, splitSocketAddress } from "../../model/address.ts";
import { CliFailure } from "../cli-failure.ts";
import { type CliContext, print } from "../context.ts";
import { exitCode } from "../exit-code.ts";
import type { EmergencyTokenFile } from "../../controlplane/admin/emergency-token-file.ts";
import { emergencyTokenFileOf } from "./emergency-token-option.ts";
import { aborted, Lifetimes } from "./lifetimes.ts";
import { processLogger } from "./loggers.ts";
import { listenOps } from "./ops-server.ts";
import { checkedAddress } from "./serve-options.ts";
import { startControlPlane } from "./start-control-plane.ts";

/** Calls that run have this long to end. */
const callGraceMs = 3000;

export interface ControlPlaneOptions {
  readonly dataDir: string;
  readonly nats?: string;
  readonly namespace: string;
  readonly replicaId?: string;
  readonly streamReplicas?: number;
  readonly adminAddress: string;
  readonly httpAddress: string;
  readonly emergencyTokenFile?: string;
  readonly logLevel: string;
  readonly allowInsecureBind?: boolean;
}

interface Addresses {
  readonly admin: SocketAddress;
  readonly http: SocketAddress;
}

export async function runControlPlane(context: CliContext, options: ControlPlaneOptions): Promise<void> {
  const insecure = options.allowInsecureBind ?? false;
  const admin = checkedAddress(options.adminAddress, "--admin-address", insecure);
  const http = checkedAddress(options.httpAddress, "--http-address", insecure);
  if (options.nats === undefined && options.replicaId !== undefined)
    throw new CliFailure(exitCode.usage, "--replica-id is for several replicas of a log in NATS: --nats says where");
  if (options.nats !== undefined && options.replicaId === undefined)
    throw new CliFailure(exitCode.usage, "--nats needs a --replica-id: unique, and the same after a restart");
  const emergencyTokenFile = emergencyTokenFileOf(options.emergencyTokenFile);
  const logger = processLogger(options.logLevel);
  // Where the log turns out to be of another history, all that was made of it is made anew, under the same addresses.
  let addresses: Addresses | undefined = { admin, http };
  while (addresses !== undefined) addresses = await runOnce(context, options, addresses, logger, emergencyTokenFile);
}

/** Runs until it is aborted, or until it has to begin anew: then it answers where. */
async function runOnce(
  context: CliContext,
  options: ControlPlaneOptions,
  addresses: Addresses,
  logger: Logger,
  emergencyTokenFile: EmergencyTokenFile | undefined,
): Promise<Addresses | undefined> {
  const lifetimes = new Lifetimes();
  try {
    const started = await start(context, options, { ...addresses, emergencyTokenFile }, logger, lifetimes);
    if (started === undefined) return undefined;
    const { controlPlane, logStatus, replaced } = started;
    const registry = new Registry();
    registerControlPlaneMetrics(registry, controlPlane);
    if (logStatus !== undefined) registerLogMetrics(registry, logStatus);
    const unready = (): readonly string[] => (logStatus === undefined ? [] : logUnready(logStatus()));
    const ops = await listenOps(addresses.http, { registry, unready });
    lifetimes.add("health and metrics", () => ops.close());
    const { revision } = controlPlane.position;
    await print(
      context,
      `control plane at revision ${revision}: admin port ${controlPlane.port}, http port ${ops.port}\n`,
    );
    const why = await Promise.race([aborted(context.signal), replaced]);
    if (typeof why !== "string") return undefined;
    logger.error(`beginning anew: ${why}`);
    return { admin: withPort(addresses.admin, controlPlane.port), http: withPort(addresses.http, ops.port) };
  } finally {
    await lifetimes.close();
  }
}

interface Started {
  readonly controlPlane: ControlPlane;
  readonly logStatus: (() => JetStreamLogStatus) | undefined;
  readonly replaced: Promise<string>;
}

const never = new Promise<string>(() => undefined);

async function start(
  context: CliContext,
  { dataDir, nats, namespace, replicaId, streamReplicas }: ControlPlaneOptions,
  { admin, emergencyTokenFile }: Addresses & { readonly emergencyTokenFile: EmergencyTokenFile | undefined },
  logger: Logger,
  lifetimes: Lifetimes,
): Promise<Started | undefined> {
  if (nats === undefined || replicaId === undefined) {
    const controlPlane = await startControlPlane(dataDir, admin, logger, { emergencyTokenFile });
    lifetimes.add("control plane", () => controlPlane.close(callGraceMs));
    return { controlPlane, logStatus: undefined, replaced: never };
  }
  // Loaded only now: the embedded log needs nothing of NATS.
  const { startNatsControlPlane } = await import("./start-nats-control-plane.ts");
  const options = { nats, namespace, replicaId, streamReplicas, dataDir, adminAddress: admin, emergencyTokenFile };
  const started = await startNatsControlPlane(options, logger, context.signal);
  if (started !== undefined) lifetimes.add("control plane", () => started.close(callGraceMs));
  return started;
}

function withPort(address: SocketAddress, port: number): SocketAddress {
  return joinSocketAddress(splitSocketAddress(address).host, port);
}

/** Without its log a replica answers what it knows, and commits nothing. */
function logUnready({ state, detail }: JetStreamLogStatus): readonly string[] {
  return state === "following" ? [] : [`the log is ${state}${detail === undefined ? "" : `: ${detail}`}`];
}
