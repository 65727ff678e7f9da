import { randomBytes, randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { type DiskFault, diskFault } from "../../dataplane/cache/disk-fault.ts";
import { type Kept, LastKnownGood } from "../../dataplane/cache/last-known-good.ts";
import { StateDirectoryInUse } from "../../dataplane/cache/state-directory.ts";
import { DataPlaneNode } from "../../dataplane/data-plane-node.ts";
import type { EngineChoice } from "../../dataplane/engine/choose-engine.ts";
import { Backoff } from "../../dataplane/feed/backoff.ts";
import type { CommitFeed } from "../../dataplane/feed/commit-feed.ts";
import type { HealthTransition } from "../../dataplane/health/server-health.ts";
import { ThreadProber } from "../../dataplane/health/thread/thread-prober.ts";
import { workerProbeThread } from "../../dataplane/health/thread/worker-probe-thread.ts";
import { NatsLearntExchange } from "../../dataplane/nats/nats-learnt-exchange.ts";
import { dnsResolve } from "../../dataplane/resolve/dns-resolve.ts";
import type { LearntExchange, LearntHost } from "../../dataplane/sharing/learnt-exchange.ts";
import { SessionLearntExchange } from "../../dataplane/sharing/session-learnt-exchange.ts";
import { logConnection } from "../../dataplane/telemetry/access-log.ts";
import type { NodeSession, SessionHost } from "../../dataplane/telemetry/node-session.ts";
import type { NodeIdentity } from "../../model/node-identity.ts";
import { CliFailure } from "../cli-failure.ts";
import { exitCode } from "../exit-code.ts";
import { softwareVersion } from "../package-root.ts";
import { LazyFeed, LazySession } from "./lazy-parts.ts";

/** A connection to the control plane that was lost is tried again after so long, doubled up to the maximum. */
const reconnectMinMs = 200;
const reconnectMaxMs = 5000;

/** The thread of health checks is started again after so long, doubled up to the maximum. */
const checksAgainMinMs = 500;
const checksAgainMaxMs = 30_000;

export interface StartNodeOptions {
  readonly identity: NodeIdentity;
  /** Control planes to report to, and to follow where there is no NATS. With neither there is nothing to follow. */
  readonly controls: readonly string[];
  readonly nats?: { readonly url: string; readonly namespace: string } | undefined;
  /** Where the node keeps what it served last. */
  readonly stateDir?: string | undefined;
  readonly engine: EngineChoice;
  readonly logger: Logger;
  readonly accessLogger: Logger | undefined;
}

/**
 * Starts a node. What its state directory has is served before the log is looked for.
 *
 * @throws CliFailure where another node has the state directory
 */
export function startNode(options: StartNodeOptions): DataPlaneNode {
  const { engine, logger, accessLogger, controls, identity } = options;
  if (engine.fallback !== undefined) logger.warn(engine.fallback);
  if (controls.length === 0) logger.warn("there is no --control: this node reports to nobody");
  const { cache, cacheFault } = openCache(options);
  const sharing = new Sharing(options);
  // Connections of other processes, this one's earlier lives among them, have other ids.
  const instance = `${identity.id.slice(0, 40)}-${randomBytes(6).toString("hex")}`;
  // As it is now: it moves on with every commit.
  const cameUpWith = cache?.kept;
  const node: DataPlaneNode = new DataPlaneNode({
    createEngine: engine.create,
    feed: new LazyFeed(() => loadFeed(options)),
    cache,
    cacheFault,
    session:
      controls.length === 0
        ? undefined
        : (host) => new LazySession(() => loadSession(options, host, cameUpWith, sharing.bySession)),
    exchange: (host) => sharing.open(host),
    identity,
    instance,
    resolve: dnsResolve(),
    prober: new ThreadProber({
      startThread: workerProbeThread(),
      backoff: new Backoff(checksAgainMinMs, checksAgainMaxMs, Math.random),
      nowMs: () => performance.now(),
      onDeath: (why) => logger.warn({ why }, "the thread of health checks has died; it is started again"),
    }),
    hashSeed: randomBytes(4).readUInt32LE(),
    random: Math.random,
    monotonicMs: () => performance.now(),
    wallMs: Date.now,
    onClosed: (closed, routed) => {
      if (accessLogger !== undefined) logConnection(accessLogger, closed, routed, instance);
    },
    onFault: (error) => logger.error({ err: error }, "node fault"),
    onHealth: (transition) => logHealth(transition, logger),
    onUnresolved: (host, why) => logger.warn({ host, why }, "a server's name can't be resolved"),
    onState: () => logState(node, logger),
    setLogLevel: (level) => {
      logger.level = level;
    },
  });
  node.start().catch((error: unknown) => logger.error({ err: error }, "the kept configuration can't be served"));
  return node;
}

/** A directory that can't be used is no reason not to serve; one that another node uses is a mistake of the operator's. */
function openCache({ stateDir, logger }: StartNodeOptions): {
  readonly cache?: LastKnownGood;
  readonly cacheFault?: DiskFault;
} {
  if (stateDir === undefined) return {};
  try {
    const cache = LastKnownGood.open(stateDir);
    for (const problem of cache.problems) logger.error({ stateDir, problem }, "the state directory is damaged");
    const { revision } = cache.kept.position;
    logger.info({ stateDir, revision }, revision === 0 ? "nothing was kept" : "serving what was kept");
    return { cache };
  } catch (error) {
    if (error instanceof StateDirectoryInUse) throw new CliFailure(exitCode.failed, error.message);
    const cacheFault = diskFault(error);
    logger.error({ stateDir, ...cacheFault }, "the state directory can't be used");
    return { cacheFault };
  }
}

function newBackoff(): Backoff {
  return new Backoff(reconnectMinMs, reconnectMaxMs, Math.random);
}

async function loadFeed({ identity, nats, controls, logger }: StartNodeOptions): Promise<CommitFeed> {
  if (nats !== undefined) {
    const { JetStreamCommitFeed } = await import("../../dataplane/nats/jetstream-commit-feed.ts");
    const { url: servers, namespace } = nats;
    const onLost = (why: string): void => logger.warn({ why }, "commit feed lost");
    return new JetStreamCommitFeed({ servers, namespace, nodeId: identity.id, backoff: newBackoff(), onLost });
  }
  const { GrpcCommitFeed } = await import("../../dataplane/feed/grpc-commit-feed.ts");
  const onLost = (address: string, why: string): void => logger.warn({ address, why }, "commit feed lost");
  return new GrpcCommitFeed({ addresses: controls, backoff: newBackoff(), random: Math.random, onLost });
}

async function loadSession(
  { identity, controls, engine, logger }: StartNodeOptions,
  host: SessionHost,
  cameUpWith: Kept | undefined,
  learnt: SessionLearntExchange | undefined,
): Promise<NodeSession> {
  const { FleetSession } = await import("../../dataplane/telemetry/fleet-session.ts");
  const hello = {
    nodeId: identity.id,
    region: identity.region,
    labels: { ...identity.labels },
    bootId: randomUUID(),
    softwareVersion,
    engine: engine.kind,
    lastKnownGoodRevision: BigInt(cameUpWith?.position.revision ?? 0),
    lastKnownGoodDigest: cameUpWith?.digest ?? new Uint8Array(0),
  };
  const onLost = (address: string, why: string): void => logger.warn({ address, why }, "fleet session lost");
  const backoff = newBackoff();
  return new FleetSession({ addresses: controls, hello, host, learnt, backoff, random: Math.random, onLost });
}

/** The way to the other nodes of the region: NATS, or the session with the control plane where there is none. */
class Sharing {
  readonly #options: StartNodeOptions;
  bySession: SessionLearntExchange | undefined;

  constructor(options: StartNodeOptions) {
    this.#options = options;
  }

  open(host: LearntHost): LearntExchange {
    const { nats, identity, logger } = this.#options;
    const nowMs = (): number => performance.now();
    if (nats === undefined) {
      this.bySession = new SessionLearntExchange(host, nowMs);
      return this.bySession;
    }
    const { url: servers, namespace } = nats;
    const { id: nodeId, region } = identity;
    const onLost = (why: string): void => logger.warn({ why }, "TLS sessions are not shared with other nodes");
    return new NatsLearntExchange({ servers, namespace, nodeId, region, host, nowMs, backoff: newBackoff(), onLost });
  }
}

/** What an operator must know at once: a log that can't be followed, an address that can't be bound, a disk that fails. */
function logState(node: DataPlaneNode, logger: Logger): void {
  const { position, feed, stalled } = node.state;
  if (stalled !== undefined) logger.error({ revision: position.revision, ...stalled }, "the log can't be followed");
  for (const unbound of node.unbound) logger.error(unbound, "a listener's address can't be bound");
  if (node.diskFault !== undefined) logger.error(node.diskFault, "the state directory can't be used");
  logger.debug({ revision: position.revision, feed, draining: node.draining }, "node state");
}

function logHealth({ server, from, to, reason, detail }: HealthTransition, logger: Logger): void {
  const worse = to === "down" || to === "ejected" || to === "unresolved";
  logger[worse ? "warn" : "info"]({ server, from, to, reason, detail }, "a server's health has changed");
}

/** Why a node is not ready, a line each. */
export function nodeUnready(node: DataPlaneNode): readonly string[] {
  const lines = node.unbound.map(({ listener, address, reason }) => `${listener}: ${address}: ${reason}`);
  if (node.draining) lines.unshift("draining");
  return node.state.loaded ? lines : ["no configuration yet", ...lines];
}
