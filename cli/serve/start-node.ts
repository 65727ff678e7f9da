import { randomBytes, randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { DataPlaneNode } from "../../dataplane/data-plane-node.ts";
import type { EngineChoice } from "../../dataplane/engine/choose-engine.ts";
import { Backoff } from "../../dataplane/feed/backoff.ts";
import { GrpcCommitFeed } from "../../dataplane/feed/grpc-commit-feed.ts";
import { logConnection } from "../../dataplane/telemetry/access-log.ts";
import { FleetSession } from "../../dataplane/telemetry/fleet-session.ts";
import { softwareVersion } from "../package-root.ts";

/** A connection to the control plane that was lost is tried again after so long, doubled up to the maximum. */
const reconnectMinMs = 200;
const reconnectMaxMs = 5000;

export interface NodeIdentity {
  readonly id: string;
  readonly region: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Starts a node that follows, and reports to, the control plane at `address`. */
export function startNode(
  identity: NodeIdentity,
  address: string,
  engine: EngineChoice,
  logger: Logger,
  accessLogger: Logger | undefined,
): DataPlaneNode {
  if (engine.fallback !== undefined) logger.warn(engine.fallback);
  const backoff = new Backoff(reconnectMinMs, reconnectMaxMs, Math.random);
  const lost = (what: string) => (why: string) => logger.warn({ address, why }, `${what} lost`);
  const hello = {
    nodeId: identity.id,
    region: identity.region,
    labels: { ...identity.labels },
    bootId: randomUUID(),
    softwareVersion,
    engine: engine.kind,
    lastKnownGoodRevision: 0n,
    lastKnownGoodDigest: new Uint8Array(0),
  };
  const node: DataPlaneNode = new DataPlaneNode({
    createEngine: engine.create,
    feed: new GrpcCommitFeed({ address, backoff, onLost: lost("commit feed") }),
    session: (report) => new FleetSession({ address, hello, report, backoff, onLost: lost("fleet session") }),
    hashSeed: randomBytes(4).readUInt32LE(),
    monotonicMs: () => performance.now(),
    wallMs: Date.now,
    onClosed: (closed, routed) => {
      if (accessLogger !== undefined) logConnection(accessLogger, closed, routed);
    },
    onFault: (error) => logger.error({ err: error }, "engine fault"),
    onState: () => logState(node, logger),
  });
  node.start();
  return node;
}

/** What an operator must know at once: a log that can't be followed, an address that can't be bound. */
function logState(node: DataPlaneNode, logger: Logger): void {
  const { position, feed, stalled } = node.state;
  if (stalled !== undefined) logger.error({ revision: position.revision, ...stalled }, "the log can't be followed");
  for (const unbound of node.unbound) logger.error(unbound, "a listener's address can't be bound");
  logger.debug({ revision: position.revision, feed }, "node state");
}

/** Why a node is not ready, a line each. */
export function nodeUnready(node: DataPlaneNode): readonly string[] {
  const lines = node.unbound.map(({ listener, address, reason }) => `${listener}: ${address}: ${reason}`);
  return node.state.loaded ? lines : ["no configuration yet", ...lines];
}
